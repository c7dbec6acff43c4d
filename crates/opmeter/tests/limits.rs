//! Where room or time runs out: what is missing is told, and what there is adds up.
#![allow(clippy::unwrap_used)]

#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::path::Path;
use std::process::{Command, Output};

use interpreters::{any, one_of_each_version};
use opmeter_recording::{ProcessState, Recording};
use recorded::{opmeter, record, record_with};

/// Runs a shell script in a folder.
fn shell(folder: &Path, script: &str) -> Output {
    Command::new("sh").current_dir(folder).args(["-c", script]).output().unwrap()
}

/// Asserts that a recording's tables agree.
fn adds_up(folder: &Path, name: &str) {
    let output = opmeter().current_dir(folder).args(["report", name, "--check"]).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{text}");
}

/// A limit on the address space that leaves room for the interpreter, but not for the meter beside it.
#[test]
fn a_limited_address_space_is_said_to_be_so() {
    let python = any().path.display();
    let folder = tempfile::tempdir().unwrap();
    let limited = |kilobytes: u32| {
        let script = format!(
            "ulimit -v {kilobytes}; exec {} record --quiet --force -o out.opm -- {python} -c 'print(1)'",
            env!("CARGO_BIN_EXE_opmeter")
        );
        Command::new("sh").current_dir(folder.path()).args(["-c", &script]).output().unwrap()
    };
    // Whatever the limit, the program runs metered, or does not run and the status says so; or it can't
    // start at all, which is the system's word.
    let mut metered = 0;
    for kilobytes in [20_000, 40_000, 80_000, 200_000, 1_000_000] {
        let output = limited(kilobytes);
        if output.status.success() {
            assert_eq!(output.stdout, b"1\n");
            assert!(Path::new(&folder.path().join("out.opm/manifest.json")).exists());
            metered += 1;
        } else {
            assert!(output.stdout.is_empty(), "{kilobytes}: ran unmetered");
            assert!(!output.stderr.is_empty(), "{kilobytes}");
        }
    }
    assert!(metered > 0);
}

