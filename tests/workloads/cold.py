"""Other workloads from code that has never run before.

The second call of a workload runs code that the first call has warmed up.
Here every call compiles the sources anew, so that it also counts what happens
while instructions warm up, specialise, and give up.
"""

import os

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = (
    "async_await",
    "builtins",
    "classes",
    "comprehensions",
    "exceptions",
    "extended_arg",
    "generators",
    "loops",
    "matching",
    "polymorphic",
    "recursion",
    "strings",
    "superinstructions",
    "unpacking",
    "with_blocks",
)


def read(name):
    path = os.path.join(HERE, name + ".py")
    with open(path) as file:
        return path, file.read()


SOURCES = [read(name) for name in NAMES]
NEVER_STARTED = {}


def work():
    results = []
    for path, source in SOURCES:
        namespace = {"__name__": __name__, "__file__": path}
        exec(compile(source, path, "exec"), namespace)
        results.append(len(namespace["work"]()))
        for name, n in namespace.get("NEVER_STARTED", {}).items():
            NEVER_STARTED[path, name] = n
    return results
