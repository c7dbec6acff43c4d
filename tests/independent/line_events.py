"""Runs a program under `sys.settrace`, and prints its line events.

    python line_events.py PROGRAM.py

One line of JSON on standard output: {line: events} for the program's own file. What the program prints goes
to standard error.
"""

import json
import os
import sys
import threading

events = {}


def main():
    path = sys.argv[1]
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    out = os.dup(1)
    os.dup2(2, 1)

    def local(frame, event, argument):
        if event == "line":
            events[frame.f_lineno] = events.get(frame.f_lineno, 0) + 1
        return local

    def begin(frame, event, argument):
        return local(frame, event, argument) if frame.f_code.co_filename == path else None

    sys.argv = [path]
    threading.settrace(begin)
    sys.settrace(begin)
    try:
        exec(code, {"__name__": "__main__", "__file__": path})
    finally:
        sys.settrace(None)
        threading.settrace(None)
        sys.stdout.flush()
    with os.fdopen(out, "w") as file:
        json.dump(events, file)


main()
