"""Where instructions were executed: cell by cell and line by line.

A *cell* is an instruction of a code object: (file, function, first line,
offset, opcode, argument, line). Cells of code objects that are alike in that
are added up. A line's executions are those of its instructions added up. Its
hits are another matter: see line_events.py.

Both the counter's output and the meter's instructions table are brought into
the shape of the counter's `code`, and then the same functions make cells and
lines of both. What the counter cannot see is left out on both sides:

* code objects with an EXIT_INIT_CHECK. They are the interpreter's own, of two
  instructions, and run under an `__init__` that a specialised call entered.
* INTERPRETER_EXIT, in no code object; the meter gives it the file "".
* END_FOR, wherever it stands.
* on 3.13 a POP_TOP right behind an END_FOR, which shares its fate.

Nothing else is: an instruction with file "" that is none of these is shown as
one that the counter did not count.
"""

import operator

# What there is one of for each offset of a code object.
PLACE = operator.attrgetter("file", "function", "first_line", "line", "opcode", "argument")

OWN_OPCODES = ("INTERPRETER_EXIT", "EXIT_INIT_CHECK")


def metered_code(instructions):
    """The rows of the instructions table in the shape of the counter's `code`.

    Phases are added up. A code object has a row for each of its instructions
    in the first phase in which it ran, so that none is missing. What should be
    one code object, or one instruction of it, and is told of in two ways stays
    apart, and shows as a difference.
    """
    found = {}
    for row in instructions:
        key = row.process, row.code, row.file, row.function, row.first_line
        cells = found.get(key)
        if cells is None:
            cells = found[key] = {}
        cell = row.offset, row.opcode, row.argument, row.line
        cells[cell] = cells.get(cell, 0) + int(row.executions)
    code = []
    for (_, _, file, function, first_line), cells in found.items():
        rows = sorted(
            [int(at), opcode, 0 if opcode == "EXTENDED_ARG" else int(argument), int(line), n]
            for (at, opcode, argument, line), n in cells.items()
        )
        code.append([file, function, int(first_line), rows])
    return code


def beyond_start(instructions):
    """The rows of code objects of which anything ran after the interpreter's start.

    The others, nine in ten, are the same in all runs.
    """
    ran = {(row.process, row.code) for row in instructions if row.phase != "startup"}
    return [row for row in instructions if (row.process, row.code) in ran]


def compared(code, version):
    """`code` without what the counter cannot see."""
    for file, function, first_line, rows in code:
        if any(row[1] == "EXIT_INIT_CHECK" for row in rows):
            continue
        out = {row[0] for row in rows if row[1] == "END_FOR"}
        if version[:2] == (3, 13):
            out |= {row[0] for row in rows if row[1] == "POP_TOP" and row[0] - 2 in out}
        if not file:
            out |= {row[0] for row in rows if row[1] in OWN_OPCODES}
        kept = [row for row in rows if row[0] not in out]
        if kept:
            yield file, function, first_line, kept


def cells(code, version):
    """{cell: executions}, cells that were never executed included."""
    result = {}
    for file, function, first_line, rows in compared(code, version):
        for at, opcode, argument, line, n in rows:
            cell = file, function, first_line, at, opcode, argument, line
            result[cell] = result.get(cell, 0) + n
    return result


def lines(code):
    """{(file, line): executions}."""
    result = {}
    for file, _, _, rows in code:
        for _, _, _, line, n in rows:
            result[file, line] = result.get((file, line), 0) + n
    return result


def lines_table(rows):
    """The same of the meter's lines table."""
    result = {}
    for row in rows:
        key = row.file, int(row.line)
        result[key] = result.get(key, 0) + int(row.executions)
    return result


def unlike(metered, counted):
    """{key: (metered, counted)} where the two differ; what is missing is 0."""
    return {
        key: (metered.get(key, 0), counted.get(key, 0))
        for key in sorted(set(metered) | set(counted))
        if metered.get(key, 0) != counted.get(key, 0)
    }


def contradictions(instructions, code, lines_rows):
    """What is wrong within one recording: {what: (found, should be)}.

    The lines table must be what the instructions table (`code` is what
    metered_code makes of it) adds up to, lines that were never executed
    included, and an instruction must stand in one place, under one name.
    """
    table = lines_table(lines_rows)
    sums = lines(code)
    wrong = {("lines",) + key: value for key, value in unlike(table, sums).items()}
    for key in set(table) ^ set(sums):
        wrong[("lines",) + key] = (table.get(key), sums.get(key))
    owners = {}
    for row in instructions:
        key = row.process, row.code, row.offset
        owner = PLACE(row)
        if owners.setdefault(key, owner) != owner:
            wrong[("instructions",) + key] = (owner, owners[key])
    return wrong


def cell_text(cell):
    file, function, first_line, at, opcode, argument, line = cell
    return "%s:%d %s (from %d) +%d %s %d" % (
        file, line, function, first_line, at, opcode, argument
    )


def line_text(key):
    return "%s:%d" % key
