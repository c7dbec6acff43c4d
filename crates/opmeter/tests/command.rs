//! The command's contract: what it leaves alone, and what bad input gets.
#![allow(clippy::unwrap_used)]

#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use interpreters::{any, one_of_each_version};
use recorded::{opmeter, record, record_with};

#[test]
fn output_and_status_are_those_of_the_program() {
    let program = "
import sys
text = sys.stdin.read()
print('out', text, flush=True)
print('err', file=sys.stderr)
sys.exit(7)
";
    let run = |command: &mut Command| {
        let mut child = command
            .args(["-c", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"in").unwrap();
        child.wait_with_output().unwrap()
    };
    for interpreter in one_of_each_version() {
        let folder = tempfile::tempdir().unwrap();
        let plain = run(&mut Command::new(&interpreter.path));
        let metered = run(opmeter()
            .current_dir(folder.path())
            .args(["record", "--quiet", "-o", "out.opm", "--"])
            .arg(&interpreter.path));
        assert_eq!(metered, plain, "{}", interpreter.path.display());
        assert_eq!(metered.status.code(), Some(7));
    }
}

#[test]
fn an_interpreter_may_be_named_by_its_version() {
    let (major, minor) = any().version;
    let doctor = |name: &str| opmeter().args(["doctor", "--python", name]).output().unwrap();
    let output = doctor(&format!("{major}.{minor}"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains(&format!("CPython {major}.{minor}.")), "{text}");
    let output = doctor("3.99");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no interpreter 3.99"));
}

#[test]
fn the_table_goes_to_standard_error_and_fits_100_columns() {
    let recorded = record([any().path.as_os_str(), "-c".as_ref(), "print(sum(range(10)))".as_ref()]);
    assert_eq!(recorded.stdout(), "45\n");
    let table = recorded.stderr();
    assert!(table.contains("executions") && table.contains("LOAD_CONST"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
}

#[test]
fn a_signal_that_ends_the_program_ends_the_command() {
    for (number, name) in [(9, "KILL"), (15, "TERM"), (11, "SEGV")] {
        let program = format!("import os, signal; os.kill(os.getpid(), signal.SIG{name})");
        let recorded = record([any().path.as_os_str(), "-c".as_ref(), program.as_ref()]);
        assert_eq!(recorded.output.status.signal(), Some(number));
        assert_eq!(recorded.recording().manifest.exit.signal, Some(number));
    }
}

/// Starts to record a program to `out.opm` in a folder; returns once it has printed `ready`, with the lines
/// that it prints from then on.
fn start(folder: &Path, program: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = opmeter()
        .current_dir(folder)
        .args(["record", "--quiet", "-o", "out.opm", "--"])
        .arg(&any().path)
        .args(["-c", program])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    (child, lines)
}

#[test]
fn signals_are_passed_on_and_the_recording_is_whole() {
    let program = "
import signal, sys, time
def handler(number, frame):
    print('got', number, flush=True)
    sys.exit(5)
signal.signal(signal.SIGTERM, handler)
signal.signal(signal.SIGINT, handler)
print('ready', flush=True)
time.sleep(60)
";
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, mut lines) = start(folder.path(), program);
        Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), format!("got {number}"));
        assert_eq!(child.wait().unwrap().code(), Some(5));
        let recording = opmeter_recording::Recording::open(&folder.path().join("out.opm")).unwrap();
        assert!(recording.manifest.complete && !recording.tables.opcodes.is_empty());
    }
}

/// As whoever presses Ctrl-C, `timeout` and supervisors send them.
#[test]
fn signals_to_the_group_reach_the_program_once() {
    let program = "
import signal, sys, time
def handler(number, frame):
    print('got', number, flush=True)
    if number == signal.SIGTERM: sys.exit(5)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1): signal.signal(number, handler)
print('ready', flush=True)
while True: time.sleep(60)
";
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut lines) = start(folder.path(), program);
    let group = format!("-{}", child.id());
    let alone = child.id().to_string();
    for (name, number, to) in [
        ("HUP", 1, &group),
        ("USR1", 10, &group),
        ("USR1", 10, &alone),
        ("HUP", 1, &group),
        ("TERM", 15, &alone),
    ] {
        Command::new("kill").args(["-s", name, "--", to]).status().unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), format!("got {number}"));
        // Were it to come once more, it would come now.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert!(lines.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    // `timeout` sends a signal to the command, and at once to the group.
    let program = program
        .replace("print('ready', flush=True)", "")
        .replace("while True: time.sleep(60)", "time.sleep(2)");
    let run = format!("{} record -q -o o.opm -- {}", env!("CARGO_BIN_EXE_opmeter"), any().path.display());
    let output = shell(folder.path(), &format!("timeout -s HUP 1 {run} -c \"{program}\""));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "got 1\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs a line of the shell in a folder.
