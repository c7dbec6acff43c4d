"""Modules made and executed anew, by exec and through the import system."""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types

SOURCES = {
    "opmeter_example_a": """
import opmeter_example_b
from opmeter_example_b import value, Thing as Other

total = 0
for i in range(20):
    total += i * value
try:
    import opmeter_example_missing
except ImportError:
    missing = True
""",
    "opmeter_example_b": """
'''A module with a docstring.'''
value: int = 3

class Thing:
    '''A class.'''
    size = value * 2
    def grow(self, by: int = 1) -> int:
        return self.size + by

table = {name: len(name) for name in ("one", "two", "three")}

if __name__ == "__main__":
    raise SystemExit
""",
}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name in SOURCES:
            return importlib.machinery.ModuleSpec(name, self)
        if name == "opmeter_example_missing":
            raise ModuleNotFoundError(name)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        exec(compile(SOURCES[name], name, "exec"), module.__dict__)


def by_exec(rounds):
    results = []
    code = compile(SOURCES["opmeter_example_b"], "b", "exec")
    for _ in range(rounds):
        module = types.ModuleType("b")
        exec(code, module.__dict__)
        results.append(module.Thing().grow())
    return results


def by_import():
    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        for name in SOURCES:
            sys.modules.pop(name, None)
        a = importlib.import_module("opmeter_example_a")
        b = importlib.reload(sys.modules["opmeter_example_b"])
        import opmeter_example_a as again

        return a is again, a.total, a.missing, b.table
    finally:
        sys.meta_path.remove(finder)
        for name in SOURCES:
            sys.modules.pop(name, None)


def work():
    return by_exec(5), [by_import() for _ in range(3)]
