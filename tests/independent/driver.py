"""Call a workload often enough to take its cost by difference.

    python driver.py WORKLOAD.py N

imports the workload, calls its `work()` once to warm up, and then N times
more in a loop. See difference.py for what to do with the counts of two such
runs.
"""

import gc
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from load import load  # noqa: E402


def main():
    work = load(sys.argv[1]).work
    n = int(sys.argv[2])
    gc.disable()
    work()
    for _ in range(n):
        work()


if __name__ == "__main__":
    main()
