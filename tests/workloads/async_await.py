"""Coroutines driven by hand: nothing depends on a clock or an event loop."""

# Made by one call of work() and never started: closed at once.
NEVER_STARTED = {"never_started": 4}


class Pause:
    """Awaiting it hands a value to whoever drives the coroutine."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        got = yield self.value
        return got


class Ready:
    def __await__(self):
        return iter(())


class Resource:
    def __init__(self, log, swallow=False):
        self.log = log
        self.swallow = swallow

    async def __aenter__(self):
        self.log.append("enter")
        await Pause("entering")
        return self

    async def __aexit__(self, kind, error, traceback):
        self.log.append(kind.__name__ if kind else None)
        await Ready()
        return self.swallow


class Ticker:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.n == 0:
            raise StopAsyncIteration
        self.n -= 1
        if self.n % 2:
            await Pause(self.n)
        return self.n


async def never_started():
    await Pause(1)


async def add(a, b):
    await Pause(a)
    return a + b


async def nested(n):
    if n == 0:
        await Pause("deep")
        return 0
    return 1 + await nested(n - 1)


async def ticks(n):
    for i in range(n):
        if i % 3 == 0:
            await Pause(i)
        yield i


async def sum_ticks(n):
    total = 0
    async for i in ticks(n):
        total += i
    else:
        total += 1000
    async for i in Ticker(n):
        total += i
        if total % 7 == 0:
            continue
    async for i in Ticker(n):
        if i == 3:
            break
    return total


async def comprehend(n):
    a = [i async for i in ticks(n)]
    b = {i: await add(i, i) async for i in Ticker(n) if i % 2}
    c = {i for i in [await add(i, 1) for i in range(n)]}
    d = (i * 2 async for i in ticks(n))
    total = 0
    async for i in d:
        total += i
    return len(a), sorted(b.items()), sorted(c), total


async def resources(log):
    async with Resource(log) as one, Resource(log):
        log.append(one.swallow)
    async with Resource(log, swallow=True):
        raise ValueError("swallowed")
    try:
        async with Resource(log):
            raise KeyError("passed on")
    except KeyError:
        log.append("caught")
    for _ in range(3):
        async with Resource(log):
            continue


async def thrown_into(log):
    for _ in range(3):
        try:
            await Pause("wait")
        except ValueError:
            log.append("ValueError")
        finally:
            log.append("finally")
    await Pause("end")


async def forwarding(log):
    try:
        await thrown_into(log)
    except KeyError:
        log.append("forwarded")
    return "ok"


def drive(coroutine):
    """Run a coroutine to its end, sending back what it hands out."""
    sent = None
    steps = 0
    while True:
        try:
            sent = coroutine.send(sent)
        except StopIteration as stop:
            return stop.value, steps
        steps += 1


def round_robin(coroutines):
    """A small scheduler: one step each in turn."""
    queue = [(c, None) for c in coroutines]
    results = []
    while queue:
        coroutine, value = queue.pop(0)
        try:
            value = coroutine.send(value)
        except StopIteration as stop:
            results.append(stop.value)
        else:
            queue.append((coroutine, value))
    return results


def work():
    log = []
    for i in range(10):
        log.append(drive(add(i, 1)))
    log.append(drive(nested(15)))
    log.append(drive(sum_ticks(20)))
    log.append(drive(comprehend(10)))
    drive(resources(log))
    log.append(round_robin([nested(i) for i in range(8)] + [sum_ticks(5)]))
    for _ in range(4):
        never_started().close()

    t = forwarding(log)
    t.send(None)
    t.throw(ValueError())
    t.throw(ValueError())
    try:
        t.throw(KeyError())
    except StopIteration as stop:
        log.append(stop.value)

    t = forwarding(log)
    t.send(None)
    t.close()

    # An asynchronous generator, by hand and not to its end.
    async def partly():
        g = ticks(10)
        first = await g.asend(None)
        second = await g.__anext__()
        await g.aclose()
        return first, second

    log.append(drive(partly()))
    return log
