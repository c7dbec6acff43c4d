"""Sorting: by algorithms written out, by the library with keys, and of records. Grows as n log n.

Which keys records are sorted by, and in which order the algorithms come, is part of the program.
"""

from itertools import islice, permutations
from string import Template

KEYS = [
    "lambda r: r.size",
    "lambda r: (r.name, -r.size)",
    "operator.attrgetter('group', 'size')",
    "lambda r: -r.group",
    "functools.cmp_to_key(by_digits)",
    "lambda r: r.name[::-1]",
]

PROGRAM = Template('''\
import bisect
import functools
import operator
from collections import namedtuple

N = $n
Record = namedtuple("Record", "name group size")


def numbers(count, seed):
    result = []
    for _ in range(count):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        result.append(seed >> 40)
    return result


def insertion(items):
    """For runs of sixteen, which are then merged."""
    runs = []
    for start in range(0, len(items), 16):
        run = items[start:start + 16]
        for i in range(1, len(run)):
            x = run[i]
            j = i - 1
            while j >= 0 and run[j] > x:
                run[j + 1] = run[j]
                j -= 1
            run[j + 1] = x
        runs.append(run)
    while len(runs) > 1:
        runs = [merged(a, b) for a, b in zip(runs[::2], runs[1::2] + [[]] * (len(runs) % 2))]
    return runs[0] if runs else []


def merged(left, right):
    result = []
    i = j = 0
    while i < len(left) and j < len(right):
        if right[j] < left[i]:
            result.append(right[j])
            j += 1
        else:
            result.append(left[i])
            i += 1
    result += left[i:]
    result += right[j:]
    return result


def quick(items):
    items = list(items)
    todo = [(0, len(items) - 1)]
    while todo:
        low, high = todo.pop()
        if low >= high:
            continue
        pivot = items[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while items[i] < pivot:
                i += 1
            while items[j] > pivot:
                j -= 1
            if i <= j:
                items[i], items[j] = items[j], items[i]
                i, j = i + 1, j - 1
        todo.append((low, j))
        todo.append((i, high))
    return items


def heap(items):
    items = list(items)

    def sift(root, end):
        while True:
            child = 2 * root + 1
            if child >= end:
                return
            if child + 1 < end and items[child] < items[child + 1]:
                child += 1
            if items[root] >= items[child]:
                return
            items[root], items[child] = items[child], items[root]
            root = child

    for root in reversed(range(len(items) // 2)):
        sift(root, len(items))
    for end in range(len(items) - 1, 0, -1):
        items[0], items[end] = items[end], items[0]
        sift(0, end)
    return items


def radix(items):
    for shift in (0, 8, 16):
        buckets = [[] for _ in range(256)]
        for x in items:
            buckets[x >> shift & 255].append(x)
        items = [x for bucket in buckets for x in bucket]
    return items


def shell(items):
    items = items[:]
    gap = len(items) // 2
    while gap:
        for i in range(gap, len(items)):
            x, j = items[i], i
            while j >= gap and items[j - gap] > x:
                items[j] = items[j - gap]
                j -= gap
            items[j] = x
        gap = 1 if gap == 2 else int(gap / 2.2)
    return items


def by_digits(a, b):
    first, second = a.size % 100, b.size % 100
    return (first > second) - (first < second)


def inversions(records):
    seen = []
    count = 0
    for place, record in enumerate(records[:200]):
        at = bisect.bisect_right(seen, record.size)
        count += place - at
        seen.insert(at, record.size)
    return count


items = numbers(2 * N, 7)
results = [sort(items) for sort in ($algorithms)]
assert all(result == sorted(items) for result in results)
records = [Record("r%d" % (x % 89), x % 11, x) for x in items]
total = 0
for key in ($keys,):
    records.sort(key=key, reverse=total % 2 == 1)
    total = (total * 31 + inversions(records) + records[0].size) % 1000003
print(len(results), total, results[0][0], results[-1][-1])
''')


def program(n):
    names = ["insertion", "quick", "heap", "radix", "shell"]
    orders = list(islice(permutations(names), 0, None, 7))
    keys = KEYS[: 1 + n.bit_length() // 3]
    return PROGRAM.substitute(n=n, algorithms=", ".join(orders[n % len(orders)]), keys=", ".join(keys))
