"""Run CPython's own regression tests with and without the meter, and compare every test case.

    tools/compare-regression-tests.py [--opmeter PATH] [--state FOLDER] [--tests NAME...] --python PY...

Each module of `python -m test` runs natively and under `opmeter record`, each in a process of its own, and each test
case's outcome is taken from the JUnit file that the runner writes. Where the two sides differ, both run again (up to
--repeat times), as some tests pass by chance: a case differs where no outcome that it has without the meter is one
that it has with it.

What was run stays in the state folder, a file for each interpreter and module, and is not run again: a comparison that
was interrupted goes on where it ended. `--table` prints what the state folder holds, as Markdown.

Needs: an interpreter with its test package. No packages beside the standard library.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sides import check, outcomes

# What no comparison can be made of: they need a screen, take gigabytes or hours, or test the network.
LEFT_OUT = {
    "test_bigmem", "test_bigaddrspace", "test_tcl", "test_tk", "test_ttk_guionly", "test_ttk_textonly",
    "test_idle", "test_turtle", "test_winreg", "test_winsound", "test_msilib",
}


def main():
    arguments = parsed()
    if arguments.table:
        print_table(arguments.state)
        return
    differing = 0
    for python in arguments.python:
        interpreter = Interpreter(python)
        modules = arguments.tests or interpreter.modules()
        for place, module in enumerate(modules, 1):
            found = compare(interpreter, module, arguments)
            if found is None:
                continue
            differing += bool(found["differences"] or found["broken"])
            print(f"{interpreter.name} [{place}/{len(modules)}] {module}: {in_words(found)}", flush=True)
    sys.exit(1 if differing else 0)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable], metavar="PY")
    parser.add_argument("--opmeter", default="target/release/opmeter", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--options", default="", help="further options of `opmeter record`, such as '--time --pairs'")
    parser.add_argument("--state", default=Path("regression-tests"), type=Path, help="where results are kept")
    parser.add_argument("--tests", nargs="+", metavar="NAME", help="modules, such as test_gc [default: all]")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="of a module, on one side")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each side where they differ")
    parser.add_argument("--again", action="store_true", help="run also what is in the state folder")
    parser.add_argument("--table", action="store_true", help="print the results in the state folder, and end")
    arguments = parser.parse_args()
    arguments.state = arguments.state.resolve()
    return arguments


class Interpreter:
    """An interpreter under test."""

    def __init__(self, path):
        self.path = path if os.sep in path else shutil.which(path) or sys.exit(f"no {path} on the PATH")
        script = "import sys, test.libregrtest; print('%d.%d.%d' % sys.version_info[:3], *sys.abiflags or '')"
        asked = subprocess.run([self.path, "-c", script], capture_output=True, text=True)
        if asked.returncode != 0:
            sys.exit(f"{path} has no test package: {asked.stderr.strip().splitlines()[-1:]}")
        self.name = "-".join(asked.stdout.split())

    def modules(self):
        listed = subprocess.run([self.path, "-m", "test", "--list-tests"], capture_output=True, text=True)
        return [name for name in listed.stdout.split() if name.startswith(("test_", "test.")) and name not in LEFT_OUT]


def compare(interpreter, module, arguments):
    """The comparison of a module's outcomes; None where it was made before."""
    path = arguments.state / interpreter.name / f"{module}.json"
    if path.exists() and not arguments.again:
        return None
    sides = {"native": [], "metered": []}
    for _ in range(arguments.repeat):
        for side, runs in sides.items():
            runs.append(run(interpreter, module, side == "metered", arguments))
        if not differences(sides):
            break
    found = {
        "interpreter": interpreter.name,
        "module": module,
        "runs": sides,
        "differences": differences(sides),
        "broken": broken(sides),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(found, indent=1))
    draft.rename(path)
    return found


def run(interpreter, module, metered, arguments):
    """Run a module once, in a new folder, and give what it did."""
    folder = Path(tempfile.mkdtemp(prefix="regression-"))
    junit = folder / "junit.xml"
    recording = folder / "out.opm"
    command = [interpreter.path, "-m", "test", "--junit-xml", str(junit), module]
    if metered:
        options = arguments.options.split()
        command = [arguments.opmeter, "record", "--quiet", *options, "-o", str(recording), "--", *command]
    work = folder / "work"
    work.mkdir()
    environment = dict(os.environ, TMPDIR=str(work), PYTHONHASHSEED="0")
    begun = time.monotonic()
    with open(folder / "output", "w+b") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=work, env=environment,
            start_new_session=True,
        )
        try:
            status = process.wait(arguments.timeout)
        except subprocess.TimeoutExpired:
            status = "timeout"
        kill_session(process)
        output.seek(0)
        text = output.read().decode(errors="replace")
    result = {
        "status": status,
        "seconds": round(time.monotonic() - begun, 2),
        "outcomes": outcomes(junit, name_of),
        "output": text[-20000:] if status != 0 else "",
    }
    if metered:
        result["check"] = check(arguments.opmeter, recording)
    shutil.rmtree(folder, ignore_errors=True)
    return result


def kill_session(process):
    """End what a run left behind, and the run itself where it is over its time."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def name_of(case):
    """A test case's name. Those of subtests may have addresses in them."""
    return re.sub(r"0x[0-9a-f]+", "0x", case.get("name") or "")


def differences(sides):
    """What no run without the meter did, but each with it: {case: [outcomes without, outcomes with]}."""
    seen = {}
    for side, runs in sides.items():
        for result in runs:
            for case, outcome in [("(exit status)", result["status"]), *result["outcomes"].items()]:
                seen.setdefault(case, {"native": [], "metered": []})[side].append(outcome)
    found = {}
    for case, of in seen.items():
        native, metered = (of["native"] or ["absent"]), (of["metered"] or ["absent"])
        if not set(native) & set(metered):
            found[case] = [native, metered]
    return found


def broken(sides):
    """What checks of the recordings said."""
    return sorted({result["check"] for result in sides["metered"] if result["check"]})


def in_words(found):
    native, metered = found["runs"]["native"][-1], found["runs"]["metered"][-1]
    text = f"{len(native['outcomes'])} cases, {native['seconds']} s and {metered['seconds']} s"
    if found["differences"]:
        text += f", DIFFERENT: {json.dumps(found['differences'])[:400]}"
    if found["broken"]:
        text += f", CHECK: {found['broken'][0].strip().splitlines()[0]}"
    return text


def print_table(state):
    """A row for each interpreter: modules, cases, outcomes, what differs."""
    print("| CPython | modules | test cases | passed | skipped | failed | different |")
    print("|---|---|---|---|---|---|---|")
    different = []
    version = lambda folder: [int(part) for part in folder.name.split("-")[0].split(".")]
    for folder in sorted((path for path in state.iterdir() if path.is_dir()), key=version):
        counts = dict.fromkeys(("passed", "skipped", "failed"), 0)
        modules = cases = differing = 0
        for path in sorted(folder.glob("*.json")):
            found = json.loads(path.read_text())
            modules += 1
            for outcome in found["runs"]["metered"][-1]["outcomes"].values():
                cases += 1
                for kind in counts:
                    counts[kind] += kind in outcome
            differing += len(found["differences"])
            different += [(folder.name, found["module"], case, *of) for case, of in found["differences"].items()]
            different += [(folder.name, found["module"], "(check)", "", text) for text in found["broken"]]
        print(f"| {folder.name} | {modules} | {cases} | {counts['passed']} | {counts['skipped']} "
              f"| {counts['failed']} | {differing} |")
    for row in different:
        print("-", *row)


if __name__ == "__main__":
    main()
