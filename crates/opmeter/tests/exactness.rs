//! The meter against independent counters, on every interpreter of this machine.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

#[path = "support/at_once.rs"]
mod at_once;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;

use interpreters::Interpreter;

/// Runs every workload metered, and under `sys.monitoring` or `sys.settrace`: opcode by opcode, cell by cell
/// and line by line, all counts must be equal.
#[test]
fn counts_equal_an_independent_counters() {
    check(&[], &[]);
}

/// The same while times are taken: timed and other slices alternate. Pairs are counted beside.
#[test]
fn counts_are_as_exact_while_times_are_taken() {
    check(&["--record", "--time=0.5"], &["pairs"]);
}

/// The same while every execution is told as an event.
#[test]
fn counts_are_as_exact_while_events_are_told() {
    check(&["--record", "--events"], &[]);
}

fn check(options: &[&str], tables: &[&str]) {
    let compared = at_once::each(interpreters::all(), |interpreter| compare(interpreter, options, tables));
    let mut failures = String::new();
    for (interpreter, (text, succeeded)) in interpreters::all().iter().zip(compared) {
        let report = format!("{}\n{text}\n", interpreter.path.display());
        println!("{report}");
        assert!(text.lines().count() > 20, "too few workloads ran: {report}");
        if !succeeded {
            failures.push_str(&report);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// What the comparison prints, and whether nothing differed.
fn compare(interpreter: &Interpreter, options: &[&str], more: &[&str]) -> (String, bool) {
    // From 3.14 on, a build without the global lock is counted by opcode only.
    let by_place = !interpreter.free_threaded || interpreter.version <= (3, 13);
    let tables: &[&str] = if by_place { &["opcodes", "instructions", "lines"] } else { &["opcodes"] };
    let compare = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/independent/compare.py");
    let output = Command::new(&interpreter.path)
        .arg(&compare)
        .args(options)
        .args(["--tables", &[tables, more].concat().join(",")])
        .arg(env!("CARGO_BIN_EXE_opmeter"))
        .arg(&interpreter.path)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}
