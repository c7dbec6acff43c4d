"""Many functions on few lines, lines far apart, and lines out of order.

Functions that are alike in name and first line are told apart by nothing but
their bytecode, and the first instruction of a line need not be the one that
runs first.
"""

import functools


def on_one_line(n):
    fs = [lambda x: x + 1, lambda x: x * 2, lambda x, y=3: (x, y)[0], lambda x: [i for i in range(x % 3)]]
    gs = [i for i in range(n)]; hs = [i * i for i in range(n)]; ks = {i for i in gs if i % 2}; ms = {i: j for i in range(3) for j in [k for k in range(i)]}
    ss = [sum(i for i in range(n)), sum(i + 1 for i in range(n)), sum(j for j in (i for i in (k for k in range(n))))]
    r = [f(i) for f in fs for i in range(n)]; r.append((lambda: (lambda: (lambda: n)())())())
    if n: return len(r) + len(gs) + len(hs) + len(ks) + len(ms) + sum(ss)


a = lambda x: b(x - 1) if x else 0; b = lambda x: a(x - 1) if x else 1; c = lambda: [a(3), b(4), (lambda: a(5))()]  # noqa: E702


class One: f = lambda self: 1; g = lambda self: 2; h = property(lambda self: self.f() + self.g())  # noqa: E701, E702


def nested_classes(n):
    class A:
        class B:
            class C:
                def f(self):
                    class D:
                        class E:
                            value = [x for x in range(n)]

                            def f(self):
                                return lambda: [n + x for x in self.value]

                    return D.E().f()()

            def f(self):
                return self.C().f()

        f = staticmethod(lambda: A.B().f())

    return A.f()


def closures(n):
    def a():
        def b():
            def c():
                def d():
                    def e():
                        nonlocal n
                        n += 1
                        return lambda: n

                    return e()()

                return d() + d()

            return c() + c()

        return b() + b()

    return a()


def counted(times):
    def decorate(function):
        @functools.wraps(function)
        def call(*arguments, **keywords):
            return [
                function(*arguments, **keywords)
                for _ in range(times)
            ]

        return call

    return decorate


def decorated(n):
    @counted(2)
    @counted(
        times=1 if n % 2
        else 2
    )
    @counted(
        1)
    def function(
        first,
        second=n
        + 1,
        *rest,
        third: "annotation" = [
            x for x in range(n)
        ],
    ):
        return (
            first
            + second
            + len(rest)
            + len(third)
        )

    @counted(1)
    class Decorated:
        pass

    return function(1), function(
        1,
        *range(
            3
        ),
        third=()
    ), Decorated()


def expressions(n):
    x = (
        n
        +
        (n
         * 2
         if n
         else 3)
        -
        [
            n,
            (
                n
                , n + 1
            )[
                1
            ],
        ][
            0
        ]
    )
    y = {
        "a": n,
        "b": [
            n
            for n in
            range(
                n
            )
            if n
            and n % 2
            or n > 3
        ],
        **{
            "c":
            x
        },
    }
    z = n < \
        x < \
        1000 \
        and not (
            n ==
            -1
        ) \
        or x
    assert (
        x is not None
        and y
    ), "never"
    return x, len(y["b"]), z, (
        lambda
        k:
        k
        + n
    )(
        2
    ), str(
        n
    ).join(
        "abc"
    ).replace(
        "a",
        "b"
    ).upper()


def strings(n):
    name = "x" * n
    one = f"{n} {name!r:>{n + 3}} {f'{n + 1:03d}'} {[i for i in range(n)]}"
    two = (
        f"{n}"
        f"{name!s}" "plain"
        f"{(lambda: n)()}"
    )
    three = f"""{
        n
    } and {
        len(name)
    }"""
    return one + two + three


class Context:
    def __init__(self, swallow=False):
        self.swallow = swallow

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.swallow

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        return self.swallow


def blocks(n):
    out = []
    for i in range(n):
        try:
            with Context(), Context(
                swallow=i % 2 == 0
            ) as inner:
                if i == 3: continue
                if i == 4: break
                out.append(1 // (i % 2))
                with inner: raise KeyError(
                    i
                )
        except (
            ZeroDivisionError,
            KeyError,
        ) as error: out.append(
            error.args
        )
        else:
            out.append(i)
        finally: out.append(
            -i
        )
    try:
        try: raise ValueError
        finally:
            try: out.append(0)
            finally: out.append(1)
    except ValueError: pass
    while True:
        try:
            if n < 3: return len(out)
            n -= 1
        finally:
            if n == 2:
                n = 1


async def numbers(n):
    for i in range(n):
        yield i


async def asynchronous(n):
    out = []
    async with Context(), Context(
        True
    ):
        async for i in numbers(n):
            if i % 2: continue
            out.append(
                i
            )
        else: out.append(-1)
        out += [
            i
            async for i in
            numbers(n)
            if i
        ]
        raise KeyError
    async for i in numbers(n):
        async with Context():
            if i == 2: break
            out.append(await other(i))
    return out


async def other(n): return n + 1


def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


def far_apart():
    """Lines with more than 127, 255 and 65535 between them, and backwards."""
    source = ["def far(n):", "    total = 0", "    for i in range(n):"]
    for gap in (1, 126, 127, 128, 129, 253, 254, 255, 256, 257, 511, 513, 1100, 66000):
        source.append("\n" * gap + "        total += i")
    source.append("        total += (i" + "\n" * 300 + " + f(" + "\n" * 140 + "i))" + "\n" * 260)
    source.append("    return total")
    source.append("def f(x): return (x" + "\n" * 200 + "+ 1)" + "\n" * 5)
    namespace = {}
    exec(compile("\n" * 70000 + "\n".join(source), "<far apart>", "exec"), namespace)
    return namespace["far"]


def long_lines():
    """Lines of more bytecode than an entry of a line table takes."""
    source = ["def long(n):", "    total = 0"]
    for k in range(3):
        source.append("    total += " + " + ".join("n * %d" % i for i in range(60 * (k + 1))))
        source.append("    total -= ( n +" + "\n n +" * 40 + "\n n)")
        source.append("    if total > 0: " + "; ".join(["total -= n"] * 150))
        source.append("    for i in range(2): " + "; ".join(["total += i"] * 200))
    source.append("    return total")
    namespace = {}
    exec(compile("\n".join(source), "<long lines>", "exec"), namespace)
    return namespace["long"]


def odd_first_lines():
    """Code objects with a first line that is not theirs."""
    results = []
    source = "x = [i for i in range(3)]\ndef f():\n    return (\n        1 + len(x)\n    )\ny = f()\n"
    for line in (1, 2, 1000, 70000):
        code = compile(source, "<moved>", "exec").replace(co_firstlineno=line)
        namespace = {}
        exec(code, namespace)
        f = namespace["f"]
        results.append(f() + namespace["y"])
        f.__code__ = f.__code__.replace(co_firstlineno=line + 5, co_filename="<moved again>")
        results.append(f())
    return sum(results)


FAR = far_apart()
LONG = long_lines()


def work():
    results = []
    for n in range(6):
        results.append(on_one_line(n))
        results.append(nested_classes(n))
        results.append(closures(n))
        results.append(decorated(n))
        results.append(expressions(n))
        results.append(strings(n))
        results.append(blocks(n))
        results.append(drive(asynchronous(n)))
        results.append(FAR(n))
        results.append(LONG(n))
    results.append([c(), One().h, far_apart()(4), long_lines()(2), odd_first_lines()])
    return results
