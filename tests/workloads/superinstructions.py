"""Neighbouring instructions that some versions execute as one."""


def fast_fast(a, b, c, d):
    e = a + b
    f = c + d
    g = (a, b, c, d)
    h = [e, f, a, b]
    return a * b + c * d + e * f + len(g) + len(h)


def store_load(a):
    b = a
    c = b
    d = c
    b, c = d, b
    c = a
    return b + c + d


def store_store(pair):
    a, b = pair
    (c, d), e = (a, b), a
    return a + b + c + d + e


def constants(a):
    b = a + 1
    c = 2
    d = b + 3
    return (b, 4), (c, 5), d * 6 - 7


def compare_int(n):
    low = high = same = 0
    for i in range(n):
        if i < 5:
            low += 1
        if not i < 5:
            high += 1
        if i == 7:
            same += 1
        if i != 7:
            same += 1
        if not i >= 9:
            low += 1
        elif i <= 12:
            high += 1
    return low, high, same


def compare_float(n):
    x = 0.0
    hits = 0
    while x < n:
        x += 0.5
        if x > 3.5:
            hits += 1
        if not x == 4.5:
            hits += 2
        if x != x:
            hits += 1000
    return hits


def compare_str(words):
    hits = 0
    for w in words:
        if w == "b":
            hits += 1
        if w != "c":
            hits += 10
        if not w == "d":
            hits += 100
        if w < "c":
            hits += 1000
    return hits


def compare_any(pairs):
    hits = 0
    for a, b in pairs:
        if a == b:
            hits += 1
        if a != b:
            hits += 10
        if not (a == b):
            hits += 100
    return hits


def backward(n):
    """Conditional jumps that go backward."""
    i = 0
    while True:
        i += 1
        if i < n:
            continue
        break
    j = n
    while j > 0:
        j -= 1
    k = 0.0
    while not k >= n:
        k += 1.0
    s = ""
    while s != "aaaa":
        s = s + "a"
    while s == "aaaa":
        s = s[1:]
    t = n
    while t:
        t -= 1
    while not t:
        t = n
    u = None
    while u is None:
        u = t
    while u is not None:
        u = None
    return i, j, k, s, t


def values(n):
    """Comparisons whose result is kept, not jumped on."""
    log = []
    for i in range(n):
        a = i < 3
        b = i == 3.0
        c = "a" == "b" if i else "a" < "b"
        log.append(a and b or c)
        log.append(1 < i < 5)
        log.append(not i)
    return log


def in_expressions(n):
    return [
        ("low" if i < 2 else "mid" if i < 4 else "high", i > 2 and i < 6, i == 1 or i == 3)
        for i in range(n)
    ]


def unpredictable(n):
    seed = 12345
    taken = 0
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2147483648
        if seed % 3 == 0:
            taken += 1
        elif seed > 1073741824:
            taken += 2
        if seed & 64:
            taken -= 1
    return taken


def large(n):
    """Integers too large for the fast comparison, now and then."""
    hits = 0
    for i in range(n):
        x = i if i % 5 else 10**20
        if x < 10:
            hits += 1
        if x == 3:
            hits += 1
        if x > 10**19:
            hits += 1
    return hits


def work():
    log = []
    for i in range(30):
        log.append(fast_fast(i, 2, 3, 4))
        log.append(store_load(i))
        log.append(store_store((i, 1)))
        log.append(constants(i))
    log.append(compare_int(30))
    log.append(compare_float(20))
    log.append(compare_str("abcdabcd" * 4))
    for _ in range(3):
        log.append(compare_any([(1, 1), (1.0, 2.0), ("a", "a"), (1, 1.0), ([], []), (None, 0)] * 10))
        log.append(compare_any([(1, 1)] * 40))
        log.append(compare_any([("a", "b")] * 40))
        log.append(compare_any([(0.5, 0.5)] * 40))
    log.append(backward(30))
    log.append(values(20))
    log.append(in_expressions(20))
    log.append(unpredictable(200))
    log.append(large(60))
    return log
