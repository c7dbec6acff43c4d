"""Pancake flips over all permutations, in one fixed order."""

import sys


def flips(permutation):
    """How many reversals until the first element is 0."""
    p = permutation[:]
    count = 0
    first = p[0]
    while first:
        p[: first + 1] = p[first::-1]
        count += 1
        first = p[0]
    return count


def run(n):
    permutation = list(range(n))
    # turns[i] counts how often the first i + 1 elements were rotated.
    turns = [0] * n
    checksum = most = 0
    sign = 1
    while True:
        if permutation[0]:
            count = flips(permutation)
            if count > most:
                most = count
            checksum += sign * count
        sign = -sign
        i = 1
        while i < n:
            permutation.insert(i, permutation.pop(0))
            turns[i] += 1
            if turns[i] <= i:
                break
            turns[i] = 0
            i += 1
        else:
            return checksum, most


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    for _ in range(3):
        print("%d: checksum %d, most flips %d" % ((n,) + run(n)))


if __name__ == "__main__":
    main()
