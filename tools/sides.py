"""What a run did, for the comparison of runs with and without the meter."""

import subprocess
import xml.etree.ElementTree as ElementTree


def outcomes(junit, name):
    """What became of each test case: passed, failed or skipped, by what `name` makes of its element.

    Where several cases have one name, all that became of them. Empty where there is no such file, or half of one.
    """
    try:
        tree = ElementTree.parse(junit)
    except (FileNotFoundError, ElementTree.ParseError):
        return {}
    found = {}
    for case in tree.iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if kinds else "passed"
        key = name(case)
        found[key] = outcome if found.get(key, outcome) == outcome else f"{found[key]}, {outcome}"
    return found


def check(opmeter, recording):
    """Whether the tables of the recording, counted in different ways, agree: empty, or what is said."""
    if not recording.exists():
        return "no recording"
    asked = subprocess.run([opmeter, "report", recording, "--check"], capture_output=True, text=True)
    return "" if asked.returncode == 0 else (asked.stdout + asked.stderr)[-2000:]