/// A program that limits its own address space, or its data, may take as much as without the meter, and is counted on.
#[test]
fn a_limit_that_a_program_sets_for_itself_is_its_own() {
    let program = "
import os, resource, sys
def work(n):
    for i in range(n): pass
work(1000)
which = getattr(resource, sys.argv[1])
resource.setrlimit(which, (1 << 30, resource.getrlimit(which)[1]))
print(len(bytes(50 << 20)), resource.getrlimit(which)[0])
try:
    bytes(2 << 30)
except MemoryError:
    print('too much')
work(2000)
exec('def new(n):\\n    for i in range(n): pass\\nnew(3000)')
if os.fork() == 0:
    work(4000)
    os._exit(0)
print(os.wait()[1])
";
    for interpreter in one_of_each_version() {
        for limit in ["RLIMIT_AS", "RLIMIT_DATA"] {
            for options in [&[][..], &["--pairs"], &["--time=1"], &["--events"]] {
                let command = [interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref(), limit.as_ref()];
                let recorded = record_with(options, command);
                let name = format!("{} {limit} {options:?}", interpreter.path.display());
                let text = String::from_utf8_lossy(&recorded.output.stdout);
                assert_eq!(text, "52428800 1073741824\ntoo much\n0\n", "{name}: {}", recorded.stderr());
                adds_up(recorded.folder(), "out.opm");
                let tables = recorded.recording().tables;
                let turns = |process: u32| {
                    let rows = tables.instructions.iter();
                    rows.filter(|row| row.process == process && &*row.opcode == "FOR_ITER")
                        .filter(|row| ["work", "new"].contains(&&*row.function))
                        .map(|row| row.executions)
                        .sum::<u64>()
                };
                assert_eq!([turns(0), turns(1)], [6003, 4001], "{name}");
            }
        }
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let program = "import json, logging, argparse\nprint(sum(range(9)))";
    for interpreter in one_of_each_version() {
        // The agent is unpacked by then.
        record([interpreter.path.as_os_str(), "-c".as_ref(), "pass".as_ref()]);
        let python = interpreter.path.display();
        let (mut whole, mut partial) = (0, 0);
        // Blocks of 512 or 1024 bytes. The first is too small for the counters.
        for blocks in [8, 128, 256, 512, 1024, 8192] {
            let script = format!(
                "ulimit -f {blocks}; exec {} record --quiet --force -o out.opm -- {python} -B -c '{program}'",
                env!("CARGO_BIN_EXE_opmeter")
            );
            let output = shell(folder.path(), &script);
            let name = format!("{python}, {blocks} blocks: {}", String::from_utf8_lossy(&output.stderr));
            if output.status.code() == Some(125) {
                assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{name}");
                continue;
            }
            assert!(output.status.success(), "{name}");
            assert_eq!(output.stdout, b"36\n", "{name}");
            adds_up(folder.path(), "out.opm");
            let Ok(Recording { manifest, .. }) = Recording::open(&folder.path().join("out.opm")) else {
                // The tables were too long themselves; the counters are still there.
                continue;
            };
            let unplaced = manifest.processes[0].dispatch.unplaced;
            assert_eq!(manifest.complete, unplaced == 0, "{name}: {:?}", manifest.incomplete);
            if manifest.complete {
                whole += 1;
            } else {
                partial += 1;
                assert!(manifest.incomplete[0].contains("no more room"), "{:?}", manifest.incomplete);
            }
        }
        assert!(whole > 0 && partial > 0, "{python}: {whole} {partial}");
    }
}

#[test]
fn children_that_are_killed_early_leave_what_they_counted() {
    let program = "
import subprocess, sys, time
children = 40
for i in range(children):
    child = subprocess.Popen([sys.executable, '-c', 'pass'])
    time.sleep(i * 0.03 / children)
    child.kill()
    child.wait()
";
    for interpreter in one_of_each_version() {
        let recorded = record_with(&[], [interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
        let name = interpreter.path.display();
        assert!(recorded.output.status.success(), "{name}: {}", recorded.stderr());
        let manifest = recorded.recording().manifest;
        for process in &manifest.processes {
            let reason = process.reason.as_deref().unwrap_or("none");
            let ended = process.state == ProcessState::Metered || reason.contains("it ended before");
            assert!(ended, "{name}: {process:?}");
        }
        let unplaced: Vec<_> = manifest.processes.iter().filter(|one| one.dispatch.unplaced > 0).collect();
        assert_eq!(manifest.incomplete.len(), unplaced.len(), "{name}: {:?}", manifest.incomplete);
        adds_up(recorded.folder(), "out.opm");
    }
}

#[test]
fn a_child_without_room_for_counters_does_not_count_for_its_parent() {
    let program = "
import os, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
if os.fork() == 0:
    for i in range(100000):
        pass
    os._exit(0)
os.wait()
";
    for interpreter in one_of_each_version() {
        let command = [interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref()];
        let recorded = record_with(&["--pairs"], command);
        let name = interpreter.path.display();
        assert!(recorded.output.status.success(), "{name}: {}", recorded.stderr());
        let recording = recorded.recording();
        let incomplete = &recording.manifest.incomplete;
        assert!(incomplete.iter().any(|text| text.contains("could not be given counters")), "{incomplete:?}");
        let opcodes: u64 = recording.tables.opcodes.iter().map(|row| row.executions).sum();
        let pairs: u64 = recording.tables.pairs.iter().map(|row| row.executions).sum();
        assert!(pairs <= opcodes && opcodes < 150_000, "{name}: {pairs} pairs of {opcodes}");
    }
}

#[test]
fn commands_at_the_same_time_do_not_take_each_others_places() {
    let folder = tempfile::tempdir().unwrap();
    let python = &any().path;
    let at_once = |options: &[&str], program: &str| {
        let start = |_| {
            let mut command = opmeter();
            command.current_dir(folder.path()).args(["record", "--quiet"]).args(options);
            command.arg("--").arg(python).args(["-c", program]).spawn().unwrap()
        };
        let children: Vec<_> = (0..4).map(start).collect();
        let succeeded = |child: std::process::Child| child.wait_with_output().unwrap().status.success();
        children.into_iter().map(succeeded).filter(|succeeded| *succeeded).count()
    };
    assert_eq!(at_once(&[], "pass"), 4);
    let names = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.iter().all(|path| Recording::open(path).unwrap().manifest.complete));
    // In one place only one can be made at a time.
    let program = "import time; time.sleep(0.5)";
    assert_eq!(at_once(&["-o", "one.opm"], program), 1);
    assert_eq!(at_once(&["--force", "-o", "one.opm"], program), 1);
    assert!(Recording::open(&folder.path().join("one.opm")).unwrap().manifest.complete);
}
