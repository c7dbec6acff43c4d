//! Interpreters that can't be metered: small programs that look like one, built with the system's C compiler.
#![allow(clippy::unwrap_used)]

#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use opmeter_opcodes::OpcodeTable;
use opmeter_recording::ProcessState;
use recorded::{opmeter, record, record_with};

/// Builds a program that says it is CPython of a version, has `tables` dispatch tables of 3.12, and prints
/// `ran`.
fn impostor(folder: &Path, version: &str, tables: usize) -> PathBuf {
    let mut source = String::from("#include <stdio.h>\n#include <stdlib.h>\n");
    let opcodes = OpcodeTable::built_in(3, 12).unwrap();
    source.push_str("void unknown(void) { abort(); }\n");
    for opcode in opcodes.iter() {
        writeln!(source, "void f{0}(void) {{ printf(\"{0}\"); }}", opcode.number).unwrap();
    }
    for table in 0..tables {
        let entry = |number: u8| opcodes.get(number).map_or("unknown".to_owned(), |_| format!("f{number}"));
        let entries: Vec<String> = (0..=255).map(entry).collect();
        writeln!(source, "void (*const volatile table{table}[256])(void) = {{ {} }};", entries.join(", "))
            .unwrap();
    }
    writeln!(source, "const char *Py_GetVersion(void) {{ return \"{version} (impostor)\"; }}").unwrap();
    source.push_str("int main(void) { puts(\"ran\"); return 0; }\n");
    let (file, program) = (folder.join("impostor.c"), folder.join("impostor"));
    std::fs::write(&file, source).unwrap();
    let built =
        Command::new("cc").args(["-O0", "-rdynamic", "-o"]).arg(&program).arg(&file).status().unwrap();
    assert!(built.success());
    program
}

fn is_refused(version: &str, tables: usize, reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let program = impostor(folder.path(), version, tables);
    let refused = record([&program]);
    assert_eq!(refused.output.status.code(), Some(125), "{}", refused.stderr());
    assert_eq!(refused.stdout(), "", "the program ran");
    for part in [reason, "--best-effort", version] {
        assert!(refused.stderr().contains(part), "expected {part:?} in: {}", refused.stderr());
    }
    assert!(!refused.path().exists());
    let run = record_with(&["--best-effort"], [&program]);
    assert_eq!(run.output.status.code(), Some(0));
    assert_eq!(run.stdout(), "ran\n");
    assert!(run.stderr().contains(reason), "{}", run.stderr());
    let doctor = opmeter().args(["doctor", "--python"]).arg(&program).output().unwrap();
    assert_eq!(doctor.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&doctor.stdout).contains(reason));
}

#[test]
fn a_version_that_is_not_known() {
    is_refused("3.7.4", 1, "CPython 3.7 is not known");
    is_refused("3.99.0", 1, "CPython 3.99 is not known");
}

#[test]
fn no_table_that_fits() {
    is_refused("3.12.3", 0, "dispatch table was not found");
    // 3.11 has other opcodes: a table of 3.12 does not fit.
    is_refused("3.11.3", 1, "dispatch table was not found");
}

#[test]
fn two_tables_that_fit() {
    is_refused("3.12.3", 2, "2 tables in memory fit");
}

/// Stopping it would harm a program that is being metered.
#[test]
fn what_a_metered_program_starts_is_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let program = impostor(folder.path(), "3.7.4", 0);
    let start = format!("import subprocess; subprocess.check_call([{:?}])", program.to_str().unwrap());
    let recorded = record([interpreters::any().path.as_os_str(), "-c".as_ref(), start.as_ref()]);
    assert!(recorded.output.status.success(), "{}", recorded.stderr());
    assert_eq!(recorded.stdout(), "ran\n");
    let manifest = recorded.recording().manifest;
    assert_eq!(manifest.processes[1].state, ProcessState::Unmetered);
    assert!(!manifest.complete && manifest.incomplete[0].contains("3.7"), "{:?}", manifest.incomplete);
}
