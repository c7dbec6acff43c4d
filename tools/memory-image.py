"""Write the memory around the dispatch table of the interpreter that runs this script, as a test's image.

    opmeter doctor --python PY          # tells the module and where in it the table is
    PY tools/memory-image.py MODULE OFFSET IMAGE

A first line tells the version, where in the module the image begins, the range of the module's code, the table's offset,
and that of the jump table of the loop's `switch` (3.8 to 3.10; else 0) with its own image's beginning and length; then
come 8 KiB around the dispatch table, and 4 KiB around the jump table. Addresses in the module stand as offsets from its
beginning, all others as 0.
"""

import opcode
import re
import struct
import sys

BEFORE, AROUND = 3 * 1024, 8 * 1024


def main():
    module, table, path = sys.argv[1], int(sys.argv[2], 16), sys.argv[3]
    maps = [re.match(r"(\w+)-(\w+) (....) (\w+) \S+ \S+ *(.*)", line).groups() for line in open("/proc/self/maps")]
    # The zeroed rest of the data has no file.
    own = [(int(a, 16), int(b, 16), rights) for a, b, rights, _, name in maps if name == module]
    base, end = own[0][0], max(b for _, b, _ in own)
    if base + table > end:
        base = 0  # An executable that lies where its file says: offsets are addresses.
    code = [(a - base, b - base) for a, b, rights in own if "x" in rights]
    memory = open("/proc/self/mem", "rb", 0)

    def read(start, length):
        memory.seek(base + start)
        return memory.read(length)

    def relative(data):
        words = struct.unpack("<%dQ" % (len(data) // 8), data)
        return struct.pack("<%dQ" % len(words), *(word - base if own[0][0] <= word < end else 0 for word in words))

    targets = [word - base for word in struct.unpack("<256Q", read(table, 2048))]
    start = table - BEFORE
    image = relative(read(start, AROUND))
    switch = None
    if sys.version_info < (3, 11):
        for a, b, rights in own:
            if rights == "r--p":
                switch = switch or jump_table(read(a - base, b - a), a - base, targets)
    jumps = read(switch - 1024, 4096) if switch else b""
    with open(path, "wb") as out:
        fields = [hex(n) for n in (start, code[0][0], code[-1][1], table, switch or 0, len(jumps))]
        out.write((" ".join(["%d.%d" % sys.version_info[:2], *fields]) + "\n").encode())
        out.write(image + jumps)


def jump_table(data, start, targets):
    """Where a table of 32-bit offsets from its own beginning leads to most targets of the dispatch table."""
    numbers = sorted(opcode.opmap.values())
    offsets = struct.unpack("<%di" % (len(data) // 4), data[: len(data) // 4 * 4])
    for first in (numbers[0], 0):
        for place in range(len(offsets) - 256):
            own = start + 4 * place
            if own + offsets[place + numbers[0] - first] != targets[numbers[0]]:
                continue
            same = sum(own + offsets[place + n - first] == targets[n] for n in numbers)
            if same * 2 >= len(numbers):
                return own
    return None


main()
