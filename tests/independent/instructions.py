"""What stands in a code object: its instructions, their arguments and lines.

Nothing here looks at what was executed. It is told by the code object alone,
with the tables of the modules dis and opcode, and so shares nothing with the
meter, which reads the same from memory.
"""

import dis
import opcode
import sys

VERSION = sys.version_info[:2]
EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]
RESUME = opcode.opmap.get("RESUME")
RETURN_GENERATOR = opcode.opmap.get("RETURN_GENERATOR")
NOT_TAKEN = opcode.opmap.get("NOT_TAKEN")
START = bytes([RESUME, 0]) if RESUME is not None else None
CONDITIONAL_JUMPS = frozenset(
    number for name, number in opcode.opmap.items() if name.startswith("POP_JUMP_")
)
JUMPS = frozenset(opcode.hasjrel) | frozenset(opcode.hasjabs)


def has_argument(number):
    if hasattr(opcode, "hasarg"):
        return number in opcode.hasarg
    return number >= opcode.HAVE_ARGUMENT


def caches(number):
    """The number of two-byte cache entries behind an instruction."""
    entries = getattr(opcode, "_inline_cache_entries", None)
    if entries is None:
        return 0
    if isinstance(entries, list):
        return entries[number]
    # From 3.13 on a mapping with names for keys.
    return entries.get(opcode.opname[number], 0)


def offsets(bytecode):
    """The offset of each instruction."""
    at = 0
    while at < len(bytecode):
        yield at
        at += 2 + 2 * caches(bytecode[at])


def behind(bytecode, at):
    """The offset of the instruction behind the one at `at`."""
    return at + 2 + 2 * caches(bytecode[at])


def prefix(bytecode):
    """The offsets before the RESUME that starts the function."""
    result = []
    if RESUME is not None:
        for at in offsets(bytecode):
            if bytecode[at : at + 2] == START:
                return result
            result.append(at)
    return []


def steps_over(bytecode):
    """The offsets of the NOT_TAKENs that a conditional jump steps over."""
    result = set()
    if NOT_TAKEN is not None:
        for at in offsets(bytecode):
            after = behind(bytecode, at)
            if bytecode[at] in CONDITIONAL_JUMPS and bytecode[after] == NOT_TAKEN:
                result.add(after)
    return result


def lines(code):
    """{offset: line} of each instruction, 0 where it belongs to none.

    These are the lines that PyCode_Addr2Line tells, which a traceback shows.
    """
    result = {}
    if hasattr(code, "co_lines"):
        for start, end, line in code.co_lines():
            for at in range(start, end, 2):
                result[at] = line or 0
    else:
        starts = dict(dis.findlinestarts(code))
        line = code.co_firstlineno
        for at in range(0, len(code.co_code), 2):
            line = starts.get(at, line)
            result[at] = line
    return result


def listing(code):
    """(offset, opcode, argument, line) of each instruction.

    An argument includes what EXTENDED_ARG adds to it. It is 0 for an
    instruction that takes none, and for EXTENDED_ARG itself.
    """
    bytecode = code.co_code
    line = lines(code)
    extended = 0
    for at in offsets(bytecode):
        number = bytecode[at]
        argument = 0
        if number == EXTENDED_ARG:
            extended = (extended | bytecode[at + 1]) << 8
        else:
            if has_argument(number):
                argument = extended | bytecode[at + 1]
            extended = 0
        yield at, opcode.opname[number], argument, line.get(at, 0)


def straight_line(code):
    """Whether a call executes each instruction of the function once."""
    bytecode = code.co_code
    numbers = [bytecode[at] for at in offsets(bytecode)]
    returns = [
        n for n in numbers
        if opcode.opname[n].startswith("RETURN_") or opcode.opname[n] == "YIELD_VALUE"
    ]
    return (
        not JUMPS.intersection(numbers)
        and len(returns) == 1
        and returns[0] == numbers[-1]
        and not getattr(code, "co_exceptiontable", b"")
    )
