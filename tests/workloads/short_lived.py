"""Ten thousand functions that live for one call."""


def by_exec(n):
    total = 0
    for i in range(n):
        namespace = {}
        exec("def f(x):\n    return x + %d\n" % (i % 50), namespace)
        total += namespace["f"](i)
    return total


def by_eval(n):
    total = 0
    for i in range(n):
        total += eval("lambda x: x * %d" % (i % 3 + 1))(i)
    return total


def by_lambda(n):
    total = 0
    for i in range(n):
        total += (lambda x: x + i)(1)
    return total


def by_closure(n):
    def make(k):
        def inner(x):
            def innermost():
                return x + k

            return innermost()

        return inner

    total = 0
    for i in range(n):
        total += make(i)(1)
    return total


def by_generator(n):
    total = 0
    for i in range(n):

        def steps():
            yield i
            yield i + 1

        total += sum(steps())
    return total


def work():
    return by_exec(2000), by_eval(1000), by_lambda(3000), by_closure(3000), by_generator(1000)
