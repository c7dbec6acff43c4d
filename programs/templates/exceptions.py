"""Exceptions: raised, caught, passed on, chained, and cleaned up after. Grows as n log n.

Errors form a hierarchy that is part of the program; a larger n has more of them, and deeper calls.
"""

from string import Template

PROGRAM = Template('''\
import contextlib

N = $n
DEPTH = $depth


class Trouble(Exception):
    def __init__(self, code, *rest):
        super().__init__(code, *rest)
        self.code = code
$classes


KINDS = [$names]


class Resource:
    opened = closed = 0

    def __init__(self, swallows=()):
        self.swallows = swallows

    def __enter__(self):
        Resource.opened += 1
        return self

    def __exit__(self, kind, error, traceback):
        Resource.closed += 1
        return kind is not None and issubclass(kind, self.swallows or ())


@contextlib.contextmanager
def accounted(ledger, name):
    try:
        yield ledger
    except Trouble as trouble:
        ledger[name] = ledger.get(name, 0) + trouble.code
        raise
    finally:
        ledger["all"] = ledger.get("all", 0) + 1


def descend(depth, code):
    """Fails at the bottom, and is cleaned up after on the way."""
    if depth == 0:
        raise KINDS[code % len(KINDS)](code)
    steps = 0
    try:
        steps += 1
        descend(depth - 1, code)
    finally:
        Resource.opened += steps
        Resource.closed += 1


def converted(code):
    try:
        descend(1 + code % DEPTH, code)
    except KINDS[0] as trouble:
        raise KeyError(trouble.code) from trouble
    except KINDS[-1]:
        return "last"
    except Trouble as trouble:
        if trouble.code % 3 == 0:
            raise
        return type(trouble).__name__
    return "never"


def looked_up(table, key):
    try:
        return table[key]
    except KeyError:
        table[key] = value = len(table)
        return value


def parsed(text):
    for convert in (int, float, lambda t: t.index("x")):
        try:
            return convert(text)
        except ValueError:
            continue
    else:
        return None


def generator(limit):
    i = 0
    while True:
        try:
            i += yield i
        except Trouble as trouble:
            i -= trouble.code % 3
        if i > limit:
            return "done"


def driven(limit):
    source = generator(limit)
    next(source)
    try:
        for step in range(3 * limit):
            if step % 4 == 3:
                source.throw(KINDS[step % len(KINDS)](step))
            else:
                source.send(2)
    except StopIteration as stop:
        return stop.value, step
    return "open", limit


def chain(error):
    length = 0
    while error is not None:
        error = error.__cause__ or error.__context__
        length += 1
    return length


outcomes = {}
ledger = {}
table = {}
total = 0
for code in range(3 * N):
    with contextlib.suppress(ZeroDivisionError):
        total += 10 // (code % 5)
    try:
        with Resource((KeyError,)), accounted(ledger, "n%d" % (code % 4)):
            name = converted(code)
            outcomes[name] = outcomes.get(name, 0) + 1
    except (Trouble, KeyError) as error:
        total += chain(error)
    else:
        total += looked_up(table, code * code % 37)
    total += parsed(("17", "2.5", "x", "none")[code % 4]) or 0
    if code % 20 == 0:
        total += driven(10)[1]
print(sorted(outcomes.items()), sorted(ledger.items())[:3], total, Resource.opened, Resource.closed)
''')


def program(n):
    count = 3 + n.bit_length()
    classes = ""
    for k in range(count):
        base = "Trouble" if k % 3 == 0 else "Trouble%d" % (k - 1)
        classes += "\n\nclass Trouble%d(%s):\n    pass\n" % (k, base)
    # The last kinds first: a handler of the first one takes those that are derived from it.
    names = ", ".join("Trouble%d" % k for k in reversed(range(count)))
    return PROGRAM.substitute(n=n, depth=3 + n.bit_length(), classes=classes.rstrip(), names=names)
