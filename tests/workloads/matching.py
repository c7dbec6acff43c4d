"""Structural pattern matching, where there is any (3.10 and later)."""

import sys

SOURCE = '''
class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def match(value):
    match value:
        case 0 | 1:
            return "small"
        case int(n) if n > 100:
            return "large"
        case int():
            return "int"
        case "go" | "stop" as word:
            return word
        case str():
            return "text"
        case []:
            return "empty"
        case [x]:
            return x
        case [1, 2, *rest]:
            return rest
        case (first, *_, last):
            return first, last
        case {"kind": "circle", "r": r}:
            return r * r
        case {"kind": kind, **others}:
            return kind, sorted(others)
        case Point(0, y):
            return y
        case Point(x=x, y=Point(x=inner)):
            return x, inner
        case Point(x, y):
            return x + y
        case None | True | False:
            return "constant"
        case _:
            return "other"


VALUES = [
    0, 1, 5, 500, "go", "stop", "x", [], [3], [1, 2, 3, 4], [7, 8, 9], (1, 2),
    {"kind": "circle", "r": 3}, {"kind": "square", "a": 1, "b": 2}, {"r": 3},
    Point(0, 4), Point(1, Point(2, 3)), Point(5, 6), None, True, 2.5, b"bytes",
]


def work():
    results = []
    for _ in range(10):
        for value in VALUES:
            results.append(match(value))
    return results
'''

if sys.version_info >= (3, 10):
    namespace = {}
    exec(compile(SOURCE, "<matching>", "exec"), namespace)
    work = namespace["work"]
else:

    def work():
        return [len(SOURCE)]
