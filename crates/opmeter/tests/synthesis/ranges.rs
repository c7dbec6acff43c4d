//! `opmeter range`

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::at_once;
use crate::interpreters::any;
use crate::templates::{FAR, Ran, Templates, template};

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

    let ran = templates.run(&["range", "fails.py", FAR]);
    assert_eq!(ran.status, Some(1));
    let told = "fails at every n that was tried, from 1 to 1,048,576; n = 1: LookupError: at 1";
    assert!(ran.stdout.replace("\n    ", " ").contains(told), "{ran:?}");
    assert_eq!(templates.entry("fails.py").smallest, None);
}

#[test]
fn a_program_that_says_nothing_when_it_fails_is_told_by_how_it_ended() {
    let templates = Templates::new(&[
        ("exits.py", &template("import os\nif N > 1: os._exit(7)")),
        ("killed.py", &template("import os\nif N > 1: os.kill(os.getpid(), 11)")),
    ]);
    let ran = templates.run(&["range", "exits.py", "killed.py", FAR]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for told in ["exit status 7", "ended by signal 11 (segmentation fault)"] {
        assert!(ran.stdout.contains(&format!("fails at n = 2: {told}")), "{ran:?}");
    }
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
        ("def program(n):\n    print('print(1)')\n", "printed \"print(1)\""),
        ("print('hello')\ndef program(n):\n    return ''\n", "printed \"hello\""),
        ("import os\ndef program(n):\n    os.write(1, b'x\\n')\n    return ''\n", "printed \"x\""),
        ("def program(n)\n    return ''\n", "can't be loaded: SyntaxError"),
        ("1 / 0\n", "can't be loaded: ZeroDivisionError: division by zero (line 1)"),
        ("import sys\nsys.exit('so')\n", "can't be loaded: SystemExit: so"),
        ("x = 1\n", "no public function that can be called with n alone"),
        ("def a(x):\n    return ''\ndef b(y):\n    return ''\n", "several functions of one argument: a, b"),
        ("def program(n, m):\n    return ''\n", "no public function"),
    ];
    at_once::each(&cases, |(text, told)| {
        let templates = Templates::new(&[("bad.py", text)]);
        let ran = templates.run(&["range", "bad.py", FAR]);
        assert_eq!(ran.status, Some(1), "{ran:?}");
        assert!(ran.stderr.contains(told), "{told}: {ran:?}");
        assert!(!templates.path("range.toml").exists());
    });
}

#[test]
fn an_n_for_which_a_template_gives_no_program_says_why() {
    let cases = [
        ("raise KeyError('ä')", "the template raised KeyError: 'ä' (line 3)"),
        ("return None", "program returned NoneType, which is no text"),
        ("return 'x = = 1'", "no valid Python: SyntaxError: invalid syntax"),
        ("return chr(0xd800)", "can't be written as UTF-8"),
        ("return 'a\\0b'", "no valid Python"),
        ("import os; os._exit(3)", "program ended the interpreter: exit status 3"),
    ];
    at_once::each(&cases, |(statement, told)| {
        let text = format!("def program(n):\n    if n < 2: return ''\n    {statement}\n");
        let templates = Templates::new(&[("bad.py", &text)]);
        let ran = templates.run(&["range", "bad.py", FAR]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let error = templates.entry("bad.py").largest_error.unwrap();
        assert!(error.starts_with("n = 2: ") && error.contains(told), "{told}: {error}");
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
    assert!(pids.lines().count() > 0);
    // They were killed, and end when they get to it.
    while pids.lines().any(runs) {
        sleep(Duration::from_millis(10));
    }
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
