"""Loops over everything, nested, left early, and run to the end."""


def counts(n):
    i = total = 0
    while i < n:
        i += 1
        if i % 3 == 0:
            continue
        if i > n - 2:
            break
        j = i
        while j > 0:
            j -= 2
            if j == 5:
                break
            total += 1
        else:
            total += 10
    else:
        total = -total
    return total


def over(sequence):
    n = 0
    for x in sequence:
        if x == "skip":
            continue
        n += 1
    else:
        n += 100
    return n


def break_out(rows, wanted):
    for i, row in enumerate(rows):
        for j, x in enumerate(row):
            if x == wanted:
                break
        else:
            continue
        return i, j
    return None


class Countdown:
    def __init__(self, n):
        self.n = n

    def __bool__(self):
        self.n -= 1
        return self.n >= 0

    def __iter__(self):
        return self

    def __next__(self):
        if not self:
            raise StopIteration
        return self.n


class Done(Exception):
    pass


def tight(n):
    """A loop with next to nothing in it."""
    c = Countdown(n)
    while c:
        pass
    return c.n


def forever(n):
    """A loop that only an exception ends."""
    step = iter(range(n)).__next__
    try:
        while True:
            step()
    except StopIteration:
        return n


def forever_raise(n):
    c = Countdown(n)

    def check():
        if not c:
            raise Done

    try:
        while 1:
            check()
    except Done:
        return c.n


def empty_for(n):
    for _ in range(n):
        pass
    for _ in []:
        pass
    for _ in ():
        return 0
    return n


def squares(n):
    for i in range(n):
        yield i * i


def triangle(n):
    total = 0
    for i in range(n):
        for j in range(i):
            for k in (i, j):
                if k % 2:
                    total += k
                elif k > 5:
                    total -= 1
    return total


def primes(n):
    sieve = [True] * n
    for i in range(2, n):
        if not sieve[i]:
            continue
        for j in range(i * i, n, i):
            sieve[j] = False
    return sum(sieve) - 2


def mutate(n):
    d = {i: i for i in range(n)}
    items = []
    for k, v in d.items():
        items.append(k * v)
    for k in list(d):
        if k % 2:
            del d[k]
    while items:
        items.pop()
        if len(items) < 3 and d:
            break
    return len(d)


def tests(n):
    hits = 0
    for i in range(n):
        if i > 3 and i < 10 or i == 20:
            hits += 1
        if not (i % 2 or i % 3):
            hits += 1
        if i is not None and hits is not None:
            hits += 1
        if i in (3, 5, 7) and i not in {5}:
            hits += 1
        x = None if i % 4 else i
        if x is None:
            continue
        hits += x
    return hits


def work():
    rows = [[i * j for j in range(8)] for i in range(8)]
    log = [counts(40), counts(0)]
    sources = (
        [1, "skip", 3],
        (1, 2, "skip"),
        range(10),
        {"skip": 1, "b": 2},
        "abc",
        b"abc",
        {5: 1}.items(),
        enumerate("ab"),
        zip((1, 2), "ab"),
        reversed([1, 2]),
    )
    for _ in range(5):
        for source in sources[:-3]:
            log.append(over(source))
        log.append(over(squares(10)))
        log.append(over(Countdown(6)))
        log.append(over(map(abs, (-1, -2))))
    for source in sources[-3:]:
        log.append(over(source))
    log.append([break_out(rows, w) for w in (0, 6, 49, 50)])
    log.append(tight(200))
    log.append(forever(200))
    log.append(forever_raise(100))
    log.append(empty_for(50))
    log.append(triangle(20))
    log.append(primes(200))
    log.append(mutate(20))
    log.append(tests(40))
    return log
