"""Compare the meter with the independent counter, workload by workload.

    python compare.py OPMETER PYTHON [WORKLOAD.py ...]

OPMETER is the command, PYTHON the interpreter to meter; without workloads all
of ../workloads are taken. Prints a line for each workload and each difference,
and exits with 1 if there is a difference. See difference.py for the method.
"""

import csv
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from difference import disagreements, one_call  # noqa: E402

WORKLOADS = os.path.join(os.path.dirname(HERE), "workloads")
ENVIRONMENT = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")


def run(*command):
    return subprocess.run(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True, check=True,
    ).stdout


def counted(python, workload):
    return json.loads(run(python, os.path.join(HERE, "count.py"), workload))


def metered(opmeter, python, workload, n):
    """{base opcode: executions} of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, "run.opm")
        driver = os.path.join(HERE, "driver.py")
        run(opmeter, "record", "-o", recording, "--", python, driver, workload, str(n))
        rows = run(opmeter, "export", recording, "--table", "opcodes", "--format", "csv")
    counts = {}
    for row in csv.DictReader(rows.splitlines()):
        name = row["base_opcode"]
        counts[name] = counts.get(name, 0) + int(row["executions"])
    return counts


def main(arguments):
    if len(arguments) < 2:
        sys.exit("usage: compare.py OPMETER PYTHON [WORKLOAD.py ...]")
    opmeter, python = arguments[:2]
    workloads = arguments[2:] or sorted(glob.glob(os.path.join(WORKLOADS, "*.py")))
    nothing = os.path.join(WORKLOADS, "nothing.py")
    nothing_own = counted(python, nothing)["counts"]
    nothing_n1 = metered(opmeter, python, nothing, 1)
    nothing_n2 = metered(opmeter, python, nothing, 2)
    failed = False
    for workload in workloads:
        counter = counted(python, workload)
        n1 = metered(opmeter, python, workload, 1)
        n2 = metered(opmeter, python, workload, 2)
        call = one_call(n1, n2, nothing_n1, nothing_n2, nothing_own)
        wrong = disagreements(call, counter)
        name = os.path.basename(workload)
        total = sum(counter["counts"].values())
        print("%s %s: %d instructions, %d names differ"
              % (counter["version"], name, total, len(wrong)))
        for opcode, (metered_n, counted_n) in wrong.items():
            print("    %-30s metered %12d  counted %12d" % (opcode, metered_n, counted_n))
        failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
