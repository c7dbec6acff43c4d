"""A large program: reads a good part of the standard library in every way that the library itself offers.

Prints digests of what it read, the same on every run.
"""

import ast
import difflib
import glob
import hashlib
import io
import json
import os
import pickle
import symtable
import tokenize
import types
import unittest.mock


def tokens(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        yield token.type, token.string, token.start


def scopes(table):
    yield table.get_name(), sorted(symbol.get_name() for symbol in table.get_symbols())
    for child in table.get_children():
        yield from scopes(child)


def constants(code):
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant.co_name, list(constants(constant))


def digest(*values):
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    tree = ast.parse(text)
    restored = pickle.loads(pickle.dumps(tree))
    assert ast.dump(restored) == ast.dump(tree)
    code = compile(tree, path, "exec")
    table = symtable.symtable(text, path, "exec")
    changed = difflib.unified_diff(text.splitlines()[:50], text.upper().splitlines()[:50])
    double = unittest.mock.Mock(return_value=len(text))
    return digest(list(tokens(text)), ast.dump(tree)), digest(
        list(scopes(table)), list(constants(code)), list(changed), double(path)
    )


def main():
    folder = os.path.dirname(os.__file__)
    files = sorted(path for path in glob.glob(os.path.join(folder, "*.py")) if os.path.exists(path))
    for path in files[::12]:
        print(os.path.basename(path), *read(path))


main()
