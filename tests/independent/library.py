"""Lists what stands in the code objects of the standard library, as the interpreter itself tells it.

    python library.py STEP

Compiles every STEPth module of the standard library's own folder and of the packages in it, without running
it. For each code object one line: the first line, the bytecode and the line table in hexadecimal, then for each
instruction OFFSET,OPCODE,ARGUMENT,LINE. The bytecode is that of the compiler, before it runs.
"""

import glob
import os
import sys
import types
import warnings

from instructions import listing


def code_objects(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def main():
    warnings.simplefilter("ignore")
    folder = os.path.dirname(os.__file__)
    files = sorted(
        glob.glob(os.path.join(folder, "*.py")) + glob.glob(os.path.join(folder, "[a-z]*", "*.py"))
    )
    for path in files[:: int(sys.argv[1])]:
        # A distribution's own module may be a link to where it is not installed.
        if "site-packages" in path or "dist-packages" in path or not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            text = file.read()
        try:
            module = compile(text, path, "exec")
        except (SyntaxError, ValueError):
            # The library has such files, for its own tests.
            continue
        for code in code_objects(module):
            table = code.co_linetable if hasattr(code, "co_lines") else code.co_lnotab
            instructions = " ".join("%d,%s,%d,%d" % row for row in listing(code))
            print(code.co_firstlineno, code.co_code.hex(), table.hex() or "-", instructions)


main()
