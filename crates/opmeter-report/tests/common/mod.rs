//! The recording that the tests report, and the comparison with files in `tests/golden`.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may fail, and no test uses everything")]

pub mod program;

use std::path::Path;
use std::{env, fs};

use opmeter_recording::{ExitStatus, Manifest, OpcodeRow, Phase, Process, ProcessState};

/// Compares `found` with a file of `tests/golden`, or writes the file where `UPDATE_GOLDEN` is set.
pub fn assert_golden(name: &str, found: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read(&path).unwrap();
    assert!(
        expected == found,
        "{name} differs; found:\n{}\nRun the tests with UPDATE_GOLDEN=1 to accept it.",
        String::from_utf8_lossy(found)
    );
}

pub fn process(process: u32, arguments: &[&str]) -> Process {
    Process {
        process,
        pid: 4000 + process,
        parent: process.checked_sub(1),
        executable: "/usr/bin/python3.11".into(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        implementation: "CPython".into(),
        python: "3.11.7".into(),
        state: ProcessState::Metered,
        end: "exited".into(),
        ..Process::default()
    }
}

pub fn manifest() -> Manifest {
    Manifest {
        command: vec!["python3".into(), "bench.py".into(), "--rounds".into(), "10 20".into()],
        wall_seconds: 12.345,
        exit: ExitStatus { code: Some(0), signal: None },
        complete: true,
        processes: vec![process(0, &["python3", "bench.py", "--rounds", "10 20"])],
        ..Manifest::default()
    }
}

/// A command of several processes, one of them refused, that ended by a signal.
pub fn incomplete_manifest() -> Manifest {
    let long = "import sys\nprint('a program on the command line that is too long for one line', sys.argv)";
    let mut free_threaded = process(1, &["python3.13t", "-c", long]);
    free_threaded.python = "3.13.0".into();
    free_threaded.free_threaded = true;
    let mut refused = process(2, &[]);
    refused.python = String::new();
    refused.implementation = String::new();
    refused.executable = "/opt/pypy/bin/pypy3".into();
    refused.state = ProcessState::Refused;
    refused.reason = Some("no dispatch table".into());
    Manifest {
        exit: ExitStatus { code: None, signal: Some(9) },
        complete: false,
        incomplete: vec![
            "Process 2 (/opt/pypy/bin/pypy3, pid 4002) was not metered: it has no table of code addresses \
             that fits any known version of CPython."
                .into(),
            "Second\u{1b}[31m.".into(),
        ],
        processes: vec![manifest().processes.remove(0), free_threaded, refused],
        ..manifest()
    }
}

pub fn rows() -> Vec<OpcodeRow> {
    let row = |process, phase, opcode: &str, base_opcode: &str, number, executions| OpcodeRow {
        process,
        phase,
        opcode: opcode.into(),
        base_opcode: base_opcode.into(),
        number,
        executions,
        time: None,
    };
    vec![
        row(0, Phase::Startup, "LOAD_CONST", "LOAD_CONST", 100, 1_234),
        row(0, Phase::Main, "LOAD_FAST", "LOAD_FAST", 124, 9_876_543_210),
        row(0, Phase::Main, "LOAD_FAST__LOAD_FAST", "LOAD_FAST", 80, 2_000_000_000),
        row(0, Phase::Main, "COMPARE_OP_INT_JUMP", "COMPARE_OP", 58, 1_500_000_000),
        row(0, Phase::Main, "COMPARE_OP_INT_JUMP/POP_JUMP_IF_FALSE", "POP_JUMP_IF_FALSE", 58, 1_500_000_000),
        row(0, Phase::Main, "LOAD_CONST", "LOAD_CONST", 100, 70_000_000),
        row(1, Phase::Main, "LOAD_ATTR_METHOD_LAZY_DICT", "LOAD_ATTR", 200, 3),
        row(1, Phase::Main, "RETURN_VALUE", "RETURN_VALUE", 83, 1),
        row(0, Phase::Shutdown, "LOAD_CONST", "LOAD_CONST", 100, 5),
    ]
}
