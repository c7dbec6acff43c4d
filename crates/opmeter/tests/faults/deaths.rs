//! Programs and commands that are killed.

use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::both::{OPMETER, adds_up, executions, recording};
use crate::interpreters::{Interpreter, one_of_each_version};

const PROGRAM: &str = "
import os
for i in range(12345): pass
print(os.getpid(), flush=True)
while True:
    for i in range(1000): pass
";

/// Starts a program that goes on for ever under the meter, in a group of processes of its own; gives the number of the
/// program's process as well.
fn start(interpreter: &Interpreter, folder: &Path) -> (Child, u32) {
    let mut command = Command::new(OPMETER);
    command.current_dir(folder).args(["record", "--quiet", "-o", "out.opm", "--"]).arg(&interpreter.path);
    command.args(["-c", PROGRAM]).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

fn kill(process: &str) {
    assert!(Command::new("kill").args(["-KILL", "--", process]).status().unwrap().success());
}

#[test]
fn a_program_that_is_killed_leaves_what_it_counted() {
    for interpreter in one_of_each_version() {
        let folder = tempfile::tempdir().unwrap();
        let (mut command, program) = start(interpreter, folder.path());
        kill(&program.to_string());
        assert_eq!(command.wait().unwrap().signal(), Some(9));
        let recording = recording(folder.path());
        assert_eq!(recording.manifest.exit.signal, Some(9));
        assert!(executions(&recording, "FOR_ITER") >= 12_346);
    }
}

#[test]
fn a_command_that_is_killed_leaves_the_program_running_and_what_it_counts_readable() {
    for interpreter in one_of_each_version() {
        let folder = tempfile::tempdir().unwrap();
        let (mut command, program) = start(interpreter, folder.path());
        command.kill().unwrap();
        command.wait().unwrap();
        let (first, second) = (counted(folder.path()), counted(folder.path()));
        assert!(second > first && first > 12_345, "{first} {second}");
        kill(&program.to_string());
        adds_up(folder.path());
        assert!(counted(folder.path()) >= second);
    }
}

/// All executions of `out.opm`, be it finished or not.
fn counted(folder: &Path) -> u64 {
    let exported = Command::new(OPMETER)
        .current_dir(folder)
        .args(["export", "out.opm", "--table", "opcodes", "--format", "json"])
        .output()
        .unwrap();
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&exported.stdout).unwrap();
    rows.iter().map(|row| row["executions"].as_u64().unwrap()).sum()
}

#[test]
fn a_program_and_its_command_that_are_killed_together_leave_what_was_counted() {
    for interpreter in one_of_each_version() {
        let folder = tempfile::tempdir().unwrap();
        let (mut command, _) = start(interpreter, folder.path());
        kill(&format!("-{}", command.id()));
        assert_eq!(command.wait().unwrap().signal(), Some(9));
        adds_up(folder.path());
        assert!(counted(folder.path()) > 12_345);
        let report =
            Command::new(OPMETER).current_dir(folder.path()).args(["report", "out.opm"]).output().unwrap();
        assert!(String::from_utf8_lossy(&report.stdout).contains("interrupted"), "{report:?}");
    }
}
