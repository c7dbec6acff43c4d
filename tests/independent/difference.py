"""What one call of a workload costs, from metered runs of driver.py.

A metered run of `driver.py WORKLOAD.py N` counts the interpreter's start, the
imports, the warm-up call, N calls, N turns of the driver's loop, and the end.
Two runs that differ only in N differ in calls and turns alone:

    counts(N=2) - counts(N=1) = one call + one turn

The workload nothing.py has a work() of known instructions (count.py tells
which), so the same difference for it gives the turn:

    counts(nothing, N=2) - counts(nothing, N=1) = nothing's own + one turn

Subtract, and what is left is one call:

    one call = (w2 - w1) - (n2 - n1) + nothing's own

The four runs need the same PYTHONHASHSEED, the same paths, and either no
compiled files written (PYTHONDONTWRITEBYTECODE=1) or all of them written by a
run before. Everything is in base opcode names.

    python difference.py W1.json W2.json N1.json N2.json COUNTER.json NOTHING.json

takes {name: executions} from the first four files, count.py's output for the
workload and for nothing.py from the last two, prints what differs, and exits
with 1 if anything does.
"""

import json
import sys


def one_call(counts_n1, counts_n2, nothing_n1, nothing_n2, nothing_own):
    """{name: executions} of one call of work(), names with none left out.

    A count below zero means that the runs did not do the same things.
    """
    names = set()
    for counts in (counts_n1, counts_n2, nothing_n1, nothing_n2, nothing_own):
        names.update(counts)
    call = {}
    for name in sorted(names):
        n = counts_n2.get(name, 0) - counts_n1.get(name, 0)
        n -= nothing_n2.get(name, 0) - nothing_n1.get(name, 0)
        n += nothing_own.get(name, 0)
        if n:
            call[name] = n
    return call


def disagreements(metered, counter):
    """{name: (metered, counted)} where the two disagree.

    `metered` is a result of one_call, `counter` an output of count.py. Names
    that the counter cannot see are left out, linked names are taken apart.
    """
    counted = counter["counts"]
    unseen = set(counter["unseen"])
    relations = counter["relations"]
    wrong = {}
    for name in sorted(set(metered) | set(counted)):
        if name in unseen:
            continue
        n = metered.get(name, 0)
        if name in relations:
            n -= metered.get(relations[name], 0)
        if n != counted.get(name, 0):
            wrong[name] = (n, counted.get(name, 0))
    return wrong


def main(arguments):
    if len(arguments) != 6:
        sys.exit("usage: difference.py W1 W2 N1 N2 COUNTER NOTHING (JSON files)")
    files = []
    for name in arguments:
        with open(name) as file:
            files.append(json.load(file))
    w1, w2, n1, n2, counter, nothing = files
    wrong = disagreements(one_call(w1, w2, n1, n2, nothing["counts"]), counter)
    for name, (metered, counted) in wrong.items():
        print("%-30s metered %12d  counted %12d" % (name, metered, counted))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
