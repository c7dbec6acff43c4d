"""Print the opcode table of the interpreter that runs this script.

One line an opcode: number, name, base name, inline cache entries. The tables in
crates/opmeter-opcodes/src/tables/ are made from it:

    python3.13 tools/opcode-table.py > crates/opmeter-opcodes/src/tables/cpython-3.13.txt

The dispatch loop knows more opcodes than `opcode.opmap` lists: the specialised and the instrumented
ones, and a few that never stand in a compiled code object. An entry is an opcode of the loop, hence
an own target in the dispatch table, exactly if it is printed here.
"""

import dis
import opcode
import sys


def table():
    """Yield (number, name, base, caches), ordered by number."""
    version = sys.version_info[:2]
    numbers = {name: op for name, op in opcode.opmap.items() if op < 256}
    bases = {}
    if version >= (3, 13):
        import _opcode_metadata

        numbers.update(_opcode_metadata._specialized_opmap)
        families = _opcode_metadata._specializations
    else:
        families = getattr(opcode, "_specializations", {})
        numbers.update(getattr(dis, "_all_opmap", {}))
    numbers = {name: op for name, op in numbers.items() if op < 256}
    for base, members in families.items():
        for member in members:
            bases[member] = base
    if version == (3, 11):
        numbers["DO_TRACING"] = 255
        # Superinstructions begin with the instruction that they are named after first.
        for name in numbers:
            if "__" in name:
                bases[name] = name.split("__")[0]
    if version == (3, 12):
        numbers.pop("ENABLE_SPECIALIZATION", None)
        for name in numbers:
            if "__" in name:
                bases[name] = name.split("__")[0]
    for name in numbers:
        plain = name[len("INSTRUMENTED_"):]
        if name.startswith("INSTRUMENTED_") and plain in numbers:
            bases[name] = plain
    caches = getattr(opcode, "_inline_cache_entries", {})
    if isinstance(caches, list):
        caches = {opcode.opname[op]: count for op, count in enumerate(caches)}
    for name, op in sorted(numbers.items(), key=lambda item: item[1]):
        base = bases.get(name, name)
        yield op, name, base, caches.get(base, 0)


def main():
    print("# CPython %d.%d: number name base caches" % sys.version_info[:2])
    for row in table():
        print("%d %s %s %d" % row)


if __name__ == "__main__":
    main()
