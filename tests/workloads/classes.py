"""Classes: inheritance, properties, descriptors, slots, special methods."""

import dataclasses


class Base:
    kind = "base"
    made = 0

    def __init__(self, value):
        self.value = value

    def describe(self):
        return self.kind, self.value

    @property
    def double(self):
        return self.value * 2

    @double.setter
    def double(self, value):
        self.value = value // 2

    @classmethod
    def make(cls, value):
        return cls(value)

    @staticmethod
    def helper(a, b):
        return a - b

    def __eq__(self, other):
        return isinstance(other, Base) and self.value == other.value

    def __lt__(self, other):
        return self.value < other.value

    def __hash__(self):
        return hash(self.value)

    def __repr__(self):
        return "<%s %r>" % (type(self).__name__, self.value)


class Left(Base):
    kind = "left"

    def describe(self):
        return ("left",) + super().describe()


class Right(Base):
    def describe(self):
        return ("right",) + super().describe()


class Both(Left, Right):
    def __init__(self, value, extra=None):
        super().__init__(value)
        self.extra = extra

    def describe(self):
        return ("both",) + super().describe() + (super(Left, self).kind,)


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def swap(self):
        self.x, self.y = self.y, self.x
        return self


class Typed:
    """A data descriptor."""

    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        return getattr(instance, self.name)

    def __set__(self, instance, value):
        if not isinstance(value, self.kind):
            raise TypeError(self.name)
        setattr(instance, self.name, value)


class Cached:
    """A descriptor without __set__: the instance's own value wins."""

    def __init__(self, function):
        self.function = function
        self.name = function.__name__

    def __get__(self, instance, owner):
        value = instance.__dict__[self.name] = self.function(instance)
        return value


class Record:
    name = Typed(str)
    age = Typed(int)

    def __init__(self, name, age):
        self.name = name
        self.age = age

    @Cached
    def label(self):
        return "%s:%d" % (self.name, self.age)


class Proxy:
    def __init__(self, target):
        self.__dict__["target"] = target

    def __getattr__(self, name):
        if name.startswith("no_"):
            raise AttributeError(name)
        return getattr(self.target, name)

    def __setattr__(self, name, value):
        setattr(self.target, name, value)


class Overridden:
    def __getattribute__(self, name):
        if name == "magic":
            return 42
        return object.__getattribute__(self, name)

    plain = 1


class Vector:
    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]

    def __contains__(self, item):
        return item in self.items

    def __add__(self, other):
        return Vector(*[a + b for a, b in zip(self, other)])

    def __radd__(self, other):
        return self if other == 0 else NotImplemented

    def __call__(self, factor):
        return Vector(*(i * factor for i in self.items))

    def __bool__(self):
        return any(self.items)

    def __iter__(self):
        return iter(self.items)

    def __setitem__(self, i, value):
        self.items = self.items[:i] + (value,) + self.items[i + 1 :]

    def __delitem__(self, i):
        self.items = self.items[:i] + self.items[i + 1 :]


class Made:
    def __new__(cls, value):
        self = super().__new__(cls)
        self.value = value
        return self


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tags: list = dataclasses.field(default_factory=list, compare=False)

    def __post_init__(self):
        self.tags.append(self.x)


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: int
    b: str = "b"


def build(n):
    """A class made while running, with a metaclass."""

    class Meta(type):
        def __call__(cls, *arguments):
            instance = super().__call__(*arguments)
            instance.index = n
            return instance

    class Built(Base, metaclass=Meta):
        size = n

        def total(self):
            return self.size + self.value + self.index

    return Built(n).total()


def work():
    log = []
    for i in range(30):
        for cls in (Base, Left, Right, Both):
            instance = cls.make(i)
            log.append(instance.describe())
            instance.double += 4
            log.append(instance.value)
        log.append(Base.helper(i, 1))
    items = [Base(i * 7 % 11) for i in range(20)]
    log.append([i.value for i in sorted(items)])
    log.append(len({Base(i % 5) for i in range(20)}))
    log.append(Base(1) == Base(1) and Base(1) != Base(2))
    log.append(repr(Left(3)))
    for i in range(20):
        s = Slotted(i, i + 1).swap()
        log.append(s.x - s.y)
    for i in range(20):
        r = Record("n", i)
        log.append((r.name, r.age, r.label, r.label))
    try:
        Record("n", "old")
    except TypeError:
        log.append("typed")
    proxy = Proxy(Base(1))
    for i in range(20):
        proxy.value = i
        log.append((proxy.value, proxy.double, hasattr(proxy, "no_such")))
    o = Overridden()
    for _ in range(20):
        log.append((o.magic, o.plain))
    total = sum([Vector(i, i + 1, i + 2) for i in range(20)], 0)
    total[1] = 5
    del total[0]
    log.append((len(total), total[0], 5 in total, list(total(2)), bool(Vector(0))))
    log.append([Made(i).value for i in range(20)])
    points = [Point(i % 4, -i) for i in range(12)]
    log.append([(p.x, p.y) for p in sorted(points)])
    log.append(Point(1) == Point(1))
    log.append(len({Frozen(i % 3) for i in range(9)}))
    try:
        Frozen(1).a = 2
    except dataclasses.FrozenInstanceError:
        log.append("frozen")
    log.append([build(i) for i in range(5)])
    return log
