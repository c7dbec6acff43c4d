"""Generators in every state of their lives."""

# Made by one call of work() and never started.
NEVER_STARTED = {"never_started": 5, "never_started_cell": 3}


def count_to(n):
    i = 0
    while i < n:
        yield i
        i += 1


def never_started(n):
    yield n


def never_started_cell(n):
    yield lambda: n


def delegate(n):
    got = yield from count_to(n)
    yield got
    result = yield from with_return(n)
    yield result
    yield from [1, 2, 3]
    yield from range(3)


def with_return(n):
    total = 0
    for i in range(n):
        total += i
        yield i
    return total


def deep(n):
    if n:
        yield n
        yield from deep(n - 1)


def echo():
    got = None
    while True:
        got = yield got
        if got == "stop":
            return "stopped"


def stubborn():
    caught = 0
    while True:
        try:
            yield caught
        except ValueError:
            caught += 1
        except KeyError as error:
            yield error.args
        finally:
            caught += 10


def careful(log):
    try:
        yield 1
        yield 2
    except GeneratorExit:
        log.append("closed")
        raise
    finally:
        log.append("finally")


def outer(log):
    try:
        yield from careful(log)
    except ZeroDivisionError:
        log.append("divided")
        yield "after"


def tree(n):
    return [tree(n - 1), n, tree(n - 1)] if n else None


def in_order(node):
    if node is not None:
        left, value, right = node
        yield from in_order(left)
        yield value
        for other in in_order(right):
            yield other


class Container:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        for i in range(self.n):
            yield i * i


class Iterator:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration("done")
        self.n -= 1
        return self.n


def work():
    log = []
    for i in count_to(50):
        log.append(i)
    for _ in range(5):
        never_started(1)
    for _ in range(3):
        never_started_cell(1)
    log.append(list(delegate(5)))
    log.append(sum(deep(20)))

    # Never finished: dropped while suspended, in a loop and out of it.
    for _ in range(10):
        for i in count_to(100):
            if i == 7:
                break
    left = count_to(10)
    next(left)
    next(left)
    left = None
    # In a list: settrace's own copy of the locals would keep it a little longer.
    dropped = [careful(log)]
    next(dropped[0])
    dropped.pop()

    e = echo()
    next(e)
    for i in range(20):
        log.append(e.send(i))
    try:
        e.send("stop")
    except StopIteration as stop:
        log.append(stop.value)

    s = stubborn()
    next(s)
    for _ in range(5):
        s.throw(ValueError("again"))
    log.append(s.throw(KeyError("k")))
    next(s)
    s.close()
    try:
        next(s)
    except StopIteration:
        log.append("over")

    o = outer(log)
    next(o)
    o.throw(ZeroDivisionError())
    log.append(next(o, "end"))
    o = outer(log)
    next(o)
    o.close()
    o.close()

    fresh = careful(log)
    fresh_closed = False
    try:
        next(fresh)
        fresh.throw(RuntimeError("out"))
    except RuntimeError:
        fresh_closed = True
    log.append(fresh_closed)

    log.extend(in_order(tree(5)))
    for x in Container(20):
        log.append(x)
    for x in Iterator(20):
        log.append(x)
    a, b, c = Container(3)
    log.append(sum(x * x for x in range(50) if x % 3))
    log.append(max((y, x) for x in range(5) for y in Container(x)))
    log.append(any(x > 3 for x in count_to(10)))
    log.append(dict((x, x + a + b + c) for x in count_to(5)))
    nested = (x for x in (y + 1 for y in count_to(20)) if x % 2)
    log.append(list(nested))

    # One loop that sees generators and others in turn.
    for source in (count_to(30), [1, 2], range(4), Iterator(3), count_to(8), "ab"):
        for x in source:
            log.append(x)
    return log
