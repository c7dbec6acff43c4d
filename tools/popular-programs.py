"""Run popular programs with and without the meter, and compare what they print, how they end, and their tests' outcomes.

    tools/popular-programs.py [--opmeter PATH] [--state FOLDER] [--only NAME...] --python PY...

For each interpreter it makes a virtual environment in the state folder and installs the packages from the package
index (so it needs a network). Each program then runs natively and under `opmeter record`, each in a new folder. Of
programs that are test suites the outcome of each test is compared, of others what they print, with times, addresses,
folders and numbers of processes left out. The recording is checked with `opmeter report --check`. Where the two sides
differ, both run again, up to three times, as some tests pass by chance.

`--table` prints what was found, as Markdown.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from sides import check, outcomes

PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--junit-xml", "{junit}"]


class Program:
    """A program: what it needs, and how it is run.

    `arguments` follow the interpreter; `{junit}`, `{here}`, `{packages}` and `{bin}` in them stand for the file of
    tests' outcomes, the folder that it runs in, that of the installed packages, and that of their commands. `files` are
    written to the folder, `sdist` is unpacked in it, `input` goes to standard input.
    """

    def __init__(self, name, packages, arguments, files=None, sdist=None, input="", environment=None, command=None):
        self.name, self.packages, self.arguments = name, packages, arguments
        self.files, self.sdist, self.input = files or {}, sdist, input
        self.environment, self.command = environment or {}, command


APPLICATION = '''
import contextvars, dataclasses, sys
@dataclasses.dataclass
class Item:
    name: str
    parts: list
def walk(item):
    yield item.name
    for part in item.parts:
        yield from walk(part)
def fact(n):
    return 1 if n < 2 else n * fact(n - 1)
tree = Item("a", [Item("b", [Item("c", [])]), Item("d", [])])
for name in walk(tree):
    if name == "b":
        print(name, fact(20))
    elif name == "z":
        print("never")
    else:
        print(name)
try:
    {}["missing"]
except KeyError as error:
    print("caught", error)
print(sum(x * x for x in range(100)))
'''

NOTEBOOK = '''
import nbformat, nbclient
cells = ["x = [i ** 2 for i in range(10)]", "print(sum(x))", "%timeit -n1 -r1 pass", "import asyncio; await asyncio.sleep(0); x[-1]", "1 / 0"]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
nbclient.NotebookClient(notebook, allow_errors=True, timeout=120).execute()
for cell in notebook.cells:
    for output in cell.outputs:
        if "timeit" not in cell.source:
            print(output.output_type, output.get("text") or output.get("ename") or output.data)
'''

EXTENSIONS = '''
import orjson, pydantic, lxml.etree, cryptography.fernet, msgpack, yaml, numpy, markupsafe
class Point(pydantic.BaseModel):
    x: int
    y: float = 0.5
    names: list[str] = []
print(Point.model_validate_json('{"x": "3", "names": ["a"]}'))
try:
    Point(x="no")
except pydantic.ValidationError as error:
    print(error.error_count(), error.errors()[0]["type"])
rows = [{"n": n, "half": n / 2, "text": "t" * (n % 5)} for n in range(2000)]
assert orjson.loads(orjson.dumps(rows)) == rows
assert msgpack.unpackb(msgpack.packb(rows)) == rows
print(len(orjson.dumps(rows, option=orjson.OPT_SORT_KEYS)), yaml.safe_dump(rows[:2]))
root = lxml.etree.fromstring("<a>" + "<b c='1'>x</b>" * 500 + "</a>")
print(len(root.xpath("//b[@c=1]")), lxml.etree.XSLT is not None)
key = cryptography.fernet.Fernet.generate_key()
print(cryptography.fernet.Fernet(key).decrypt(cryptography.fernet.Fernet(key).encrypt(b"secret")))
matrix = numpy.arange(10000.0).reshape(100, 100)
print((matrix @ matrix.T).sum(), numpy.sort(matrix[:, 3])[-1], numpy.fromiter((x * x for x in range(100)), int).sum())
print(markupsafe.escape("<b>"))
'''

CYTHON = '''
# cython: language_level=3
def triangle(int n):
    cdef long total = 0
    for i in range(n):
        total += i
    return total
def calls(function, int n):
    return [function(i) for i in range(n)]
def generate(int n):
    for i in range(n):
        yield i
class Error(Exception): pass
def raises():
    raise Error("from C")
'''

CYTHON_DRIVER = '''
import subprocess, sys
subprocess.run([sys.executable, "-m", "Cython.Build.Cythonize", "-q", "-i", "compiled.pyx"], check=True)
import compiled
print(compiled.triangle(1000), compiled.calls(lambda x: x + 1, 5), sum(compiled.generate(100)))
try:
    compiled.raises()
except compiled.Error as error:
    print(error)
'''

DJANGO = '''
import django, django.conf
django.conf.settings.configure(
    DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
)
django.setup()
from django.http import JsonResponse
from django.urls import path
from django.core.management import call_command
from django.test import Client
from django.contrib.auth.models import User
def view(request, n):
    return JsonResponse({"n": n * 2, "users": User.objects.count()})
urlpatterns = [path("double/<int:n>", view)]
call_command("migrate", verbosity=0)
for n in range(20):
    User.objects.create_user(f"user{n}", password=None)
client = Client()
print([client.get(f"/double/{n}").json() for n in range(5)], client.get("/none").status_code)
'''

STARLETTE = '''
import asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
async def double(request):
    await asyncio.sleep(0)
    return JSONResponse({"n": int(request.path_params["n"]) * 2})
async def stream(request):
    async def parts():
        for i in range(100):
            yield f"{i},"
    return StreamingResponse(parts())
async def echo(socket):
    await socket.accept()
    await socket.send_text((await socket.receive_text()).upper())
    await socket.close()
application = Starlette(routes=[Route("/double/{n}", double), Route("/stream", stream), WebSocketRoute("/echo", echo)])
with TestClient(application) as client:
    print([client.get(f"/double/{n}").json()["n"] for n in range(20)], len(client.get("/stream").text))
    with client.websocket_connect("/echo") as socket:
        socket.send_text("hello")
        print(socket.receive_text())
'''

PROGRAMS = [
    Program("pytest: its own tests", ["pytest==8.3.4", "hypothesis", "attrs", "pygments", "xmlschema", "pexpect"],
            PYTEST + ["testing/test_assertrewrite.py", "testing/test_mark.py", "testing/test_runner.py",
                      "testing/test_faulthandler.py", "testing/test_threadexception.py", "testing/python/fixtures.py"],
            sdist="pytest==8.3.4"),
    Program("Flask: its own tests", ["flask==3.0.3", "pytest==8.3.4", "asgiref", "python-dotenv"], PYTEST + ["tests"],
            sdist="flask==3.0.3"),
    Program("NumPy: linear algebra, ufuncs, random", ["numpy", "pytest==8.3.4", "hypothesis"],
            PYTEST + ["--pyargs", "numpy.linalg", "numpy.random.tests.test_generator_mt19937", "numpy.ma"]),
    Program("Django: test client", ["django"], ["application.py"], files={"application.py": DJANGO}),
    Program("Starlette: test client", ["starlette", "httpx"], ["application.py"], files={"application.py": STARLETTE}),
    Program("coverage, tracer in C", ["coverage"], ["-m", "coverage", "run", "--branch", "application.py"],
            files={"application.py": APPLICATION}, environment={"COVERAGE_CORE": "ctrace"},
            command="{python} -m coverage report -m && {python} -m coverage json -q -o - | tr ',' '\\n' | grep -v timestamp"),
    Program("coverage, tracer in Python", ["coverage"], ["-m", "coverage", "run", "application.py"],
            files={"application.py": APPLICATION}, environment={"COVERAGE_CORE": "pytrace"},
            command="{python} -m coverage report -m"),
    Program("coverage by sys.monitoring", ["coverage"], ["-m", "coverage", "run", "application.py"],
            files={"application.py": APPLICATION}, environment={"COVERAGE_CORE": "sysmon"},
            command="{python} -m coverage report -m"),
    Program("pdb: a session", [], ["-m", "pdb", "application.py"], files={"application.py": APPLICATION},
            input="b fact\nc\nw\np n\nn\ns\nu\nd\nr\nb 18\nc\nl\npp tree\ncl 1\ntbreak 24\nc\nq\n"),
    Program("cProfile", [], ["-c", "import cProfile, pstats, runpy\nprofile = cProfile.Profile()\n"
                             "profile.runcall(runpy.run_path, 'application.py')\n"
                             "rows = sorted((f[2], s[0], s[1]) for f, s in pstats.Stats(profile).stats.items() "
                             "if 'application' in f[0])\nprint(rows)"], files={"application.py": APPLICATION}),
    Program("extension modules in Rust, C and Cython", ["orjson", "pydantic", "lxml", "cryptography", "msgpack", "pyyaml",
                                                      "numpy", "markupsafe"],
            ["application.py"], files={"application.py": EXTENSIONS}),
    Program("Cython: a module compiled and run", ["cython", "setuptools"], ["driver.py"],
            files={"compiled.pyx": CYTHON, "driver.py": CYTHON_DRIVER}),
    Program("pip: an install", ["pip"], ["-m", "pip", "install", "-q", "--target", "{here}/target", "six==1.16.0",
                                         "click==8.1.7", "attrs==24.2.0"],
            command="find target -name '*.py' | sort | head -50"),
    Program("uv: an environment and an install", ["uv"],
            ["-c", "import subprocess, sys\n"
                   "subprocess.run(['{bin}/uv', 'venv', '-q', '--python', sys.executable, 'environment'], check=True)\n"
                   "subprocess.run(['{bin}/uv', 'pip', 'install', '-q', '--python', 'environment/bin/python', 'six==1.16.0', "
                   "'attrs==24.2.0'], check=True)\n"
                   "print(subprocess.run(['environment/bin/python', '-c', 'import six, attr; print(six.__version__)'], "
                   "capture_output=True, text=True).stdout)"]),
    Program("Jupyter: a notebook in its kernel", ["nbclient", "ipykernel", "nbformat"], ["notebook.py"],
            files={"notebook.py": NOTEBOOK}),
    Program("IPython: a session", ["ipython"], ["-m", "IPython", "--colors=NoColor", "--no-banner", "--simple-prompt"],
            input="x = [i for i in range(5)]\n%who\nsum(x)\ndef f():\n    raise ValueError(3)\n\nf()\nawait __import__('asyncio').sleep(0)\nexit\n"),
    Program("black (compiled by mypyc)", ["black==24.10.0"], ["-m", "black", "-q", "--diff", "application.py"],
            files={"application.py": APPLICATION}),
    Program("mypy (compiled by mypyc)", ["mypy==1.13.0"], ["-m", "mypy", "--no-incremental", "application.py"],
            files={"application.py": APPLICATION}),
]


def main():
    arguments = parsed()
    if arguments.table:
        print_table(arguments.state)
        return
    differing = 0
    for python in arguments.python:
        environment = Environment(python, arguments.state)
        for program in PROGRAMS:
            if arguments.only and not any(part.lower() in program.name.lower() for part in arguments.only):
                continue
            path = arguments.state / "results" / environment.version / (re.sub(r"\W+", "-", program.name) + ".json")
            if path.exists() and not arguments.again:
                continue
            found = compare(environment, program, arguments)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(found, indent=1))
            differing += bool(found["difference"])
            print(f"{environment.version} {program.name}: {found['result']} {found['difference'][:1500]}", flush=True)
    sys.exit(1 if differing else 0)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable], metavar="PY")
    parser.add_argument("--opmeter", default="target/release/opmeter", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--state", default=Path("popular-programs"), type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="programs whose names have one of these in them")
    parser.add_argument("--again", action="store_true", help="run also what was run before")
    parser.add_argument("--timeout", type=float, default=900, metavar="SECONDS")
    parser.add_argument("--table", action="store_true", help="print the results, and end")
    arguments = parser.parse_args()
    arguments.state = arguments.state.resolve()
    return arguments


class Environment:
    """A virtual environment of an interpreter."""

    def __init__(self, python, state):
        script = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
        self.version = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        self.folder, self.state = state / f"environment-{self.version}", state
        if not self.folder.exists():
            subprocess.run([python, "-m", "venv", self.folder], check=True)
        self.python = self.folder / "bin" / "python"

    def install(self, packages):
        """Whether the packages could be installed."""
        pip = [self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        return not packages or subprocess.run(pip, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def unpack(self, sdist, folder):
        """Unpacks a source distribution into a folder."""
        kept = self.state / "sdists"
        kept.mkdir(parents=True, exist_ok=True)
        name = sdist.replace("==", "-")
        if not list(kept.glob(name + ".tar.gz")):
            pip = [self.python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:", "-d", kept, sdist]
            subprocess.run(pip, check=True)
        with tarfile.open(next(kept.glob(name + ".tar.gz"))) as archive:
            for member in archive.getmembers():
                member.name = member.name.partition("/")[2]
                if member.name:
                    archive.extract(member, folder)


def compare(environment, program, arguments):
    if not environment.install(program.packages):
        return {"result": "its packages can't be installed", "difference": "", "seconds": [0, 0]}
    natives, metereds = [], []
    for _ in range(3):
        natives.append(run(environment, program, False, arguments))
        metereds.append(run(environment, program, True, arguments))
        if difference(natives, metereds) == "":
            break
    last = metereds[-1]
    tests = {kind: list(last["outcomes"].values()).count(kind) for kind in ("passed", "failed", "skipped")}
    text = ", ".join(f"{count} {kind}" for kind, count in tests.items() if count) or f"status {last['status']}"
    found = difference(natives, metereds)
    checks = sorted({run["check"] for run in metereds if run["check"]})
    return {
        "result": text, "difference": found or "; ".join(checks),
        "seconds": [natives[-1]["seconds"], last["seconds"]], "printed": last["printed"][-3000:],
    }


def run(environment, program, metered, arguments):
    folder = Path(tempfile.mkdtemp(prefix="popular-"))
    here = folder / "here"
    here.mkdir()
    if program.sdist:
        environment.unpack(program.sdist, here)
    for name, text in program.files.items():
        (here / name).write_text(text)
    junit, recording = folder / "junit.xml", folder / "out.opm"
    bin_folder = environment.folder / "bin"
    fill = lambda text: (text.replace("{junit}", str(junit)).replace("{here}", str(here)).replace("{bin}", str(bin_folder))
                         .replace("{python}", str(environment.python)))
    command = [str(environment.python), *map(fill, program.arguments)]
    if metered:
        command = [arguments.opmeter, "record", "--quiet", "-o", str(recording), "--", *command]
    variables = dict(os.environ, PYTHONHASHSEED="0", HOME=str(folder), NO_COLOR="1", PYTHONDONTWRITEBYTECODE="1",
                     PATH=f"{bin_folder}:{os.environ['PATH']}", COLUMNS="100", **program.environment)
    begun = time.monotonic()
    try:
        done = subprocess.run(command, input=program.input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", cwd=here, env=variables, timeout=arguments.timeout)
        status, printed = done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        status, printed = "timeout", str(expired.stdout)
    seconds = round(time.monotonic() - begun, 2)
    if program.command:
        after = subprocess.run(fill(program.command), shell=True, cwd=here, env=variables, capture_output=True, text=True)
        printed += after.stdout + after.stderr
    found = {"status": status, "seconds": seconds, "printed": printed, "outcomes": outcomes(junit, name_of), "check": ""}
    found["compared"] = "" if found["outcomes"] else normalised(printed, folder)
    if metered:
        found["check"] = check(arguments.opmeter, recording)
    shutil.rmtree(folder, ignore_errors=True)
    return found


def name_of(case):
    return f"{case.get('classname')}.{case.get('name')}"


def normalised(text, folder):
    """What is printed without what differs from run to run."""
    text = text.replace(str(folder), "")
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[ T][0-9:.]+", "", text)
    text = re.sub(r"\btmp\w{8}\b", "", text)
    text = re.sub(r"popular-\w+", "", text)
    text = re.sub(r"\b\d+(\.\d+)? ?(s|ms|us|seconds)\b", "", text)
    return text


def difference(natives, metereds):
    """Where no native run did what a metered one did: what differs; else nothing."""
    if not {run["status"] for run in natives} & {run["status"] for run in metereds}:
        return f"ended with {natives[-1]['status']} and {metereds[-1]['status']}: {metereds[-1]['printed'][-2000:]}"
    if not {run["compared"] for run in natives} & {run["compared"] for run in metereds}:
        return f"printed {natives[-1]['compared'][-1500:]!r} and {metereds[-1]['compared'][-1500:]!r}"
    cases = {case for run in natives + metereds for case in run["outcomes"]}
    seen = lambda runs, case: {run["outcomes"].get(case, "absent") for run in runs}
    differing = [case for case in sorted(cases) if not seen(natives, case) & seen(metereds, case)]
    return "; ".join(f"{case}: {seen(natives, case)} and {seen(metereds, case)}" for case in differing)


def in_table(found):
    if found["difference"]:
        return "**different**"
    return found["result"].replace("status 0", "the same").replace("status 1", "the same, status 1")


def print_table(state):
    versions = sorted((path for path in (state / "results").iterdir()), key=lambda p: [int(n) for n in p.name.split(".")])
    print("| program | " + " | ".join(path.name for path in versions) + " |")
    print("|---" * (len(versions) + 1) + "|")
    for program in PROGRAMS:
        cells = []
        for path in versions:
            file = path / (re.sub(r"\W+", "-", program.name) + ".json")
            found = json.loads(file.read_text()) if file.exists() else None
            cells.append("" if not found else in_table(found))
        print(f"| {program.name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
