"""Closures: functions made by functions, decorators, parsers from combinators, partial application. Grows as n log n.

The functions that are composed are part of the program; a larger n has more of them.
"""

from string import Template

MAKERS = [
    "adder(%d)",
    "scaled(%d)",
    "counted(%d)",
    "compose(adder(%d), scaled(3))",
    "functools.partial(mixed, %d)",
    "memoised(scaled(%d))",
    "flipped(mixed)(%d)",
    "switch(%d, adder(1), scaled(2))",
]

PROGRAM = Template('''\
import functools

N = $n


def adder(amount):
    return lambda x: x + amount


def scaled(factor):
    def scale(x):
        return x * factor % 10007

    return scale


def counted(limit):
    calls = 0

    def count(x):
        nonlocal calls
        calls += 1
        if calls > limit:
            calls = 0
        return x ^ calls

    return count


def compose(*functions):
    def composed(x):
        for function in functions:
            x = function(x)
        return x

    return composed


def memoised(function):
    known = {}

    @functools.wraps(function)
    def remembering(x):
        if x not in known:
            known[x] = function(x)
            if len(known) > 100:
                known.clear()
        return known.get(x, x)

    return remembering


def flipped(function):
    return lambda a: lambda b: function(b, a)


def switch(modulus, *functions):
    return lambda x: functions[x % modulus % len(functions)](x)


def mixed(a, b, *, sign=1, **rest):
    return (a * 3 + sign * b + len(rest)) % 10007


def traced(log):
    def decorator(function):
        def wrapper(*args, **options):
            log[function.__name__] = log.get(function.__name__, 0) + 1
            return function(*args, **options)

        return wrapper

    return decorator


def account(balance):
    """An object of closures."""

    def pay(amount):
        nonlocal balance
        balance += amount
        return balance

    def draw(amount):
        nonlocal balance
        if amount <= balance:
            balance -= amount
        return balance

    return {"pay": pay, "draw": draw, "balance": lambda: balance}


# Parsers of arithmetic: functions from a place in the text to a value and the place after it, or None.
def char(wanted):
    return lambda text, at: (text[at], at + 1) if at < len(text) and text[at] in wanted else None


def many(parser):
    def parse(text, at):
        values = []
        while True:
            found = parser(text, at)
            if found is None:
                return values, at
            value, at = found
            values.append(value)

    return parse


def sequence(*parsers):
    def parse(text, at):
        values = []
        for parser in parsers:
            found = parser(text, at)
            if found is None:
                return None
            value, at = found
            values.append(value)
        return values, at

    return parse


def either(*parsers):
    def parse(text, at):
        for parser in parsers:
            found = parser(text, at)
            if found is not None:
                return found
        return None

    return parse


def mapped(parser, function):
    def parse(text, at):
        found = parser(text, at)
        return None if found is None else (function(found[0]), found[1])

    return parse


def later(get):
    return lambda text, at: get()(text, at)


def folded(values):
    total, rest = values
    for operator, value in rest:
        total = total * value % 10007 if operator == "*" else total + value
    return total


digits = sequence(char("0123456789"), many(char("0123456789")))
number = mapped(digits, lambda found: int(found[0] + "".join(found[1])))
inner = sequence(char("("), later(lambda: total), char(")"))
factor = either(number, mapped(inner, lambda found: found[1]))
term = mapped(sequence(factor, many(sequence(char("*"), factor))), folded)
total = mapped(sequence(term, many(sequence(char("+"), term))), folded)

log = {}
functions = [
    $makers
]
pipe = traced(log)(compose(*functions))
value = 1
for x in range(8 * N):
    value = (value + pipe(x)) % 1000003
books = [account(i) for i in range(5)]
for i in range(5 * N):
    book = books[i % 5]
    book["pay" if i % 3 else "draw"](i % 20)
evaluated = traced(log)(total)
sums = 0
for i in range(N):
    sums += evaluated("%d*(%d+3)+(2+%d*(1+%d))" % (i % 9, i % 50, i % 7, i), 0)[0]
thunks = [lambda i=i: i * value for i in range(N)]
forced = functools.reduce(lambda total, thunk: (total + thunk()) % 1000003, thunks, 0)
print(value, sum(book["balance"]() for book in books), sums, forced, sorted(log.values()))
''')


def program(n):
    count = 2 + n.bit_length()
    makers = [MAKERS[(n + i) % len(MAKERS)] % (2 + i) for i in range(count)]
    return PROGRAM.substitute(n=n, makers="\n    ".join(maker + "," for maker in makers))
