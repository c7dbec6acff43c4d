"""Code objects that die, and others that take their places in memory.

Functions of different shapes follow each other, so that an address that held
one code object holds one with other instructions next.
"""

import collections
import dataclasses
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types

SHAPES = (
    "def f(x):\n    return x + 1\n",
    "def f(x):\n    total = 0\n    for i in range(x % 4):\n        total += i * x\n    return total\n",
    "def f(x):\n    if x % 2:\n        return [x, x]\n    return {x: x}\n",
    "def f(x):\n    def g(y):\n        return y - x\n    return g(x) + g(1)\n",
    "def f(x):\n    try:\n        return 1 // (x % 3)\n    except ZeroDivisionError:\n        return x\n",
    "def f(x):\n    return sum(i for i in range(x % 5))\n",
    "f = lambda x: x * 2 if x else 7\n",
    "class f:\n    def __init__(self, x):\n        self.x = x\n",
)

MODULE = """
'''A module written to a file.'''
import sys

def value(n):
    return n * {factor}

TABLE = [value(i) for i in range(5)]

class Thing:
    size = {factor}
    def grow(self):
        return self.size + 1
"""


def by_exec(n):
    """Executed and dropped, one after the other."""
    kept = 0
    for i in range(n):
        namespace = {}
        exec(SHAPES[i * 7 % len(SHAPES)], namespace)
        kept += namespace.popitem()[1](i) is None
    return kept


def by_compile(n):
    """Code objects that are dropped in another order than they were made."""
    window = collections.deque()
    total = 0
    for i in range(n):
        window.append(compile("%d + len('x' * %d)" % (i, i % 9), "<kept for a while>", "eval"))
        if i % 3:
            total += eval(window[i % len(window)])
        if len(window) > 10:
            window.pop() if i % 2 else window.popleft()
    return total


def by_eval(n):
    total = 0
    for i in range(n):
        total += eval("[j for j in range(%d)]" % (i % 3)) == [] or eval("(lambda a, b=2: a - b)(%d)" % i)
    return total


def never_run(n):
    """Code objects that die before anything runs them."""
    for i in range(n):
        compile(SHAPES[i % len(SHAPES)], "<never run>", "exec")


def by_type(n):
    """Functions made of code objects that nothing else holds."""
    total = 0
    for i in range(n):
        source = compile("def f(x):\n    return (x, %d)\n" % i, "<by type %d>" % (i % 50), "exec")
        code = [c for c in source.co_consts if isinstance(c, types.CodeType)][0]
        total += types.FunctionType(code, {})(i)[1]
    return total


def while_running(n):
    """Code that nothing but its own frame holds any longer."""
    results = []
    for i in range(n):
        holder = {}
        exec(
            "def f(holder, n):\n    holder.clear()\n    return n + sum([1, 2, n])\n"
            "def g(holder, n):\n    holder.clear()\n    yield n\n    yield n + 1\n",
            holder,
        )
        g = holder["g"](holder, i)
        f = [holder["f"]]
        results.append(f.pop()(holder, i))
        results.append(sum(g))
    return sum(results)


def shadow_classes(n):
    """Named tuples and data classes: library code that calls exec."""
    total = 0
    for i in range(n):
        Point = collections.namedtuple("Point", ["x", "y", "z"][: 1 + i % 3])
        total += sum(Point(*range(1 + i % 3)))
        Data = dataclasses.make_dataclass("Data", [("a", int), ("b", int, i)], order=True)
        total += Data(1).b + (Data(1, 2) < Data(1, 3)) + len(repr(Data(5)))
    return total


class Finder(importlib.abc.MetaPathFinder):
    """Finds one module in the current folder.

    By a relative path, so that code objects have the same file name wherever
    the folder is.
    """

    def find_spec(self, name, path, target=None):
        if name != NAME:
            return None
        loader = importlib.machinery.SourceFileLoader(name, NAME + ".py")
        return importlib.machinery.ModuleSpec(name, loader)


def by_import(n):
    """A module that is removed, written anew and imported again."""
    # No tempfile: its random names cost a different number of instructions.
    folder = os.path.join(os.environ.get("TMPDIR") or "/tmp", "%s_%d" % (NAME, os.getpid()))
    here = os.getcwd()
    os.mkdir(folder)
    os.chdir(folder)
    sys.meta_path.insert(0, FINDER)
    total = 0
    try:
        for i in range(n):
            with open(NAME + ".py", "w") as file:
                file.write(MODULE.format(factor=i + 1))
            module = importlib.import_module(NAME)
            total += sum(module.TABLE) + module.Thing().grow()
            if i % 2:
                module = importlib.reload(module)
            del sys.modules[NAME], module
    finally:
        sys.meta_path.remove(FINDER)
        os.unlink(NAME + ".py")
        os.chdir(here)
        os.rmdir(folder)
    return total


NAME = "opmeter_example_dying"
FINDER = Finder()


def work():
    return (
        by_exec(2500),
        by_compile(600),
        by_eval(1500),
        never_run(800),
        by_type(1500),
        while_running(400),
        shadow_classes(6),
        by_import(8),
    )
