"""Functions that call themselves: Fibonacci, Ackermann, Hanoi, queens."""

import sys

sys.setrecursionlimit(5000)


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def hanoi(n, source, target, spare):
    if n == 0:
        return 0
    moves = hanoi(n - 1, source, spare, target)
    return moves + 1 + hanoi(n - 1, spare, target, source)


def queens(n, row=0, columns=0, down=0, up=0):
    if row == n:
        return 1
    found = 0
    free = ~(columns | down | up) & ((1 << n) - 1)
    while free:
        bit = free & -free
        free ^= bit
        found += queens(n, row + 1, columns | bit, (down | bit) << 1, (up | bit) >> 1)
    return found


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    print("fibonacci", fibonacci(n))
    print("ackermann", ackermann(2, 12 * n))
    print("hanoi", hanoi(max(n - 9, 0), "a", "b", "c"))
    print("queens", queens(n // 3))


if __name__ == "__main__":
    main()
