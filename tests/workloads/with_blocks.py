"""Context managers of every kind."""

import contextlib


class Manager:
    def __init__(self, log, swallow=False):
        self.log = log
        self.swallow = swallow

    def __enter__(self):
        self.log.append("enter")
        return self

    def __exit__(self, kind, error, traceback):
        self.log.append(kind is not None)
        return self.swallow


@contextlib.contextmanager
def tagged(log, name):
    log.append(name)
    try:
        yield name
    except KeyError:
        log.append("key")
    finally:
        log.append(name)


def plain(log):
    with Manager(log):
        pass
    with Manager(log) as a, Manager(log) as b:
        log.append(a is b)
    with Manager(log, True):
        raise ValueError
    with Manager(log, True) as a:
        with Manager(log):
            raise KeyError


def leaves(log, n):
    for i in range(n):
        with Manager(log) as m:
            if i == 1:
                continue
            if i == 4:
                break
            if i == 3 and n == 4:
                return m
    while n:
        with Manager(log, True):
            n -= 1
            raise IndexError
    return None


def passes_on(log):
    try:
        with Manager(log):
            with tagged(log, "t"):
                raise LookupError
    except LookupError:
        log.append("passed")


def contexts(log):
    with tagged(log, "a") as name, tagged(log, "b"):
        log.append(name)
    with tagged(log, "c"):
        raise KeyError
    with contextlib.suppress(ZeroDivisionError):
        1 // 0
    with contextlib.ExitStack() as stack:
        for i in range(4):
            stack.enter_context(tagged(log, i))
        stack.callback(log.append, "called")
    with contextlib.nullcontext(3) as three:
        log.append(three)
    with memoryview(b"abc") as view:
        log.append(view[0])


def work():
    log = []
    for _ in range(5):
        plain(log)
        leaves(log, 3)
        leaves(log, 4)
        leaves(log, 8)
        passes_on(log)
        contexts(log)
    return log
