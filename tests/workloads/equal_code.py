"""Functions whose bytecode is byte by byte the same, and are not the same.

They differ in constants, names and lines only. CPython 3.10 keeps one bytes
object for them all, and copies that replace() and FunctionType make share
their original's up to 3.10.
"""

import types


def one(x):
    y = x + 1
    return y if y < 1000 else 0


def two(x):
    y = x + 2
    return y if y < 2000 else 0


def three(x):

    y = (
        x + 3
    )
    return y if y < 3000 else 0


def down(n):
    return across(n - 1) + 1 if n > 0 else 0


def across(n):
    return upward(n - 1) + 2 if n > 0 else 0


def upward(n):
    return down(n - 1) + 3 if n > 0 else 0


def ones(n):
    for i in range(n):
        yield i + 1


def tens(n):
    for i in range(n):
        yield i + 10


def hundreds(n):
    for i in range(n):

        yield i + 100


class First:
    size = 1

    def get(self):
        return self.size

    def make(self):
        return [i + 1 for i in range(self.size)]


class Second:
    size = 2

    def get(self):
        return self.size

    def make(self):
        return [i + 2 for i in range(self.size)]


async def wait_one(n):
    total = 1
    for _ in range(n):
        total += await Value(n)
    return total


async def wait_two(n):
    total = 2
    for _ in range(n):
        total += await Value(n)
    return total


class Value:
    def __init__(self, n):
        self.n = n

    def __await__(self):
        return (yield self.n)


def raising_one(n):
    try:
        return 10 // n
    except ZeroDivisionError:
        return raising_two(n + 1)


def raising_two(n):
    try:
        return 20 // n
    except ZeroDivisionError:
        return raising_one(n + 1)


SOURCE = """
def same(x):
    z = x * {0}
    return z - {0}
"""


def interleaved():
    """Generators with one bytecode between them, one step each in turn."""
    waiting = [ones(12), tens(9), hundreds(10), ones(3), tens(14)]
    total = 0
    while waiting:
        generator = waiting.pop(0)
        for value in generator:
            total += value
            waiting.append(generator)
            break
    return total


def coroutines():
    waiting = [(wait_one(5), None), (wait_two(4), None), (wait_one(2), None)]
    results = []
    while waiting:
        coroutine, value = waiting.pop(0)
        try:
            waiting.append((coroutine, coroutine.send(value)))
        except StopIteration as stop:
            results.append(stop.value)
    return results


def copies():
    """Copies made before their original has run, and after, and of copies."""
    namespace = {}
    exec(SOURCE.format(3), namespace)
    original = namespace["same"]
    before = types.FunctionType(replaced(original, "before", 100), {})
    results = [before(i) for i in range(20)]
    results += [original(i) for i in range(20)]
    after = types.FunctionType(replaced(original, "after", 200), {})
    again = types.FunctionType(replaced(after, "again", 300), {})
    shared = types.FunctionType(original.__code__, {})
    for i in range(30):
        results.append(after(i) + again(i) + shared(i) + original(i))
    # The copies outlive their original.
    del namespace, original, shared
    results += [again(i) + before(i) for i in range(10)]
    del after, before
    results += [again(i) for i in range(10)]
    return sum(results)


def replaced(function, name, line):
    code = function.__code__
    consts = tuple(c + 1 if isinstance(c, int) else c for c in code.co_consts)
    return code.replace(co_name=name, co_firstlineno=line, co_consts=consts)


def swapped():
    """Functions that change their code while they are used."""

    def f(x):
        return x + 1

    def g(x):
        return x + 2

    results = []
    for i in range(40):
        results.append(f(i) - g(i))
        if i % 5 == 0:
            f.__code__, g.__code__ = g.__code__, f.__code__
    return sum(results)


def dying():
    """Copies of one code object, made and dropped."""
    total = 0
    for i in range(500):
        function = types.FunctionType(replaced(one, "copy", 400 + i % 3), {})
        total += function(i)
    return total


def many():
    """Sources that compile to the same bytecode, each with lines of its own."""
    kept = []
    for i in range(60):
        namespace = {}
        exec("\n" * i + SOURCE.format(i + 300), namespace)
        kept.append(namespace["same"])
    return sum(function(i) for i in range(5) for function in kept)


def work():
    total = 0
    for i in range(60):
        total += one(i) + two(i) + three(i)
    for i in range(20):
        total += down(i) + across(i) + upward(i)
    total += sum(a + b + c for a, b, c in zip(ones(20), tens(20), hundreds(20)))
    for cls in (First, Second) * 10:
        total += cls().get() + sum(cls().make())
    for i in range(-3, 4):
        total += raising_one(i) + raising_two(i)
    return total, interleaved(), coroutines(), copies(), swapped(), dying(), many()
