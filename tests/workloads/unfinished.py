"""Generators and coroutines that do not come to their end in the usual way.

They are closed, dropped, collected as garbage, thrown into, abandoned by an
exception, or exhausted by something that wants no more of them.
"""

import gc
import itertools

# Made by one call of work() and never started.
NEVER_STARTED = {
    "asynchronous": 2,
    "capturing": 4,
    "coroutine": 3,
    "delegating": 1,
    "guarded": 2,
    "nested": 1,
    "outer": 1,
    "plain": 7,
    "stubborn": 1,
}

LOG = []


def plain(n):
    i = 0
    while i < n:
        yield i
        i += 1


def guarded(n):
    try:
        for i in range(n):
            yield i
    finally:
        LOG.append(n)


def capturing(n):
    def inner():
        return n

    yield inner
    yield inner() + n


def delegating(n):
    try:
        got = yield from guarded(n)
    except KeyError as error:
        got = yield error.args[0]
    except ValueError:
        yield from guarded(2)
    return got


def resisting(times):
    """Goes on when it should close, a few times."""
    while True:
        try:
            yield times
        except (ValueError, GeneratorExit) as error:
            if isinstance(error, GeneratorExit) or not times:
                return "gave up"
            times -= 1


def stubborn():
    try:
        yield 1
    except GeneratorExit:
        yield 2


def raising(n):
    yield n
    raise LookupError(n)


def stopping():
    yield 1
    raise StopIteration("inside")


def nested(n):
    with Context():
        yield n
        if n:
            yield from nested(n - 1)


class Context:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        LOG.append(kind.__name__ if kind else None)


class Pause:
    def __await__(self):
        try:
            got = yield "paused"
        finally:
            LOG.append("awaited")
        return got


async def coroutine(n):
    try:
        for _ in range(n):
            await Pause()
    finally:
        LOG.append("coroutine")
    return n


async def outer(n):
    try:
        return await coroutine(n) + 1
    except KeyError:
        await Pause()
        return -1


async def asynchronous(n):
    try:
        for i in range(n):
            await Pause()
            yield i
    finally:
        LOG.append("asynchronous")


async def consuming(n):
    total = 0
    async for i in asynchronous(n):
        total += i
        if total > 3:
            break
    return total


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except BaseException as error:
        return type(error).__name__


def closed():
    for n in range(6):
        for made in (plain(9), guarded(9), delegating(9), nested(4), raising(1)):
            for _ in range(n + 1):
                if outcome(next, made) in ("LookupError", "StopIteration"):
                    break
            made.close()
            made.close()
            LOG.append(next(made, "over"))


def dropped():
    """Dropped while suspended. In lists: settrace's copy of the locals would
    keep them a little longer."""
    for n in range(5):
        made = [guarded(9), delegating(9), nested(3), plain(5)]
        for generator in itertools.islice(made, 4):
            for _ in range(n):
                next(generator)
            del generator
        while made:
            made.pop()
    for _ in range(6):
        plain(1)
    for _ in range(4):
        capturing(1)


class Holder:
    """Holds a generator that holds it."""

    def __init__(self, n):
        self.made = [self.run(n)]
        next(self.made[0])

    def run(self, n):
        try:
            for i in range(n):
                yield self, i
        finally:
            LOG.append("collected")


def collected():
    """Garbage in cycles, collected at one place."""
    for n in range(1, 8):
        Holder(n)
    gc.collect()
    cycle = []
    cycle.append((x for x in [cycle, 1, 2]))
    next(cycle[0])
    del cycle
    gc.collect()


def thrown():
    for error in (KeyError("k"), ValueError("v"), OSError("o"), StopIteration("s"), GeneratorExit()):
        for make in (plain, guarded, delegating, nested, resisting):
            made = make(5)
            next(made)
            LOG.append(outcome(made.throw, error))
            LOG.append(outcome(next, made))
            made.close()
    made = resisting(4)
    next(made)
    for _ in range(6):
        LOG.append(outcome(made.throw, ValueError()))
    LOG.append(outcome(stubborn().throw, KeyError()))
    made = stubborn()
    next(made)
    LOG.append(outcome(made.close))
    made.close()
    LOG.append(outcome(list, stopping()))
    LOG.append(outcome(sum, raising(3)))


def abandoned():
    """Left by break, by an exception in the loop, by C code that stops early."""
    for n in range(4):
        for i in guarded(9):
            if i == n:
                break
        try:
            for i in guarded(9):
                1 // (n - i)
        except ZeroDivisionError:
            pass
        LOG.append(list(itertools.islice(guarded(9), n)))
        LOG.append(list(zip(guarded(3), plain(n))))
        LOG.append(any(guarded(5)) + (n in plain(9)))
        first, *_ = itertools.islice(plain(50), n + 1)
    LOG.append(outcome(next, (1 // x for x in [0, 1])))
    LOG.append([x for x in map(next, [plain(2), guarded(2)])])


def awaited():
    for n in range(4):
        made = outer(3)
        for _ in range(n):
            outcome(made.send, None)
        made.close()
        made = outer(3)
        made.send(None)
        LOG.append(outcome(made.throw, KeyError("thrown")))
        LOG.append(outcome(made.send, None))
        made = [coroutine(3)]
        made[0].send(None)
        made.pop()
    for _ in range(3):
        coroutine(1).close()
    for n in range(5):
        made = consuming(6)
        for _ in range(n + 1):
            LOG.append(outcome(made.send, None))
        made.close()
    made = asynchronous(5)
    step = made.asend(None)
    step.send(None)
    LOG.append(outcome(step.throw, KeyError()))
    LOG.append(outcome(made.aclose().send, None))
    for _ in range(2):
        asynchronous(1)


def work():
    del LOG[:]
    closed()
    dropped()
    collected()
    thrown()
    abandoned()
    awaited()
    return len(LOG)
