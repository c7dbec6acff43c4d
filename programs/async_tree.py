"""A tree of coroutines on asyncio's loop: tasks, queues, locks, sleep(0)."""

import asyncio
import sys


async def leaf(cache, number):
    if number % 10 in cache:
        return cache[number % 10]
    await asyncio.sleep(0)
    cache[number % 10] = number % 10 * 3
    return cache[number % 10]


async def node(depth, branches, number, cache):
    if depth == 0:
        return await leaf(cache, number)
    children = [
        node(depth - 1, branches, number * branches + i, cache) for i in range(branches)
    ]
    if depth % 2:
        return sum(await asyncio.gather(*children))
    total = 0
    for child in children:
        total += await child
    return total


async def producer(queue, n):
    for i in range(n):
        await queue.put(i)
    await queue.put(None)


async def consumer(queue, lock, totals):
    while True:
        item = await queue.get()
        if item is None:
            await queue.put(None)
            return
        async with lock:
            totals[item % 3] = totals.get(item % 3, 0) + item


async def countdown(n):
    while n:
        n -= 1
        if n % 50 == 0:
            await asyncio.sleep(0)
        yield n


async def main(depth):
    print(await node(depth, 5, 1, {}))
    queue = asyncio.Queue(maxsize=20)
    lock = asyncio.Lock()
    totals = {}
    consumers = [consumer(queue, lock, totals) for _ in range(4)]
    await asyncio.gather(producer(queue, 9000 * depth), *consumers)
    print(sorted(totals.items()))
    total = 0
    async for n in countdown(40000 * depth):
        total += n
    print(total)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