fn shell(folder: &Path, script: &str) -> std::process::Output {
    Command::new("sh").current_dir(folder).args(["-c", script]).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn whoever_ignores_ended_children_gets_the_recording_and_the_status() {
    // Not every shell can have this signal ignored.
    let ignoring = "
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
";
    let program = "import signal, sys; print(int(signal.getsignal(signal.SIGCHLD))); sys.exit(3)";
    let (python, folder) = (&any().path, tempfile::tempdir().unwrap());
    let run = |before: &[&str]| {
        let mut command = Command::new(python);
        command.current_dir(folder.path()).args(["-c", ignoring]).args(before);
        command.arg(python).args(["-c", program]).output().unwrap()
    };
    let opmeter = env!("CARGO_BIN_EXE_opmeter");
    let metered = run(&[opmeter, "record", "--quiet", "-o", "out.opm", "--"]);
    assert_eq!(metered, run(&[]));
    assert_eq!((metered.status.code(), &metered.stdout[..]), (Some(3), &b"1\n"[..]));
    let recording = opmeter_recording::Recording::open(&folder.path().join("out.opm")).unwrap();
    assert!(recording.manifest.complete && !recording.tables.opcodes.is_empty());
    let energy = run(&[opmeter, "energy", "-n", "2", "--warmup", "0", "--watts", "10", "-o", "e.opm", "--"]);
    let text = String::from_utf8_lossy(&energy.stderr);
    assert!(!text.contains("could not be started"), "{text}");
    let runs = opmeter_recording::Recording::open(&folder.path().join("e.opm")).unwrap().tables.runs;
    assert_eq!(runs.len(), 2, "{text}");
}

#[test]
fn the_first_process_of_a_namespace_ends_with_the_status_of_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let unshare = "unshare --pid --fork --mount-proc";
    if !shell(folder.path(), &format!("{unshare} true")).status.success() {
        eprintln!("not tested: there are no namespaces of processes here");
        return;
    }
    let script = format!(
        "{unshare} {} record -q -o out.opm -- {} -c 'import os; os.kill(os.getpid(), 15)'; echo $?",
        env!("CARGO_BIN_EXE_opmeter"),
        any().path.display()
    );
    let output = shell(folder.path(), &script);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "143\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let recording = opmeter_recording::Recording::open(&folder.path().join("out.opm")).unwrap();
    assert_eq!(recording.manifest.exit.signal, Some(15));
}

#[test]
fn an_error_that_nobody_can_be_told_keeps_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let record = format!("{} record -o out.opm -- no-such-command-at-all", env!("CARGO_BIN_EXE_opmeter"));
    for nowhere in ["2>/dev/full", "2>&-"] {
        assert_eq!(
            shell(folder.path(), &format!("{record} {nowhere}")).status.code(),
            Some(125),
            "{nowhere}"
        );
    }
}

