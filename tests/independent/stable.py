"""Check that a workload costs the same each time, on each interpreter given.

    python stable.py PYTHON [PYTHON ...]

counts the second and the third call of every workload, instruction by
instruction and pair by pair, the two with different hash seeds, and prints
where they differ.
"""

import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOADS = os.path.join(os.path.dirname(HERE), "workloads")


def counted(python, workload, call):
    return json.loads(
        subprocess.run(
            [python, "-B", os.path.join(HERE, "count.py"), workload,
             "--call", str(call), "--offsets", "--pairs"],
            env=dict(os.environ, PYTHONHASHSEED=str(call)),
            stdout=subprocess.PIPE, check=True,
        ).stdout
    )


def main(pythons):
    failed = False
    for python in pythons:
        total = 0
        workloads = sorted(glob.glob(os.path.join(WORKLOADS, "*.py")))
        for workload in workloads:
            second = counted(python, workload, 2)
            third = counted(python, workload, 3)
            total += sum(second["counts"].values())
            for part in ("counts", "code", "pairs"):
                if second[part] != third[part]:
                    failed = True
                    print("%s %s: %s differ" % (python, workload, part))
        print("%s %s: %d workloads, %d instructions in one call of each"
              % (python, second["version"], len(workloads), total))
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: stable.py PYTHON [PYTHON ...]")
    sys.exit(main(sys.argv[1:]))
