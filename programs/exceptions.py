"""Exceptions raised, caught, chained and cleaned up after, near and far."""

import sys


class Problem(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Worse(Problem):
    pass


class Guard:
    entered = left = 0

    def __enter__(self):
        Guard.entered += 1
        return self

    def __exit__(self, kind, error, traceback):
        Guard.left += 1
        return kind is Problem


def check(n):
    if n % 7 == 0:
        raise Worse(n)
    if n % 3 == 0:
        raise Problem(n)
    if n % 5 == 0:
        raise KeyError(n)
    return n


def deep(depth, n):
    try:
        if depth == 0:
            return check(n)
        return deep(depth - 1, n)
    finally:
        n += 1


def one(n):
    try:
        return check(n)
    except Worse as error:
        return -error.code
    except Problem:
        return 1
    except (KeyError, IndexError):
        return 2
    finally:
        Guard.entered += 0


def chained(n):
    try:
        try:
            return int("x%d" % n)
        except ValueError as error:
            raise Problem(n) from error
    except Problem as error:
        return len(str(error.__cause__))


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 750000
    total = 0
    for i in range(n):
        total += one(i)
    caught = 0
    for i in range(n // 10):
        try:
            deep(8, i)
        except Problem:
            caught += 1
        except KeyError:
            caught += 10
        else:
            caught += 100
    for i in range(n // 2):
        with Guard():
            if i % 4 == 0:
                raise Problem(i)
    missing = 0
    items = {}
    for i in range(n):
        try:
            items[i % 1000] += 1
        except KeyError:
            items[i % 1000] = 1
            missing += 1
    for i in range(n // 10):
        total += chained(i)
    print(total, caught, Guard.entered, Guard.left, missing)


if __name__ == "__main__":
    main()
