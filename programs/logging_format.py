"""Log records formatted, filtered, and thrown away below their level."""

import io
import logging
import sys


class Evens(logging.Filter):
    def filter(self, record):
        return record.args[0] % 2 == 0 if record.args else True


def make(name, stream, level):
    logger = logging.getLogger(name)
    logger.setLevel(level)
    logger.propagate = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)-8s %(name)s %(lineno)d %(message)s"))
    logger.addHandler(handler)
    return logger


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 60000
    stream = io.StringIO()
    logger = make("example", stream, logging.INFO)
    filtered = make("example.filtered", stream, logging.DEBUG)
    filtered.addFilter(Evens())
    for i in range(n):
        logger.debug("not shown: %d", i)
        logger.debug("not shown: %r", logger)
        logger.info("item %d of %d: %s", i, n, "text")
        if i % 3 == 0:
            logger.warning("ratio %.3f", i / n)
        filtered.debug("value %d", i)
        if i % 100 == 0:
            try:
                {}[i]
            except KeyError as error:
                logger.error("failed: %r", error)
    lines = stream.getvalue().splitlines()
    print(len(lines), sum(map(len, lines)))
    print(lines[-1])


if __name__ == "__main__":
    main()
