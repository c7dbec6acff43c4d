"""Coroutines: tasks, queues, locks, asynchronous generators and context managers on asyncio's loop. Grows as n log n.

The steps that a request goes through are part of the program; a larger n has more of them, and more requests.
"""

from string import Template

STEP = Template('''

async def step$k(request, state):
    $body
    return request''')

BODIES = [
    "request['size'] += len(state.seen)",
    "await asyncio.sleep(0)",
    "async with state.lock:\n        state.seen.add(request['id'] % 17)",
    "async for part in parts(request['size'] % 5):\n        request['size'] += part",
    "request['size'] = await twice(request['size'])",
    "if request['id'] % 11 == 3:\n        raise Rejected(request['id'])",
    "async with Turn(state) as turn:\n        request['turn'] = turn",
    "request['sizes'] = [x async for x in parts(4) if x % 2]",
]

PROGRAM = Template('''\
import asyncio

N = $n


class Rejected(Exception):
    pass


class State:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.seen = set()
        self.turns = 0
        self.rejected = 0


class Turn:
    def __init__(self, state):
        self.state = state

    async def __aenter__(self):
        self.state.turns += 1
        return self.state.turns

    async def __aexit__(self, kind, error, traceback):
        if self.state.turns % 50 == 0:
            await asyncio.sleep(0)
        return False


class Countdown:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.n == 0:
            raise StopAsyncIteration
        self.n -= 1
        return self.n


async def parts(count):
    for i in range(count):
        yield i * 3 + 1


async def twice(size):
    return size * 2 % 1013
$steps


STEPS = [$names]


async def handled(request, state):
    try:
        for step in STEPS:
            request = await step(request, state)
    except Rejected as rejected:
        state.rejected += 1
        return rejected.args[0] % 7
    return request["size"]


async def producer(queue, count):
    async for i in Countdown(count):
        await queue.put({"id": i, "size": i * 5 % 31})
    await queue.put(None)


async def worker(queue, state, results):
    while True:
        request = await queue.get()
        if request is None:
            await queue.put(None)
            return
        results.append(await handled(request, state))


async def tree(depth, number):
    if depth == 0:
        return number % 10
    left, right = await asyncio.gather(tree(depth - 1, number * 2), tree(depth - 1, number * 2 + 1))
    return left + right


async def main():
    state = State()
    queue = asyncio.Queue(maxsize=8)
    results = []
    workers = [asyncio.ensure_future(worker(queue, state, results)) for _ in range(3)]
    await producer(queue, 5 * N)
    await asyncio.gather(*workers)
    total = 0
    for i in range(0, N, 16):
        total += await tree(3, i)
    print(sum(results), len(results), state.rejected, state.turns, sorted(state.seen)[-1:], total)


asyncio.run(main())
''')


def program(n):
    steps = 3 + n.bit_length()
    text = "".join(STEP.substitute(k=k, body=BODIES[k % len(BODIES)]) for k in range(steps))
    names = ", ".join("step%d" % k for k in range(steps))
    return PROGRAM.substitute(n=n, steps=text, names=names)
