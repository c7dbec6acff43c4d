"""Assignments that take things apart and calls that put them together."""


def swap(n):
    a, b, c = 1, 2, 3
    for _ in range(n):
        a, b = b, a
        a, b, c = c, a, b
        [a, b] = [b, a]
    return a, b, c


def starred(items):
    first, *rest = items
    *most, last = items
    one, *middle, two = items
    (a, *b), *c = [items, items]
    return first, len(rest), len(most), last, one, middle, two, a, b, len(c)


def nested(n):
    total = 0
    for i, (a, (b, *c)) in enumerate([(k, (k + 1, k, k)) for k in range(n)]):
        total += i + a + b + len(c)
    return total


def displays(a, b, d):
    return (*a, *b), [*a, 0, *b], {*a, *b}, {**d, "z": 1, **d}


def arguments(*args, key=0, **options):
    return len(args), key, sorted(options)


def calls(a, d):
    return (
        arguments(*a),
        arguments(*a, *a),
        arguments(1, *a, 2, key=3),
        arguments(**d),
        arguments(1, *a, **d, q=4),
        arguments(*a, **d, **{"r": 5}),
    )


def augmented():
    data = [0, [1], {"k": 2}]
    data[0] += 1
    data[1] += [2]
    data[2]["k"] *= 3
    data[0], data[1][0] = data[1][0], data[0]
    data[1][0:1] = [7, 8]
    del data[1][1], data[2]["k"]
    return data


def chained(n):
    a = b = c = [n]
    x, y = z = n, n + 1
    return a is b is c, x < y <= n + 1 < 100, z


def wrong():
    caught = 0
    for value in ((1, 2, 3), (1,), 5, [1], "abc"):
        try:
            a, b = value
        except (ValueError, TypeError):
            caught += 1
    return caught


def work():
    items = list(range(8))
    d = {"a": 1, "b": 2}
    log = []
    for _ in range(20):
        log.append(swap(10))
        log.append(starred(items))
        log.append(starred("string"))
        log.append(nested(6))
        log.append(len(displays(items, (1, 2), d)))
        log.append(calls(items, d))
        log.append(augmented())
        log.append(chained(3))
        log.append(wrong())
    return log
