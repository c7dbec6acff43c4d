"""One place in the code, many types: sites specialise, miss, and try again."""

from collections import deque


class Bag:
    def __init__(self):
        self.items = []

    def append(self, item):
        self.items.append(item)


class Chain:
    """Its append is a method of the same name that calls itself."""

    def __init__(self, depth=0):
        self.next = Chain(depth - 1) if depth else None
        self.items = []

    def append(self, item):
        self.items.append(item)
        if self.next is not None:
            self.next.append(item)


class Text:
    """Its __iadd__ does a string's += in its own body."""

    def __init__(self, text=""):
        self.text = text

    def __iadd__(self, other):
        text = self.text
        text += str(other)
        self.text = text
        return self

    def __add__(self, other):
        return Text(self.text + str(other))


class A:
    def __init__(self):
        self.x = 1
        self.y = 2

    def f(self):
        return self.x


class B:
    __slots__ = ("y", "x")

    def __init__(self):
        self.y = 3
        self.x = 4

    def f(self):
        return self.y


class C:
    x = 5

    @property
    def y(self):
        return 6

    @staticmethod
    def f():
        return 7


class D:
    def __getattr__(self, name):
        return (lambda: 8) if name == "f" else 9


class E:
    def __getitem__(self, key):
        return key

    def __setitem__(self, key, value):
        pass

    def __contains__(self, key):
        return True

    def __lt__(self, other):
        return True

    def __eq__(self, other):
        return True

    __hash__ = None

    def __call__(self, *arguments):
        return len(arguments)

    def __len__(self):
        return 3

    def __iter__(self):
        return iter((1, 2))


def append_to(container, item):
    container.append(item)


def appends(rounds):
    containers = [[], Bag(), deque(), [], Chain(3), bytearray(), [], []]
    for container in containers:
        for i in range(rounds):
            append_to(container, i)
    for i in range(rounds):
        for container in containers:
            container.append(i)
    return len(containers[0])


def append_value(container, item):
    # The result is used: no POP_TOP follows the call.
    got = container.append(item)
    return got


def append_or_call(f, x, l, choose):
    f(x) if choose else l.append(x)
    l.append(x) if choose else f(x)


