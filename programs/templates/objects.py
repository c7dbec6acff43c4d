"""Objects: a warehouse of goods in classes, with inheritance, properties and operators. Grows as n.

There is a class for each kind of goods; a larger n has more kinds, and more orders.
"""

from string import Template

KIND = Template('''

class Kind$k($base):
    __slots__ = ()
    rate = $rate

    @property
    def weight(self):
        return self.amount * $weight + super().weight

    def price(self):
        return super().price() + self.amount * self.rate // 10

    def $verb(self, other):
        self.amount, other.amount = other.amount, self.amount
        return self''')

PROGRAM = Template('''\
N = $n


class Goods:
    __slots__ = ("name", "amount")
    rate = 7

    def __init__(self, name, amount):
        self.name = name
        self.amount = amount

    @property
    def weight(self):
        return self.amount

    def price(self):
        return self.amount * self.rate

    def __eq__(self, other):
        return type(self) is type(other) and self.amount == other.amount

    def __hash__(self):
        return self.amount

    def __lt__(self, other):
        return self.amount < other.amount

    def __add__(self, other):
        return type(self)(self.name, self.amount + other.amount)
$kinds


class Shelf:
    def __init__(self, number, room):
        self.number = number
        self.room = room
        self.goods = []
        self.moved = 0

    def __len__(self):
        return len(self.goods)

    def __iter__(self):
        return iter(self.goods)

    def __contains__(self, goods):
        return any(held == goods for held in self.goods)

    def put(self, goods):
        if len(self) == self.room:
            self.goods.pop(0)
            self.moved += 1
        self.goods.append(goods)

    @property
    def value(self):
        return sum(goods.price() for goods in self)


class Warehouse:
    kinds = [$names]

    def __init__(self, shelves):
        self.shelves = [Shelf(i, 4 + i % 3) for i in range(shelves)]
        self.log = Log()

    def order(self, i):
        kind = self.kinds[i % len(self.kinds)]
        goods = kind("g%d" % (i % 10), i * 31 % 97)
        shelf = self.shelves[i % len(self.shelves)]
        if goods in shelf:
            self.log.note("double", goods)
            goods = goods + goods
        shelf.put(goods)
        last = shelf.goods[-1]
        if len(shelf) > 1 and last < shelf.goods[0]:
            self.swap(shelf.goods[0], last)
        return goods.weight

    @staticmethod
    def swap(first, second):
        for verb in ("trade", "change"):
            if hasattr(first, verb):
                return getattr(first, verb)(second)
        return first


class Log:
    def __init__(self):
        self.entries = {}

    def note(self, what, goods):
        self.entries[what, goods.name] = self.entries.get((what, goods.name), 0) + 1

    def __call__(self):
        return sum(self.entries.values())


warehouse = Warehouse(5)
weight = sum(warehouse.order(i) for i in range(20 * N))
value = sum(shelf.value for shelf in warehouse.shelves)
print(weight, value, warehouse.log(), sum(shelf.moved for shelf in warehouse.shelves))
''')


def program(n):
    kinds = 2 + n.bit_length()
    text = ""
    for k in range(kinds):
        # Chains of four classes.
        base = "Goods" if k % 4 == 0 else "Kind%d" % (k - 1)
        verb = ("trade", "change")[k // 4 % 2]
        text += KIND.substitute(k=k, base=base, rate=3 + k * 5 % 11, weight=1 + k % 3, verb=verb)
    names = ", ".join("Kind%d" % k for k in range(kinds))
    return PROGRAM.substitute(n=n, kinds=text, names=names)
