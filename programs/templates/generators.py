"""Generators: pipelines, sieves, merges, trees, coroutines by `send`. Grows as n log n.

The stages of the pipeline are part of the program; a larger n has more of them.
"""

from string import Template

STAGES = [
    "(x + 1 for x in source)",
    "(x for x in source if x % 3)",
    "differences(source)",
    "(x * x % 1009 for x in source)",
    "windows(source, 3)",
    "(x ^ 5 for x in source if x % 7 != 2)",
    "interleaved(source, 11)",
    "(y for x in source for y in (x, x >> 1))",
    "without_doubles(source)",
]

PROGRAM = Template('''\
import heapq
import itertools

N = $n


def numbers(count, seed):
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2 ** 31
        yield seed >> 12


def differences(source):
    before = 0
    for x in source:
        yield abs(x - before)
        before = x


def windows(source, width):
    held = []
    for x in source:
        held.append(x)
        if len(held) == width:
            yield sum(held)
            del held[0]


def interleaved(source, other):
    for place, x in enumerate(source):
        yield x
        if place % other == 0:
            yield other


def without_doubles(source):
    for key, group in itertools.groupby(source):
        yield key
        yield from itertools.islice(group, 1, 2)


def pipeline(source):
$stages
    return source


def halves(items):
    """The items in order, by merges of generators."""
    if len(items) <= 1:
        yield from items
        return
    middle = len(items) // 2
    left, right = halves(items[:middle]), halves(items[middle:])
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        if a <= b:
            yield a
            a = next(left, None)
        else:
            yield b
            b = next(right, None)
    if a is not None:
        yield a
        yield from left
    if b is not None:
        yield b
        yield from right


def tree(low, high):
    if low < high:
        middle = (low + high) // 2
        yield from tree(low, middle)
        yield middle
        yield from tree(middle + 1, high)


def mean():
    """Is sent values, and answers with their mean so far."""
    total = count = 0
    try:
        while True:
            total += yield total // count if count else 0
            count += 1
    finally:
        means.append(total)


def primes(limit):
    composites = {}
    for candidate in range(2, limit):
        factor = composites.pop(candidate, None)
        if factor is None:
            yield candidate
            composites[candidate * candidate] = candidate
        else:
            multiple = candidate + factor
            while multiple in composites:
                multiple += factor
            composites[multiple] = factor


items = list(numbers(6 * N, 42))
check = 0
for place, x in enumerate(pipeline(iter(items))):
    check = (check * 31 + x + place) % 1000003
ordered = list(halves(items))
merged = heapq.merge(ordered, tree(0, 2 * N), key=lambda x: x)
order = sum(1 for a, b in zip(merged, itertools.count()) if a > b)
means = []
averager = mean()
next(averager)
last = [averager.send(x) for x in items][-1]
averager.close()
print(check, order, last, means[0] % 1009, sum(primes(5 * N)) % 1000003, all(map(int.__le__, ordered, ordered[1:])))
''')


def program(n):
    stages = STAGES[: 2 + n.bit_length()]
    return PROGRAM.substitute(n=n, stages="\n".join("    source = " + stage for stage in stages))