def conditional_appends(rounds):
    l = []
    bag = Bag()
    for i in range(rounds):
        append_or_call(len, "abc", l, i % 2)
    for i in range(rounds):
        append_or_call(len, "abc", (l, bag)[i % 2], i % 3)
    for i in range(rounds):
        append_value((l, bag)[i // 7 % 2], i)
    return len(l)


def in_place(s, x):
    s += x
    return s


def in_place_loop(s, x, rounds):
    for _ in range(rounds):
        s += x
    return s


def in_places(rounds):
    results = []
    for s, x in (("", "ab"), (0, 3), (0.5, 0.25), ([], [1]), (Text(), "t"), ("", "c"), ((), (1,))):
        for _ in range(rounds):
            s = in_place(s, x)
        results.append(len(s.text) if isinstance(s, Text) else s)
        s = in_place_loop(s, x, rounds)
    for i in range(rounds):
        for s, x in (("a", "b"), (1, 2), ([], ["x"]), (Text("y"), "z"), ("c", "d")):
            s = in_place(s, x)
            s = in_place_loop(s, x, 3)
    return len(results)


def plus(a, b):
    return a + b


def times(a, b):
    return a * b


def minus(a, b):
    return a - b


def binary(rounds):
    total = 0
    pairs = (
        (1, 2),
        (1.5, 2.5),
        ("a", "b"),
        ([1], [2]),
        (1, 2.5),
        (2.5, 1),
        (10**30, 1),
        ((1,), (2,)),
        (Text("a"), "b"),
        (True, 2),
        (1j, 2),
    )
    for a, b in pairs:
        for _ in range(rounds):
            plus(a, b)
    for i in range(rounds):
        for a, b in pairs:
            plus(a, b)
            if i % 4 == 0 and not isinstance(a, (str, list, tuple, Text)):
                minus(a, b)
        total += times(i, 3)
        times(1.5, i)
        times(1.5, 2.5)
        times("ab", 3)
    return total


def load(instance):
    return instance.x, instance.y


def store(instance, value):
    instance.z = value


def call_method(instance):
    return instance.f()


def attributes(rounds):
    total = 0
    kinds = [A(), B(), C(), D()]
    for instance in kinds:
        for _ in range(rounds):
            total += sum(load(instance)) + call_method(instance)
    for i in range(rounds):
        for instance in kinds:
            total += sum(load(instance)) + call_method(instance)
            if not isinstance(instance, B):
                store(instance, i)
    changing = A()
    for i in range(rounds):
        load(changing)
        if i % 10 == 9:
            changing = A()
            changing.__dict__["w%d" % i] = i
        if i % 25 == 24:
            C.x = i
            load(kinds[2])
    C.x = 5
    return total


def less(a, b):
    if a < b:
        return 1
    return 0


def equal(a, b):
    while not a == b:
        return 0
    return 1


def is_in(a, b):
    return a in b


def compares(rounds):
    total = 0
    pairs = ((1, 2), (2, 1), (1.5, 2.5), ("a", "b"), (1, 2.5), (10**30, 1), (E(), E()), ([1], [2]))
    for a, b in pairs:
        for _ in range(rounds):
            total += less(a, b) + equal(a, b)
    for _ in range(rounds):
        for a, b in pairs:
            total += less(a, b) + equal(a, b)
        for container in ([1], (1,), {1}, {1: 1}, E(), range(3)):
            total += is_in(1, container)
    return total


def get(container, key):
    return container[key]


def put(container, key, value):
    container[key] = value


def subscripts(rounds):
    readable = ([5, 6], (5, 6), {0: 5}, "ab", E(), b"ab", range(5), {False: 1})
    writable = ([5, 6], {0: 5}, E(), bytearray(b"ab"))
    for container in readable:
        for _ in range(rounds):
            get(container, 0)
    for container in writable:
        for i in range(rounds):
            put(container, 0, i % 100)
    for i in range(rounds):
        for container in readable:
            get(container, 0)
        for container in writable:
            put(container, 0, i % 100)
        get([1, 2, 3], -1)
        get([1, 2, 3], slice(1))
    return len(readable)


def call(f, *arguments):
    return f(*arguments)


def call_one(f, x):
    return f(x)


def calls(rounds):
    class Local:
        def __init__(self, x=None):
            self.x = x

        def method(self, x):
            return x

        def __call__(self, x):
            return x

    def one(x):
        return x

    def defaulted(x, y="y"):
        return x + y

    def generator(x):
        yield x

    functions = (
        one,
        defaulted,
        len,
        Local,
        Local().method,
        Local(),
        str,
        lambda x: x,
        tuple,
        type,
        generator,
        E(),
        "abc".count,
        [].extend,
    )
    count = 0
    for f in functions:
        for _ in range(rounds):
            call_one(f, "a")
    for _ in range(rounds):
        for f in functions:
            r = call_one(f, "a")
            if f is generator:
                for x in r:
                    count += 1
            call(f, "b") if f is not generator else None
    for f in (generator, one):
        for i in range(rounds):
            for x in call_one(f, "c"):
                count += 1
    return count


def iterate(x):
    n = 0
    for _ in x:
        n += 1
    return n


def iterates(rounds):
    def generator():
        yield 1
        yield 2

    n = 0
    makers = (lambda: [1, 2], lambda: (1, 2), lambda: range(2), generator, E, lambda: {1: 2}, lambda: "ab")
    for make in makers:
        for _ in range(rounds):
            n += iterate(make())
    for _ in range(rounds):
        for make in makers:
            n += iterate(make())
    return n


def unpack(pair):
    a, b = pair
    return a, b


def truth(x):
    if x:
        return 1
    return 0 if not x else 2


def others(rounds):
    n = 0
    for pair in ((1, 2), [1, 2], "ab", E(), {1: 1, 2: 2}):
        for _ in range(rounds):
            unpack(pair)
    for _ in range(rounds):
        for pair in ((1, 2), [1, 2], "ab", E(), {1: 1, 2: 2}):
            unpack(pair)
    for _ in range(rounds):
        for x in (True, False, 1, 0, "", "a", None, [], [1], 0.0, E(), A()):
            n += truth(x)
    for x in (True, 0, "a", None, [1], 0.5, E(), A(), False):
        for _ in range(rounds):
            n += truth(x)
    return n


# In `work` a generator function is called by `calls` without a loop over what
# it returns. These are the objects that are never started, by rounds.
ROUNDS = 150
NEVER_STARTED = {"calls.<locals>.generator": ROUNDS}


def work():
    return (
        appends(ROUNDS),
        conditional_appends(ROUNDS),
        in_places(ROUNDS),
        binary(ROUNDS),
        attributes(ROUNDS),
        compares(ROUNDS),
        subscripts(ROUNDS),
        calls(ROUNDS),
        iterates(ROUNDS),
        others(ROUNDS),
    )
