"""Sorting algorithms written out, and the library's with keys."""

import functools
import sys


def numbers(n):
    seed = 42
    result = []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2 ** 31
        result.append(seed >> 10)
    return result


def insertion(items):
    for i in range(1, len(items)):
        x = items[i]
        j = i - 1
        while j >= 0 and items[j] > x:
            items[j + 1] = items[j]
            j -= 1
        items[j + 1] = x


def quick(items, low=0, high=None):
    if high is None:
        high = len(items) - 1
    while low < high:
        pivot = items[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while items[i] < pivot:
                i += 1
            while items[j] > pivot:
                j -= 1
            if i <= j:
                items[i], items[j] = items[j], items[i]
                i += 1
                j -= 1
        if j - low < high - i:
            quick(items, low, j)
            low = i
        else:
            quick(items, i, high)
            high = j


def merge(items):
    if len(items) < 2:
        return items
    middle = len(items) // 2
    left, right = merge(items[:middle]), merge(items[middle:])
    result = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            result.append(left[i])
            i += 1
        else:
            result.append(right[j])
            j += 1
    return result + left[i:] + right[j:]


def heap(items):
    def sink(root, end):
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

    for root in range(len(items) // 2 - 1, -1, -1):
        sink(root, len(items))
    for end in range(len(items) - 1, 0, -1):
        items[0], items[end] = items[end], items[0]
        sink(0, end)


def radix(items):
    shift = 0
    while any(x >> shift for x in items):
        buckets = [[] for _ in range(256)]
        for x in items:
            buckets[x >> shift & 255].append(x)
        items = [x for bucket in buckets for x in bucket]
        shift += 8
    return items


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 90000
    source = numbers(n)
    expected = sorted(source)
    for sort in (quick, heap):
        items = source[:]
        sort(items)
        assert items == expected, sort.__name__
    assert merge(source) == expected
    assert radix(source) == expected
    small = source[: n // 25]
    insertion(small)
    assert small == sorted(source[: n // 25])
    by_digits = sorted(source, key=lambda x: (x % 10, -x))
    by_text = sorted(source, key=str)
    by_comparison = sorted(source, key=functools.cmp_to_key(lambda a, b: b % 1000 - a % 1000))
    print(expected[0], expected[n // 2], expected[-1])
    print(by_digits[:3], by_text[:3], by_comparison[:3])


if __name__ == "__main__":
    main()
