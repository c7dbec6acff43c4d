"""Functions that call themselves and each other."""


def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def hanoi(n, source, target, spare, moves):
    if n == 0:
        return
    hanoi(n - 1, source, spare, target, moves)
    moves.append((source, target))
    hanoi(n - 1, spare, target, source, moves)


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def straight(n):
    # The last instruction of one call and the first of the next follow each
    # other closely here.
    if n:
        straight(n - 1)


def with_defaults(n, step=1, *rest, label="x", **options):
    if n <= 0:
        return len(rest) + len(options)
    return with_defaults(n - step, step, n, *rest[:3], label=label, **{label: n})


class Node:
    def __init__(self, depth):
        self.left = Node(depth - 1) if depth else None
        self.right = Node(depth - 1) if depth else None

    def size(self):
        if self.left is None:
            return 1
        return 1 + self.left.size() + self.right.size()


def by_map(n):
    return n if n < 2 else sum(map(by_map, (n - 1, n - 2)))


def to_the_limit():
    depth = 0

    def fall():
        nonlocal depth
        depth += 1
        if depth < 60:
            fall()
        else:
            raise RecursionError

    try:
        fall()
    except RecursionError:
        return depth


def work():
    moves = []
    hanoi(6, "a", "b", "c", moves)
    straight(100)
    return (
        fibonacci(15),
        ackermann(2, 6),
        len(moves),
        is_even(80),
        is_odd(81),
        with_defaults(20),
        Node(6).size(),
        by_map(10),
        to_the_limit(),
    )
