"""Records to JSON and back, by the library and by a parser in Python."""

import json
import sys


def records(n):
    return [
        {
            "id": i,
            "name": "record %d" % i,
            "tags": ["a%d" % (i % 7), "b\u00e9", 'quote "%d"' % i],
            "ratio": i / 8,
            "nested": {"on": i % 2 == 0, "none": None, "deep": [[i], {"k": -i}]},
        }
        for i in range(n)
    ]


ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
WORDS = {"true": True, "false": False, "null": None}


class Parser:
    """A recursive-descent parser for JSON."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def space(self):
        while self.at < len(self.text) and self.text[self.at] in " \n\r\t":
            self.at += 1

    def value(self):
        self.space()
        c = self.text[self.at]
        if c == "{":
            return self.object()
        if c == "[":
            return self.array()
        if c == '"':
            return self.string()
        for word, value in WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return self.number()

    def object(self):
        result = {}
        self.at += 1
        self.space()
        if self.text[self.at] == "}":
            self.at += 1
            return result
        while True:
            self.space()
            key = self.string()
            self.space()
            self.expect(":")
            result[key] = self.value()
            self.space()
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.expect("}")
            return result

    def array(self):
        result = []
        self.at += 1
        self.space()
        if self.text[self.at] == "]":
            self.at += 1
            return result
        while True:
            result.append(self.value())
            self.space()
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.expect("]")
            return result

    def expect(self, c):
        if self.text[self.at] != c:
            raise ValueError("%r expected at %d" % (c, self.at))
        self.at += 1

    def string(self):
        self.expect('"')
        parts = []
        text, at = self.text, self.at
        while True:
            c = text[at]
            at += 1
            if c == '"':
                break
            if c == "\\":
                c = text[at]
                at += 1
                if c == "u":
                    c = chr(int(text[at : at + 4], 16))
                    at += 4
                else:
                    c = ESCAPES[c]
            parts.append(c)
        self.at = at
        return "".join(parts)

    def number(self):
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "+-0123456789.eE":
            self.at += 1
        text = self.text[start : self.at]
        return int(text) if text.lstrip("-").isdigit() else float(text)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1400
    data = records(n)
    for _ in range(36):
        text = json.dumps(data)
        assert json.loads(text) == data
        pretty = json.dumps(data, indent=2, sort_keys=True)
    parsed = Parser(text).value()
    assert parsed == data
    print(len(text), len(pretty), len(parsed))


if __name__ == "__main__":
    main()
