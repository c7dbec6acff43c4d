"""Comprehensions of every kind, nested and with conditions."""


def squares(n):
    return [i * i for i in range(n)]


def matrix(n):
    return [[i * j for j in range(n)] for i in range(n)]


def flat(rows):
    return [x for row in rows for x in row if x % 2 if x > 3]


def sets(n):
    return {i % 7 for i in range(n)}


def dicts(n):
    return {i: {j: i + j for j in range(3)} for i in range(n) if i % 2}


def closures(n):
    return [f() for f in [lambda: i for i in range(n)]]


def captures(n):
    base = n * 2
    return [base + i for i in range(n)], {base - i: (lambda k=i: base + k)() for i in range(n)}


def walrus(n):
    return [y for i in range(n) if (y := i * 3) % 2], y


def unpacks(n):
    pairs = [(i, (i + 1, i + 2)) for i in range(n)]
    return [a + b * c for a, (b, c) in pairs], [x for x, *_ in pairs]


def conditional(n):
    return ["even" if i % 2 == 0 else "odd" for i in range(n)]


def raises(n):
    try:
        return [10 // (n - i) for i in range(n + 1)]
    except ZeroDivisionError:
        return None


class Body:
    limit = 5
    table = [i for i in range(limit)]


def in_class(n):
    class Local:
        rows = [i + 1 for i in range(n)]
        names = {str(i) for i in rows}

    return Local.rows, len(Local.names)


def work():
    rows = matrix(12)
    return [
        squares(50),
        rows,
        flat(rows),
        sorted(sets(40)),
        dicts(12),
        closures(10),
        captures(12),
        walrus(12),
        unpacks(12),
        conditional(12),
        raises(6),
        in_class(6),
        [squares(i) for i in range(10)],
    ]
