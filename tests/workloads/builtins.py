"""Functions, types and methods that are written in C, called in every way."""

import functools
import operator
import re
from collections import OrderedDict, defaultdict, namedtuple

Pair = namedtuple("Pair", "a b")


def key(item):
    return -item


def is_odd(x):
    return x % 2


def pairs():
    p = Pair(1, 2)
    a, b = p
    return p.a + b, p._replace(a=5).a, a


def functions(n):
    items = list(range(n))
    total = 0
    for x in items:
        total += len(items) + abs(-x) + ord("a")
        if isinstance(x, int) and not isinstance(x, (str, float)):
            total += 1
        if type(x) is int and callable(len) and hasattr(x, "real"):
            total += 1
        total += len(str(x)) + len(tuple("ab")) + int("7") + bool(x) + round(2.5)
        total += min(x, 3) + max(1, x, 2) + sum((x, 1), 2) + pow(2, 3, 5)
        total += divmod(x, 3)[1] + hash(x) + len(repr(x)) + len(bytes(2)) + len(hex(x))
        total += getattr(x, "nothing", 4) + next(iter([x])) + len([*zip(items, items)])
    return total


def with_functions(n):
    items = list(range(n))
    return (
        sorted(items, key=key),
        sorted(items, key=lambda x: (x % 3, x), reverse=True),
        list(map(key, items)),
        list(map(lambda a, b: a + b, items, items)),
        list(filter(is_odd, items)),
        max(items, key=lambda x: x % 5),
        functools.reduce(lambda a, b: a + b, items, 0),
        functools.partial(divmod, 7)(3),
        list(map(operator.itemgetter(0), zip(items))),
        sum(map(float, items)),
        sorted(items, key=functools.cmp_to_key(lambda a, b: b - a)),
        list(iter(lambda it=iter(items): next(it), 5)),
    )


@functools.lru_cache(maxsize=None)
def cached(n):
    return n if n < 2 else cached(n - 1) + cached(n - 2)


def regex():
    re.purge()
    text = "one two three four five six"
    return (
        re.sub(r"\w+", lambda m: m.group().upper(), text),
        re.sub(r"(t)(\w)", r"\2\1", text),
        re.findall(r"[aeiou]", text),
        [m.span() for m in re.finditer(r"f\w+", text)],
        re.split(r"\s+", text),
        bool(re.match(r"(?P<first>one|two)", text).group("first")),
    )


def list_methods(n):
    l = []
    for i in range(n):
        l.append(i)
    for i in range(n):
        if i % 2:
            l.append(i)
        else:
            l.append(l.pop())
    add = l.append
    for i in range(n):
        add(i)
    for i in range(n):
        list.append(l, i)
    l.extend(range(3))
    l.insert(0, 5)
    l.sort()
    l.sort(key=key, reverse=True)
    l.reverse()
    l.remove(5)
    return len(l), l.index(1), l.count(1), len(l.copy())


def conventions(n):
    """Method descriptors: no argument, one, several, with keywords, variable."""
    total = 0
    s = "a,b,c"
    d = {"k": 1}
    for i in range(n):
        total += len(s.upper())  # METH_NOARGS
        total += s.count("b")  # METH_VARARGS or FASTCALL
        total += len(s.join("xy"))  # METH_O
        total += len(s.split(","))  # METH_FASTCALL | METH_KEYWORDS
        total += len(s.split(sep=",", maxsplit=1))
        total += len(s.encode("ascii", errors="strict"))
        total += d.get("k") + d.get("z", 2)  # METH_FASTCALL
        total += len("{}{x}".format(i, x=1))  # METH_VARARGS | METH_KEYWORDS
        total += len(d.keys()) + len(d.copy())
        total += (5).bit_length() + int.from_bytes(b"ab", "big")
        total += len(str.upper("abc")) + len(dict.fromkeys("ab"))
        total += len(b"abc".hex()) + s.find("c", 1, 5)
        d.update(k=1)
        d.setdefault("k", 3)
        d.pop("none", None)
        total += len(list(s)) + len(dict(a=1)) + len(set(s)) + len(frozenset())
        total += complex(1, 2).real + float("1.5")
        total += len([1, 2, 3].__reversed__().__class__.__name__)
    return total


def collections_(n):
    d = defaultdict(list)
    o = OrderedDict()
    for i in range(n):
        d[i % 3].append(i)
        o[i] = i
        o.move_to_end(0)
    return len(d), o.popitem()


class Meta(type):
    def __instancecheck__(cls, instance):
        return instance == 3


class Three(metaclass=Meta):
    pass


def work():
    cached.cache_clear()
    log = [functions(20), with_functions(20), cached(30)]
    log.append(regex())
    log.append(list_methods(20))
    log.append(conventions(20))
    log.append(collections_(20))
    log.append([pairs() for _ in range(10)])
    log.append([isinstance(i, Three) for i in range(6)])
    return log
