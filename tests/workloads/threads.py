"""Several threads that run the same function at the same time.

The threads are started below the threading module, whose own waiting depends
on time. A thread runs `pure` from C code, and then C code releases the lock
that work() waits for: when work() goes on, no thread has an instruction left
to execute.
"""

import _thread
from collections import deque
from itertools import chain, starmap


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def words(n):
    for i in range(n):
        yield "w%d" % (i % 10)


def pure(index, results):
    counts = {}
    for word in words(300):
        try:
            counts[word] += 1
        except KeyError:
            counts[word] = 1
    longest = max(map(collatz, range(1, 60)))
    text = ""
    for word in sorted(counts):
        text += word
    results[index] = (longest, text, sum(x * x for x in range(200)))


def work():
    threads = 6
    results = [None] * threads
    locks = []
    for index in range(threads):
        lock = _thread.allocate_lock()
        lock.acquire()
        locks.append(lock)
        steps = chain(starmap(pure, [(index, results)]), starmap(lock.release, [()]))
        _thread.start_new_thread(deque(maxlen=0).extend, (steps,))
    pure(0, [None])
    for lock in locks:
        lock.acquire()
    return results[0], results.count(results[0])
