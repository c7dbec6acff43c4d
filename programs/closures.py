"""Functions made by functions: counters, composition, memoising, parsers."""

import functools
import sys


def counter(start=0):
    count = start

    def up(by=1):
        nonlocal count
        count += by
        return count

    def value():
        return count

    return up, value


def compose(*functions):
    def composed(x):
        for f in functions:
            x = f(x)
        return x

    return composed


def adder(n):
    return lambda x: x + n


def memoise(function):
    cache = {}

    @functools.wraps(function)
    def wrapper(*key):
        try:
            return cache[key]
        except KeyError:
            result = cache[key] = function(*key)
            return result

    return wrapper


def times(n):
    """A decorator with an argument."""

    def decorate(function):
        def repeated(*arguments, **options):
            for _ in range(n):
                result = function(*arguments, **options)
            return result

        return repeated

    return decorate


@memoise
def paths(rows, columns):
    if rows == 0 or columns == 0:
        return 1
    return paths(rows - 1, columns) + paths(rows, columns - 1)


@times(3)
def scaled(x, factor=2):
    return x * factor


# Parsers: a function from text and place to (value, place) or None.


def char(accept):
    def parse(text, at):
        if at < len(text) and text[at] in accept:
            return text[at], at + 1
        return None

    return parse


def many(parser):
    def parse(text, at):
        values = []
        while True:
            got = parser(text, at)
            if got is None:
                return values, at
            value, at = got
            values.append(value)

    return parse


def sequence(*parsers):
    def parse(text, at):
        values = []
        for parser in parsers:
            got = parser(text, at)
            if got is None:
                return None
            value, at = got
            values.append(value)
        return values, at

    return parse


def either(*parsers):
    def parse(text, at):
        for parser in parsers:
            got = parser(text, at)
            if got is not None:
                return got
        return None

    return parse


def apply(parser, function):
    def parse(text, at):
        got = parser(text, at)
        return got and (function(got[0]), got[1])

    return parse


def later(find):
    return lambda text, at: find()(text, at)


def fold(parts):
    total = parts[0]
    for operator, value in parts[1]:
        if operator == "+":
            total += value
        elif operator == "-":
            total -= value
        else:
            total = total * value % 1000003
    return total


digit = char("0123456789")
number = apply(sequence(digit, many(digit)), lambda p: int(p[0] + "".join(p[1])))
group = apply(sequence(char("("), later(lambda: expression), char(")")), lambda p: p[1])
factor = either(number, group)
term = apply(sequence(factor, many(sequence(char("*"), factor))), fold)
expression = apply(sequence(term, many(sequence(char("+-"), term))), fold)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 800000
    up, value = counter()
    for i in range(n):
        up()
        up(by=2)
    print(value())
    pipeline = compose(*[adder(i) for i in range(10)])
    print(sum(pipeline(i) for i in range(n // 3)))
    print(paths(40, 40))
    print(sum(scaled(i, factor=i % 3) for i in range(n)))
    text = "+".join("(%d*%d-%d)*(2+%d)" % (i, i + 1, i * 2, i) for i in range(n // 120))
    print(expression(text, 0))
    makers = [lambda k=i: (lambda: k * 2) for i in range(100)]
    print(sum(make()() for _ in range(n // 200) for make in makers))


if __name__ == "__main__":
    main()
