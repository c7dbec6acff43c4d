"""JSON: written and read by the library, and by a reader and a writer in Python. Grows as n.

The schema of the records is part of the program; a larger n has records with more fields.
"""

from string import Template

FIELDS = [
    '"name": "record \\u00fc %d" % i',
    '"price": i * 0.25',
    '"tags": ["a", "b\\n", str(i % 10)]',
    '"open": i % 3 == 0',
    '"none": None',
    '"nested": {"x": i, "y": {"z": [i % 2, -i]}}',
    '"empty": [{}, [], ""]',
    '"text": "\\"quoted\\" \\\\ " * (i % 3)',
    '"large": i * 10 ** 12',
    '"flags": [bool(i & bit) for bit in (1, 2, 4)]',
]

PROGRAM = Template('''\
import json
import zlib

N = $n
ESCAPES = {'"': '"', "\\\\": "\\\\", "/": "/", "b": "\\b", "f": "\\f", "n": "\\n", "r": "\\r", "t": "\\t"}


def record(i):
    return {
        "id": i,
        $fields
    }


class Reader:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def blank(self):
        while self.at < len(self.text) and self.text[self.at] in " \\n\\t\\r":
            self.at += 1

    def expect(self, char):
        self.blank()
        if self.text[self.at] != char:
            raise ValueError("%r expected at %d" % (char, self.at))
        self.at += 1

    def peek(self):
        self.blank()
        return self.text[self.at]

    def value(self):
        char = self.peek()
        if char == "{":
            return self.object()
        if char == "[":
            return self.array()
        if char == '"':
            return self.string()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return self.number()

    def object(self):
        result = {}
        self.expect("{")
        while self.peek() != "}":
            if result:
                self.expect(",")
                self.blank()
            key = self.string()
            self.expect(":")
            result[key] = self.value()
        self.at += 1
        return result

    def array(self):
        result = []
        self.expect("[")
        while self.peek() != "]":
            if result:
                self.expect(",")
            result.append(self.value())
        self.at += 1
        return result

    def string(self):
        self.expect('"')
        parts = []
        while True:
            end = self.at
            while self.text[end] not in '"\\\\':
                end += 1
            parts.append(self.text[self.at:end])
            self.at = end + 1
            if self.text[end] == '"':
                return "".join(parts)
            char = self.text[self.at]
            if char == "u":
                parts.append(chr(int(self.text[self.at + 1:self.at + 5], 16)))
                self.at += 5
            else:
                parts.append(ESCAPES[char])
                self.at += 1

    def number(self):
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "+-.eE0123456789":
            self.at += 1
        digits = self.text[start:self.at]
        return float(digits) if any(c in digits for c in ".eE") else int(digits)


def written(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ",".join([written(item) for item in value]) + "]"
    return "{" + ",".join(written(key) + ":" + written(item) for key, item in value.items()) + "}"


def paths(value, path=()):
    """Every leaf of a document, with the way to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, path + (key,))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from paths(item, path + (place,))
    else:
        yield path, value


check = leaves = 0
for start in range(0, 2 * N, 10):
    records = [record(i) for i in range(start, min(start + 10, 2 * N))]
    text = json.dumps(records, sort_keys=True)
    assert json.loads(text) == records == Reader(text).value()
    short = written(records)
    assert short == json.dumps(records, separators=(",", ":"))
    for path, value in paths(records):
        leaves += len(path)
        if isinstance(value, str):
            leaves += value.count("a")
    check = zlib.crc32(short.encode("ascii"), check)
print(check, leaves)
''')


def program(n):
    count = min(2 + n.bit_length(), len(FIELDS))
    fields = [FIELDS[(n + i) % len(FIELDS)] for i in range(count)]
    return PROGRAM.substitute(n=n, fields="\n        ".join(field + "," for field in fields))
