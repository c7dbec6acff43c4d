//! The meter against independent counters, on every interpreter of this machine.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;

/// Runs every workload metered, and under `sys.monitoring` or `sys.settrace`: all counts must be equal.
#[test]
fn counts_equal_an_independent_counters() {
    let compare = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/independent/compare.py");
    let mut failures = String::new();
    for interpreter in interpreters::all() {
        let output = Command::new(&interpreter.path)
            .arg(&compare)
            .arg(env!("CARGO_BIN_EXE_opmeter"))
            .arg(&interpreter.path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{}\n{text}", interpreter.path.display());
        assert!(text.lines().count() > 10, "too few workloads ran: {text}{:?}", output);
        if !output.status.success() {
            failures.push_str(&format!("{}\n{text}", interpreter.path.display()));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
