//! `opmeter range` and `opmeter synthesize` on real interpreters. Nothing is asserted of how long anything takes:
//! programs sleep for a known time where time has to pass.
#![allow(clippy::unwrap_used)]

#[path = "support/at_once.rs"]
mod at_once;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use interpreters::{all, any, one_of_each_version};
use opmeter_synthesis::{RangeEntry, RangeFile};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A folder with templates.
struct Templates(TempDir);

impl Templates {
    fn new(templates: &[(&str, &str)]) -> Templates {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in templates {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Templates(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.current_dir(self.0.path()).args(arguments);
        command.arg("--python").arg(&any().path);
        command
    }

    /// Runs a subcommand of opmeter.
    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(&self.command(arguments).output().unwrap())
    }

    fn entry(&self, template: &str) -> RangeEntry {
        RangeFile::beside(self.0.path()).entry(template).unwrap().unwrap()
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// What a command printed, and its status.
#[derive(Debug)]
struct Ran {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn new(output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran { status: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// A template of a program that does this, where N stands for n.
fn template(body: &str) -> String {
    format!("def program(n):\n    return {:?}.replace('N', str(n))\n", format!("{body}\n"))
}

/// A target that no program here reaches.
const FAR: &str = "--target=60";

#[test]
fn the_ends_at_which_programs_fail_are_found_exactly() {
    let body = "if N < 5: raise ValueError('below five')\nif N > 23: raise OverflowError('above 23')";
    let templates =
        Templates::new(&[("both.py", &template(body)), ("from_one.py", &template("print(N / (N < 9))"))]);
    let ran = templates.run(&["range", "both.py", "from_one.py", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let entry = templates.entry("both.py");
    assert_eq!((entry.smallest, entry.largest), (Some(5), Some(23)));
    assert_eq!(entry.smallest_error.unwrap(), "n = 4: ValueError: below five");
    assert_eq!(entry.largest_error.unwrap(), "n = 24: OverflowError: above 23");
    assert_eq!((&*entry.smallest_stopped_by, &*entry.largest_stopped_by), ("fails below", "fails above"));
    assert!(entry.found && entry.monotone && entry.seconds_at_largest.unwrap() > 0.0);
    assert_eq!((entry.target_seconds, &*entry.function), (60.0, "program"));
    assert_eq!(Path::new(&entry.python_executable), fs::canonicalize(&entry.python_executable).unwrap());
    assert!(entry.python_version.starts_with(&format!("3.{}.", any().version.1)), "{}", entry.python_version);
    assert!(!entry.cpu.is_empty() && !entry.hostname.is_empty());
    assert!(entry.probes.iter().any(|probe| probe.n == 4 && probe.error.is_some()));
    assert!(entry.probes.iter().any(|probe| probe.n == 23 && probe.seconds.is_some()));
    let entry = templates.entry("from_one.py");
    assert_eq!((entry.smallest, entry.largest, &*entry.smallest_stopped_by), (Some(1), Some(8), "runs at 1"));

    assert!(ran.stdout.contains("fails above") && ran.stdout.contains("below five"), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'));
    // A line for each run.
    let probes = templates.entry("both.py").probes.len();
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("both.py: n = ")).count(), probes);
}

#[test]
fn the_target_time_is_reached() {
    let templates = Templates::new(&[("naps.py", &template("import time\ntime.sleep(N * 0.1)"))]);
    let ran = templates.run(&["range", "naps.py", "--target", "1.2"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let entry = templates.entry("naps.py");
    // A sleep is never shorter than it should be, however busy the machine is.
    assert!(entry.largest.unwrap() <= 12 && entry.seconds_at_largest.unwrap() <= 1.2, "{entry:?}");
    assert_eq!(entry.largest_stopped_by, "reached target");
    assert!(entry.probes.iter().any(|probe| probe.seconds.is_none_or(|seconds| seconds > 1.2)));
}

#[test]
fn what_has_no_range_is_told() {
    let templates = Templates::new(&[
        ("never.py", &template("print(N)")),
        ("slow.py", &template("import time\ntime.sleep(600)")),
        ("fails.py", &template("print('so')\nraise LookupError('at N')")),
        ("exits.py", &template("import os\nos._exit(7)")),
        ("killed.py", &template("import os\nos.kill(os.getpid(), 11)")),
    ]);
    let ran = templates.run(&["range", "never.py", FAR]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("never slow: n = 1,073,741,824, the highest that was tried"), "{ran:?}");
    let entry = templates.entry("never.py");
    assert_eq!(
        (entry.found, entry.largest, &*entry.largest_stopped_by),
        (false, Some(1 << 30), "never slow")
    );

    let ran = templates.run(&["range", "slow.py", "--target", "0.3"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("too slow already at the smallest n = 1"), "{ran:?}");
    assert_eq!(templates.entry("slow.py").largest_stopped_by, "too slow at the smallest n");

    let ran = templates.run(&["range", "fails.py", "exits.py", "killed.py", FAR]);
    assert_eq!(ran.status, Some(1));
    for told in ["LookupError: at 1", "exit status 7", "ended by signal 11"] {
        let line = ran.stdout.replace("\n    ", " ");
        let told = format!("fails at every n that was tried, from 1 to 1,048,576; n = 1: {told}");
        assert!(line.contains(&told), "{told}: {}", ran.stdout);
    }
    assert_eq!(templates.entry("fails.py").smallest, None);
}

#[test]
fn times_that_fall_as_n_grows_are_told() {
    let body = "import time\nif N > 12: raise ValueError\ntime.sleep(0.7 if N in (4, 8) else 0)";
    let templates = Templates::new(&[("uneven.py", &template(body))]);
    let ran = templates.run(&["range", "uneven.py", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("time is not monotone in n"), "{ran:?}");
    let entry = templates.entry("uneven.py");
    assert!(!entry.monotone && entry.notes[0].contains("not monotone"), "{:?}", entry.notes);
}

#[test]
fn a_template_that_can_not_be_used_says_why() {
    let cases = [
        ("def program(n):\n    print('print(1)')\n", 1, "printed \"print(1)\""),
        ("print('hello')\ndef program(n):\n    return ''\n", 1, "printed \"hello\""),
        ("import os\ndef program(n):\n    os.write(1, b'x\\n')\n    return ''\n", 1, "printed \"x\""),
        ("def program(n):\n    raise KeyError('ä')\n", 1, "the template raised KeyError: 'ä' (line 2)"),
        ("def program(n):\n    return None\n", 1, "program returned NoneType, which is no text"),
        ("def program(n):\n    return 'x = = 1'\n", 1, "no valid Python: SyntaxError: invalid syntax"),
        ("def program(n):\n    return chr(0xd800)\n", 1, "can't be written as UTF-8"),
        ("def program(n):\n    return 'a\\0b'\n", 1, "no valid Python"),
        ("import os\ndef program(n):\n    os._exit(3)\n", 1, "program ended the interpreter: exit status 3"),
        ("def program(n)\n    return ''\n", 1, "can't be loaded: SyntaxError"),
        ("1 / 0\n", 1, "can't be loaded: ZeroDivisionError: division by zero (line 1)"),
        ("import sys\nsys.exit('so')\n", 1, "can't be loaded: SystemExit: so"),
        ("x = 1\n", 1, "no public function that can be called with n alone"),
        (
            "def a(x):\n    return ''\ndef b(y):\n    return ''\n",
            1,
            "several functions of one argument: a, b",
        ),
        ("def program(n, m):\n    return ''\n", 1, "no public function"),
    ];
    let numbered: Vec<(usize, _)> = cases.iter().enumerate().collect();
    at_once::each(&numbered, |(number, (text, status, told))| {
        let templates = Templates::new(&[("bad.py", text)]);
        let ran = templates.run(&["range", "bad.py", FAR]);
        assert_eq!(ran.status, Some(*status), "{number}: {ran:?}");
        let all = (ran.stderr + &ran.stdout).replace("\n    ", " ");
        assert!(all.contains(told), "{told}: {all}");
    });
}

#[test]
fn a_template_that_comes_to_no_end_is_given_up() {
    let templates = Templates::new(&[("endless.py", "def program(n):\n    while True:\n        pass\n")]);
    let ran = templates.run(&["range", "endless.py", FAR]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("program did not return within 10 s for n = 1; mend it"), "{ran:?}");
    assert!(!templates.path("range.toml").exists());
}

#[test]
fn the_function_is_the_only_one_that_fits_or_the_one_that_is_asked_for() {
    let text = "
import functools
from os.path import basename

def indented(text):
    return '    ' + text

@functools.lru_cache(maxsize=None)
def sized(n):
    return 'x = 1\\n' * n if n < 6 else '1 / 0'

def _private(n):
    return ''

class Helper:
    def __init__(self, n):
        pass

def two(n, text):
    return text

def many(size, *rest):
    return '1 / (%d < 3)' % size
";
    let templates = Templates::new(&[("some.py", text)]);
    let ran = templates.run(&["range", "some.py", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let entry = templates.entry("some.py");
    assert_eq!((&*entry.function, entry.largest), ("sized", Some(5)));
    let ran = templates.run(&["range", "some.py", FAR, "--function", "many"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let entry = templates.entry("some.py");
    assert_eq!((&*entry.function, entry.largest), ("many", Some(2)));
    let ran = templates.run(&["range", "some.py", FAR, "--function", "other"]);
    assert_eq!(ran.status, Some(1));
    assert!(
        ran.stderr.contains("no function other; its functions are: indented, sized, two, many"),
        "{ran:?}"
    );
}

#[test]
fn programs_run_alone_without_input_in_a_folder_of_their_own() {
    let body = "
import os, sys
assert sys.stdin.read() == ''
assert os.listdir('.') == [os.path.basename(__file__)], os.listdir('.')
assert os.path.basename(__file__) == 'tidy-nN.py', __file__
assert os.getpgrp() == os.getpid()
open('left-behind', 'w').close()
sys.stdout.write('x' * 10 ** 6)
sys.stderr.write('x' * 10 ** 6)
if N > 3: raise ValueError
";
    let templates = Templates::new(&[("tidy.py", &template(body))]);
    let ran = templates.run(&["range", "tidy.py", FAR]);
    assert_eq!((ran.status, templates.entry("tidy.py").largest), (Some(0), Some(3)), "{ran:?}");
    assert_eq!(templates.files("."), ["range.toml", "tidy.py"]);
}

/// Whether a process runs, and has not merely not been waited for.
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_run_that_is_ended_takes_its_children_with_it() {
    let scratch = tempfile::tempdir().unwrap();
    let pids = scratch.path().join("pids");
    let body = format!(
        "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nprint(child.pid, file=open({:?}, 'a'))\nchild.wait()",
        pids.to_str().unwrap()
    );
    let templates = Templates::new(&[("parent.py", &template(&body))]);
    let ran = templates.run(&["range", "parent.py", "--target", "0.1", "--timeout", "3"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let pids = fs::read_to_string(&pids).unwrap();
    assert!(pids.lines().count() > 0 && !pids.lines().any(runs), "{pids}");
}

#[test]
fn a_signal_ends_the_search_and_the_program() {
    let scratch = tempfile::tempdir().unwrap();
    let started = scratch.path().join("started");
    let body = format!(
        "import os, time\nwith open({0:?} + '~', 'w') as file: file.write('%d\\n%s' % (os.getpid(), os.getcwd()))\n\
         os.rename({0:?} + '~', {0:?})\ntime.sleep(600)",
        started.to_str().unwrap()
    );
    let templates = Templates::new(&[("sleeper.py", &template(&body))]);
    let mut command = templates.command(&["range", "sleeper.py", FAR]);
    let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    while !started.exists() {
        assert!(child.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    let started = fs::read_to_string(&started).unwrap();
    let (pid, folder) = started.split_once('\n').unwrap();
    assert!(!runs(pid) && !Path::new(folder).exists(), "{started}");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let templates = Templates::new(&[("a.py", &template("print(N)"))]);
    for arguments in [
        &["range"][..],
        &["range", "a.py", "--target", "0"],
        &["range", "a.py", "--target", "soon"],
        &["range", "a.py", "--target", "5", "--timeout", "2"],
        &["synthesize"],
        &["synthesize", "a.py", "--count", "1"],
        &["synthesize", "a.py", "--spacing", "even"],
        &["synthesize", "a.py", "--min", "9", "--max", "3"],
        &["synthesize", "a.py", "--min", "0", "--max", "3"],
    ] {
        let ran = templates.run(arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {ran:?}");
    }
    for path in ["missing.py", "a.txt"] {
        let ran = templates.run(&["range", path]);
        assert_eq!(ran.status, Some(1), "{ran:?}");
        assert!(ran.stderr.contains(path), "{ran:?}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_opmeter"))
        .current_dir(templates.0.path())
        .args(["range", "a.py", "--python", "/nowhere/python3"])
        .output()
        .unwrap();
    let ran = Ran::new(&output);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("/nowhere/python3 could not be started"), "{ran:?}");
}

#[test]
fn programs_are_written_over_the_range_with_both_borders() {
    let body = "if N < 3 or N > 2000: raise ValueError\nprint('ä', N)";
    let templates = Templates::new(&[("odd.py", &template(body))]);
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("searching the range of odd.py"), "{ran:?}");
    let files = templates.files("odd-programs");
    assert_eq!(files.len(), 11);
    assert_eq!(
        (&*files[0], &*files[9], &*files[10]),
        ("odd-n000003.py", "odd-n002000.py", "synthesized.toml")
    );
    let source = fs::read_to_string(templates.path("odd-programs/odd-n000003.py")).unwrap();
    assert!(source.ends_with("print('ä', 3)\n"), "{source}");

    // The range is known now, and what is there is left.
    let listed = fs::read_to_string(templates.path("odd-programs/synthesized.toml")).unwrap();
    let row = listed.split("[\"odd-n002000.py\"]").nth(1).unwrap();
    assert!(row.contains("template = \"odd.py\"") && row.contains("n = 2000\n") && row.contains("sha256 = "));
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains("searching") && ran.stdout.contains("10 there already"), "{ran:?}");
    assert_eq!(fs::read_to_string(templates.path("odd-programs/synthesized.toml")).unwrap(), listed);

    // What differs is not.
    fs::write(templates.path("odd-programs/odd-n000003.py"), "mine\n").unwrap();
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("odd-n000003.py exists") && ran.stderr.contains("--force"), "{ran:?}");
    let ran = templates.run(&["synthesize", "odd.py", "--count", "10", "--force"]);
    assert!(ran.stdout.contains("1 replaced, 9 there already"), "{ran:?}");

    // A range of another target or content is searched anew.
    let ran = templates.run(&["synthesize", "odd.py", "--target", "50"]);
    assert!(ran.stderr.contains("searching"), "{ran:?}");
    assert_eq!(templates.entry("odd.py").target_seconds, 50.0);
    fs::write(templates.path("odd.py"), template("if N > 4: raise ValueError")).unwrap();
    let ran = templates.run(&["synthesize", "odd.py", "-o", "few", FAR]);
    assert!(ran.stderr.contains("searching"), "{ran:?}");
    assert!(ran.stdout.contains("4 programs, n = 1 to 4; the range holds no 20 sizes"), "{ran:?}");
    assert_eq!(templates.files("few").len(), 5);
}

#[test]
fn given_ends_need_no_range() {
    let templates = Templates::new(&[
        ("a.py", &template("print(N)")),
        ("b.py", &template("print(-N)")),
        ("picky.py", "def program(n):\n    return 'pass' if n < 40 else 'x = = 1'\n"),
    ]);
    let ends = ["--min", "10", "--max", "50", "--count", "5", "--spacing", "linear"];
    let ran = templates.run(&[&["synthesize", "a.py", "b.py", "-o", "all"][..], &ends].concat());
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let names: Vec<String> = ["a", "b"]
        .iter()
        .flat_map(|stem| [10, 20, 30, 40, 50].map(|n| format!("{stem}-n{n:06}.py")))
        .chain(["synthesized.toml".to_owned()])
        .collect();
    assert_eq!(templates.files("all"), names);
    assert!(!templates.path("range.toml").exists());

    let ran = templates.run(&[&["synthesize", "picky.py"][..], &ends].concat());
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("no program for n = 40") && ran.stderr.contains("SyntaxError"), "{ran:?}");
    assert!(!templates.path("picky-programs").exists());

    // Two templates of one name can't share a folder.
    fs::create_dir(templates.path("other")).unwrap();
    fs::write(templates.path("other/a.py"), template("print(2 * N)")).unwrap();
    let ran = templates.run(&[&["synthesize", "a.py", "other/a.py", "-o", "both"][..], &ends].concat());
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("would come from both"), "{ran:?}");
}

#[test]
fn a_template_without_a_range_gives_no_programs_but_of_given_ends() {
    let templates = Templates::new(&[("never.py", &template("print(N)"))]);
    let ran = templates.run(&["synthesize", "never.py", FAR]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("no largest n was found: never slow"), "{ran:?}");
    let ran = templates.run(&["synthesize", "never.py", "--max", "30", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(templates.files("never-programs").len(), 21);
}

/// The templates that come with the project.
fn own_templates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/templates");
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
    paths.sort();
    paths
}

/// Writes the programs of this size of all templates of the project to a folder.
fn synthesize_own(folder: &Path, python: &Path, n: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_opmeter"))
        .args(["synthesize", "--min", n, "--max", n, "-o"])
        .arg(folder)
        .arg("--python")
        .arg(python)
        .args(own_templates())
        .output()
        .unwrap();
    // Where another interpreter had given another program, it would be told that that one exists.
    assert!(output.status.success(), "{}: {:?}", python.display(), Ran::new(&output));
}

#[test]
fn the_smallest_programs_of_all_templates_print_the_same_on_every_interpreter() {
    let templates = own_templates();
    assert!(templates.len() >= 12);
    let folder = tempfile::tempdir().unwrap();
    for n in ["1", "12"] {
        for interpreter in one_of_each_version() {
            synthesize_own(folder.path(), &interpreter.path, n);
        }
    }
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let programs: Vec<PathBuf> = names.filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
    assert_eq!(programs.len(), 2 * templates.len());
    let printed = at_once::each(all(), |interpreter| {
        let run = |program: &PathBuf| {
            let mut command = Command::new(&interpreter.path);
            let output = command.args(["-W", "error"]).arg(program).output().unwrap();
            let ran = Ran::new(&output);
            assert!(ran.status == Some(0) && ran.stderr.is_empty(), "{program:?}: {ran:?}");
            assert!(ran.stdout.ends_with('\n') && ran.stdout.len() < 400, "{program:?}: {ran:?}");
            (program.clone(), ran.stdout)
        };
        programs.iter().map(run).collect::<BTreeMap<PathBuf, String>>()
    });
    for (other, interpreter) in printed.iter().zip(all()) {
        assert_eq!(*other, printed[0], "{}", interpreter.path.display());
    }
}
