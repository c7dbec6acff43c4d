"""Trees walked, numbers sieved and streams joined by generators."""

import sys


class Tree:
    def __init__(self, left, value, right):
        self.left = left
        self.value = value
        self.right = right

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def balanced(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Tree(balanced(low, middle), middle, balanced(middle + 1, high))


def numbers(start):
    while True:
        yield start
        start += 1


def without_multiples(source, prime):
    for n in source:
        if n % prime:
            yield n


def primes():
    source = numbers(2)
    while True:
        prime = next(source)
        yield prime
        source = without_multiples(source, prime)


def take(n, source):
    for _ in range(n):
        yield next(source)


def merge(a, b):
    x, y = next(a, None), next(b, None)
    while x is not None and y is not None:
        if x <= y:
            yield x
            x = next(a, None)
        else:
            yield y
            y = next(b, None)
    while x is not None:
        yield x
        x = next(a, None)
    while y is not None:
        yield y
        y = next(b, None)


def averages():
    """A coroutine: sent numbers, it answers with the mean so far."""
    total = count = 0
    mean = None
    while True:
        total += yield mean
        count += 1
        mean = total / count


def permutations(items):
    if len(items) <= 1:
        yield items
        return
    for i in range(len(items)):
        for rest in permutations(items[:i] + items[i + 1 :]):
            yield [items[i]] + rest


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 230000
    tree = balanced(0, n)
    print(sum(tree), sum(x * y for x, y in zip(tree, tree)))
    print(max(take(n // 400 + 1, primes())))
    evens = (2 * i for i in range(4 * n))
    triples = (3 * i for i in range(4 * n))
    print(sum(x for x in merge(evens, triples) if x % 5 == 0))
    mean = averages()
    next(mean)
    for i in range(4 * n):
        last = mean.send(i)
    print(last)
    print(sum(p[0] * p[-1] for p in permutations(list(range(7)))))


if __name__ == "__main__":
    main()
