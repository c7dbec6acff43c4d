"""Compare the meter with the independent counter, workload by workload.

    python compare.py [--tables opcodes,instructions,lines,pairs]
                      [--record OPTION] OPMETER PYTHON [WORKLOAD.py ...]

--record gives `opmeter record` an option more, such as --time=0.5. OPMETER is the command, PYTHON the interpreter to meter; without workloads all
of ../workloads are taken. Prints a line for each workload and each difference,
and exits with 1 if there is a difference.

The tables are those of `opmeter export`; without --tables all are compared but
for `pairs`, which slow a program down and are recorded on request. See
difference.py for the method, places.py for instructions and lines (of which
`lines` needs `instructions`), and pairs.py for what can be said of pairs.
"""

import collections
import csv
import glob
import io
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import places  # noqa: E402
from difference import disagreements, one_call  # noqa: E402
from pairs import one_call_of_pairs, pair_disagreements  # noqa: E402

WORKLOADS = os.path.join(os.path.dirname(HERE), "workloads")
ENVIRONMENT = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
TABLES = ("opcodes", "instructions", "lines", "pairs")
# A difference in the interpreter's start would otherwise fill the screen.
SHOWN = 20


def run(*command):
    ended = subprocess.run(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    if ended.returncode:
        sys.stderr.write(ended.stderr)
        raise subprocess.CalledProcessError(ended.returncode, command)
    return ended.stdout


def counted(python, workload, tables):
    options = []
    if "instructions" in tables:
        options.append("--offsets")
    if "pairs" in tables:
        options.append("--pairs")
    return json.loads(run(python, os.path.join(HERE, "count.py"), workload, *options))


# Options of `opmeter record`.
RECORD = []


class Metered:
    """One metered run of the driver: its tables, processes and phases added up.

    With `whole` it is also checked in itself.
    """

    def __init__(self, opmeter, python, workload, n, tables, version, whole):
        with tempfile.TemporaryDirectory() as folder:
            recording = os.path.join(folder, "run.opm")
            options = RECORD + (["--pairs"] if "pairs" in tables else [])
            run(opmeter, "record", *(options + ["-o", recording, "--"]),
                python, os.path.join(HERE, "driver.py"), workload, str(n))
            rows = {
                table: table_rows(run(
                    opmeter, "export", recording, "--table", table, "--format", "csv"
                ))
                for table in tables
                if whole or table != "lines"
            }
        self.opcodes = added(rows.get("opcodes", ()), "base_opcode")
        self.pairs = added(rows.get("pairs", ()), "first_base", "second_base")
        self.cells = {}
        self.lines = {}
        self.contradictions = {}
        if "instructions" in tables:
            code = places.metered_code(places.beyond_start(rows["instructions"]))
            self.cells = places.cells(code, version)
            self.lines = places.lines(places.compared(code, version))
        if whole:
            self.contradictions = contradictions(self.opcodes, rows)


def table_rows(text):
    """The rows of a table in CSV, with names."""
    rows = csv.reader(io.StringIO(text))
    return list(map(collections.namedtuple("Row", next(rows))._make, rows))


def added(rows, *names):
    """{name or names: executions}"""
    counts = {}
    for row in rows:
        parts = [getattr(row, name) for name in names]
        key = parts[0] if len(parts) == 1 else tuple(parts)
        counts[key] = counts.get(key, 0) + int(row.executions)
    return counts


def contradictions(opcodes, rows):
    """What is wrong within one recording, as far as it has the tables."""
    wrong = {}
    if "instructions" in rows:
        code = places.metered_code(rows["instructions"])
        if opcodes:
            wrong.update(inside(opcodes, code))
        if "lines" in rows:
            wrong.update(places.contradictions(rows["instructions"], code, rows["lines"]))
    return wrong


def inside(opcodes, code):
    """Where the opcodes table is not what the instructions table adds up to."""
    sums = {}
    for _, _, _, rows in code:
        for _, opcode, _, _, n in rows:
            sums[opcode] = sums.get(opcode, 0) + n
    return {("opcodes", key): value for key, value in places.unlike(opcodes, sums).items()}


def differences(w1, w2, n1, n2, counter, nothing, tables):
    """(what, where, metered, counted) for each difference, and notes."""
    version = version_of(counter)
    for where, (found, should) in sorted(w2.contradictions.items(), key=repr):
        yield "inside", " ".join(map(str, where)), found, should
    if "opcodes" in tables:
        call = one_call(w1.opcodes, w2.opcodes, n1.opcodes, n2.opcodes, nothing["counts"])
        for opcode, (n, m) in disagreements(call, counter).items():
            yield "opcode", opcode, n, m
    if "instructions" in tables:
        own = places.cells(nothing["code"], version)
        call = one_call(w1.cells, w2.cells, n1.cells, n2.cells, own)
        cells = places.cells(counter["code"], version)
        for cell, (n, m) in places.unlike(call, cells).items():
            yield "instruction", places.cell_text(cell), n, m
        for cell in sorted(set(cells) - set(w2.cells)):
            if not cells[cell]:
                yield "instruction", places.cell_text(cell), "no row", 0
    if "lines" in tables:
        own = places.lines(places.compared(nothing["code"], version))
        call = one_call(w1.lines, w2.lines, n1.lines, n2.lines, own)
        lines = places.lines(places.compared(counter["code"], version))
        for key, (n, m) in places.unlike(call, lines).items():
            yield "line", places.line_text(key), n, m
    if "pairs" in tables and counter["pairs"] is not None:
        own = {(first, second): n for first, second, n in nothing["pairs"]}
        call = one_call(w1.pairs, w2.pairs, n1.pairs, n2.pairs, own)
        call = one_call_of_pairs(call, counter, nothing)
        for (first, second), (n, m) in pair_disagreements(call, counter)[0].items():
            yield "pair", "%s %s" % (first, second), n, m


def version_of(counter):
    return tuple(int(part) for part in counter["version"].split("."))


def main(arguments):
    tables = TABLES[:-1]
    arguments = list(arguments)
    while arguments[:1] in (["--tables"], ["--record"]) and len(arguments) > 1:
        if arguments[0] == "--tables":
            tables = arguments[1].split(",")
        else:
            RECORD.append(arguments[1])
        del arguments[:2]
    usable = set(tables) <= set(TABLES)
    if "lines" in tables and "instructions" not in tables:
        usable = False
    if len(arguments) < 2 or not usable:
        sys.exit(
            "usage: compare.py [--tables opcodes,instructions,lines,pairs] "
            "[--record OPTION] OPMETER PYTHON [WORKLOAD.py ...]"
        )
    opmeter, python = arguments[:2]
    workloads = arguments[2:] or sorted(glob.glob(os.path.join(WORKLOADS, "*.py")))
    workloads = [os.path.abspath(workload) for workload in workloads]
    nothing = os.path.join(WORKLOADS, "nothing.py")
    nothing_own = counted(python, nothing, tables)
    version = version_of(nothing_own)
    nothing_n1 = Metered(opmeter, python, nothing, 1, tables, version, False)
    nothing_n2 = Metered(opmeter, python, nothing, 2, tables, version, False)
    failed = False
    for workload in workloads:
        counter = counted(python, workload, tables)
        w1 = Metered(opmeter, python, workload, 1, tables, version, False)
        w2 = Metered(opmeter, python, workload, 2, tables, version, True)
        wrong = list(
            differences(w1, w2, nothing_n1, nothing_n2, counter, nothing_own, tables)
        )
        print("%s %s: %d instructions%s, %d differences" % (
            counter["version"], os.path.basename(workload),
            sum(counter["counts"].values()), extent(counter, tables), len(wrong)
        ))
        for what, where, n, m in wrong[:SHOWN]:
            print("    %-11s %-60s metered %12s  counted %12s" % (what, where, n, m))
        if len(wrong) > SHOWN:
            print("    and %d more" % (len(wrong) - SHOWN))
        sys.stdout.flush()
        failed = failed or bool(wrong)
    return 1 if failed else 0


def extent(counter, tables):
    """In words: how many cells and pairs there were to compare."""
    text = ""
    if "instructions" in tables:
        cells = places.cells(counter["code"], version_of(counter))
        text += " in %d places" % sum(1 for n in cells.values() if n)
    if "pairs" in tables:
        if counter["pairs"] is None:
            text += ", pairs not compared"
        else:
            text += ", %d pairs" % len(counter["pairs"])
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