#[test]
fn what_was_counted_before_the_command_was_killed_is_readable() {
    let folder = tempfile::tempdir().unwrap();
    let program = "
for i in range(12345): pass
print('ready', flush=True)
import time
time.sleep(1)
";
    let (mut child, _lines) = start(folder.path(), program);
    child.kill().unwrap();
    child.wait().unwrap();
    let read = |arguments: &[&str]| {
        let output = opmeter().current_dir(folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = read(&["export", "out.opm", "--table", "opcodes", "--format", "csv"]);
    assert!(turns(&table) >= 12_346, "{table}");
    let report = read(&["report", "out.opm"]);
    assert!(report.contains("interrupted"), "{report}");
}

/// Executions of `FOR_ITER` in the main phase, in whatever form, of a table in CSV.
fn turns(csv: &str) -> u64 {
    let rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|row| row[1] == "main" && row[3] == "FOR_ITER")
        .map(|row| row[5].parse::<u64>().unwrap())
        .sum()
}

fn fails(recorded: &recorded::Recorded, status: i32, says: &[&str]) {
    let text = recorded.stderr();
    assert_eq!(recorded.output.status.code(), Some(status), "{text}");
    for part in says {
        assert!(text.contains(part), "expected {part:?} in: {text}");
    }
}

#[test]
fn failures_before_the_program_runs_say_what_to_do() {
    fails(&record(["no-such-command-at-all"]), 125, &["no-such-command-at-all", "PATH"]);
    let wrong = opmeter().args(["record", "--no-such-option", "--", "true"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let none = opmeter().arg("record").output().unwrap();
    assert_eq!(none.status.code(), Some(2));
    let nowhere = opmeter().args(["record", "-o", "/proc/no/out.opm", "--", "true"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(125));
}

#[test]
fn a_command_without_cpython_runs_and_is_reported() {
    let recorded = record(["sh", "-c", "echo ran"]);
    fails(&recorded, 125, &["no CPython ran"]);
    assert_eq!(recorded.stdout(), "ran\n");
    assert!(!recorded.path().exists());
    // The command's own failure says more.
    fails(&record(["sh", "-c", "exit 3"]), 3, &["no CPython ran"]);
}

#[test]
fn an_output_that_exists_is_kept_unless_it_is_to_be_replaced() {
    let recorded = record([any().path.as_os_str(), "-c".as_ref(), "pass".as_ref()]);
    let before = fs::read(recorded.path().join("manifest.json")).unwrap();
    let again = |options: &[&str], command: &[&str]| {
        opmeter()
            .args(["record", "-o"])
            .arg(recorded.path())
            .args(options)
            .arg("--")
            .args(command)
            .output()
            .unwrap()
    };
    let python = any().path.to_str().unwrap();
    let refused = again(&[], &[python, "-c", "print('ran')"]);
    assert_eq!(refused.status.code(), Some(125));
    assert!(refused.stdout.is_empty() && String::from_utf8_lossy(&refused.stderr).contains("--force"));
    // A command that can't be started replaces nothing.
    assert_eq!(again(&["--force"], &["no-such-command-at-all"]).status.code(), Some(125));
    assert_eq!(fs::read(recorded.path().join("manifest.json")).unwrap(), before);
    assert!(again(&["--force"], &[python, "-c", "pass"]).status.success());
    assert_ne!(fs::read(recorded.path().join("manifest.json")).unwrap(), before);
    // A folder that is no recording is never replaced.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("precious"), "").unwrap();
    let kept = opmeter()
        .args(["record", "--force", "-o"])
        .arg(folder.path())
        .args(["--", python, "-c", "pass"])
        .output()
        .unwrap();
    assert_eq!(kept.status.code(), Some(125));
    assert!(folder.path().join("precious").exists());
}

#[test]
fn libraries_that_were_to_be_preloaded_still_are() {
    let library = any().path.clone();
    let recorded = {
        let folder = tempfile::tempdir().unwrap();
        let output = opmeter()
            .current_dir(folder.path())
            .env("LD_PRELOAD", "libc.so.6")
            .args(["record", "--quiet", "-o", "out.opm", "--"])
            .arg(&library)
            .args(["-c", "import os; print(os.environ['LD_PRELOAD'])"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(recorded.trim_end().ends_with(".so:libc.so.6"), "{recorded}");
}

#[test]
fn tables_are_exported_in_every_format() {
    let recorded = record([any().path.as_os_str(), "-c".as_ref(), "for i in range(99): pass".as_ref()]);
    let export = |arguments: &[&str]| {
        let output = opmeter().arg("export").arg(recorded.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let csv = String::from_utf8(export(&["--table", "opcodes", "--format", "csv"])).unwrap();
    assert!(csv.starts_with("process,phase,opcode,base_opcode,number,executions\n"), "{csv}");
    // 3.13 and later run some code of their own for a program on the command line.
    assert!((100..1000).contains(&turns(&csv)), "{csv}");
    let json = String::from_utf8(export(&["--table", "opcodes", "--format", "json"])).unwrap();
    assert_eq!(json.matches("\"opcode\"").count(), csv.lines().count() - 1);
    let file = recorded.path().join("../table.parquet");
    export(&["--table", "opcodes", "--format", "parquet", "-o", file.to_str().unwrap()]);
    assert_eq!(
        opmeter_recording::read_rows::<opmeter_recording::OpcodeRow>(&file).unwrap(),
        recorded.recording().tables.opcodes
    );
    let wrong =
        opmeter().args(["export", "nowhere.opm", "--table", "opcodes", "--format", "csv"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
}

#[test]
fn doctor_finds_every_interpreter_fit() {
    for interpreter in interpreters::all() {
        let output = opmeter().args(["doctor", "--python"]).arg(&interpreter.path).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {text}", interpreter.path.display());
        assert!(text.contains("every executed bytecode can be counted"), "{text}");
    }
    let wrong = opmeter().args(["doctor", "--python", "/bin/true"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
}

#[test]
fn best_effort_runs_what_cannot_be_metered() {
    // No room for counters: the folder of live files is taken away while the shell starts Python.
    let python = any().path.display();
    let script = format!("rm -rf \"$OPMETER_LIVE\"/control; {python} -c 'print(2)'");
    let recorded = record_with(&["--best-effort"], ["sh", "-c", &script]);
    assert_eq!(recorded.stdout(), "2\n");
}
