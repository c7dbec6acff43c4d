"""Run a program and print how many seconds of CPU time it took.

    python timed_main.py PROGRAM.py

What the program itself prints goes nowhere; the number goes to standard
output, or what the program leaves in RESULT, if it does.
"""

import os
import sys
import time

program = sys.argv[1]
sys.argv = [program]
with open(program) as source:
    code = compile(source.read(), program, "exec")
names = {"__name__": "__main__", "__file__": program, "__builtins__": __builtins__}
stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
begun = time.process_time()
exec(code, names)
took = time.process_time() - begun
sys.stdout.flush()
os.write(stdout, b"%f\n" % names.get("RESULT", took))
