//! Times, on real interpreters: tables agree with each other, and time is charged to who spent it. How fast
//! anything is is no test; that a sleep lasts as long as it was asked to is.
#![allow(clippy::unwrap_used)]

#[path = "support/at_once.rs"]
mod at_once;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;

use interpreters::{Interpreter, any, one_of_each_version};
use opmeter_analysis::Check;
use opmeter_recording::{InstructionTime, Phase, Recording};
use recorded::{Recorded, opmeter, record_with};

/// Calls, generators, exceptions, callbacks from C code that return or raise, children.
const PROGRAM: &str = "\
import os, re
def work(n):
    total = 0
    for i in range(n):
        total += i * i
    return total
def source(n):
    for i in range(n):
        yield i
def failing(x):
    if x % 1000 == 999:
        raise ValueError(x)
    return -x
class Thing:
    def __init__(self, value): self.value = value
    def __lt__(self, other): return self.value < other.value
for _ in range(40):
    work(5000)
    sum(source(3000))
    sorted(range(2000), key=lambda x: -x)
    sorted([Thing(i * 7919 % 1000) for i in range(1000)])
    re.sub('[a-z]', lambda m: m.group().upper(), 'a1b2c3' * 300)
    try:
        sorted(range(3000), key=failing)
    except ValueError:
        pass
if os.fork() == 0:
    work(200000)
    os._exit(0)
os.wait()
";

fn record(python: &Interpreter, options: &[&str], program: &str) -> Recorded {
    let recorded = record_with(options, [python.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
    assert!(recorded.output.status.success(), "{}: {}", python.path.display(), recorded.stderr());
    recorded
}

/// The times of lines in the program itself, by number.
fn lines(recording: &Recording) -> BTreeMap<u32, InstructionTime> {
    let rows =
        recording.tables.lines.iter().filter(|row| row.phase == Phase::Main && &*row.file == "<string>");
    let mut lines: BTreeMap<u32, InstructionTime> = BTreeMap::new();
    for row in rows {
        lines.entry(row.line).or_default().add(row.time.as_ref().unwrap());
    }
    lines
}

#[test]
fn tables_agree() {
    for share in ["--time", "--time=0.02", "--time=1"] {
        at_once::each(&one_of_each_version(), |python| {
            let recorded = record(python, &[share], PROGRAM);
            let recording = recorded.recording();
            let name = format!("{} {share}", python.path.display());
            assert!(Check::new(&recording.manifest, &recording.tables).is_ok(), "{name}");
            assert!(recording.manifest.complete, "{name}: {:?}", recording.manifest.incomplete);
            for process in &recording.manifest.processes {
                let timing = process.timing.as_ref().unwrap();
                assert!((1e8..1e11).contains(&timing.tsc_hz), "{name}: {timing:?}");
                assert!(timing.probe_cycles.is_finite(), "{name}: {timing:?}");
                // The child may end before a slice is timed.
                assert!(timing.timed_executions > 0 || process.process > 0, "{name}: {timing:?}");
            }
            assert_eq!(recording.manifest.processes.len(), 2, "{name}");
            check_sums(&recording, &name);
        });
    }
}

/// Opcodes, instructions, lines and distributions add up to the same.
fn check_sums(recording: &Recording, name: &str) {
    let tables = &recording.tables;
    let mut by_base: BTreeMap<(u32, Phase, &str), [u64; 3]> = BTreeMap::new();
    for row in &tables.opcodes {
        let time = row.time.as_ref().unwrap();
        assert!(time.timed_executions <= row.executions, "{name}: {row:?}");
        assert!(time.min <= time.p50 && time.p50 <= time.p90, "{name}: {row:?}");
        assert!(time.p90 <= time.p99 && time.p99 <= time.max, "{name}: {row:?}");
        let sums = by_base.entry((row.process, row.phase, &row.base_opcode)).or_default();
        sums[0] += time.cycles_raw;
        sums[1] += time.cycles_net;
    }
    let opcodes = by_base.values().map(|sums| sums[1]).sum::<u64>() as f64;
    let mut instructions = 0.0;
    for row in &tables.instructions {
        let time = row.time.as_ref().unwrap();
        assert!(time.timed_executions <= row.executions, "{name}: {row:?}");
        instructions += time.cycles_net as f64;
        if let Some(sums) = by_base.get_mut(&(row.process, row.phase, &*row.opcode)) {
            sums[2] += time.cycles_raw;
        }
    }
    let lines: u64 = tables.lines.iter().map(|row| row.time.as_ref().unwrap().cycles_net).sum();
    assert!(opcodes > 0.0, "{name}");
    assert!((instructions / opcodes - 1.0).abs() < 1e-3, "{name}: {instructions} {opcodes}");
    assert_eq!(lines as f64, instructions, "{name}");
    for (base, [raw, _, cells]) in by_base {
        // What has no place has no cell either.
        assert!(cells <= raw, "{name}: {base:?}: {cells} cycles in cells, {raw} by opcode");
    }
    let timed: u64 = tables.opcodes.iter().map(|row| row.time.as_ref().unwrap().timed_executions).sum();
    let distributed: u64 = tables.distributions.iter().map(|row| row.executions).sum();
    // Executions that are under way when a slice or the program ends are in no distribution, nor are those that
    // return to C code; repeated dispatches are.
    assert!(distributed > timed / 2 && distributed < timed * 3 / 2, "{name}: {distributed} of {timed}");
}

#[test]
fn a_sleep_is_where_it_was() {
    let program = "\
import time
def work():
    for i in range(200000):
        i * i
work()
time.sleep(0.25)
work()
";
    at_once::each(&one_of_each_version(), |python| {
        for share in ["--time", "--time=1"] {
            let lines = lines(&record(python, &[share], program).recording());
            let name = format!("{} {share}: {lines:?}", python.path.display());
            assert!(lines[&6].ns_net > 230_000_000, "{name}");
            let others: u64 = lines.iter().filter(|(line, _)| **line != 6).map(|(_, time)| time.ns_net).sum();
            assert!(others > 0, "{name}");
        }
    });
}

#[test]
fn c_code_is_charged_to_who_called_it_not_to_a_callbacks_return() {
    // Each callback is followed by a hundred times its time in C code, in the same call.
    let program = "\
import re
def key(row):
    return row
rows = [list(range(3000)) for _ in range(1500)]
for _ in range(3):
    sorted(rows, key=key)
";
    at_once::each(&one_of_each_version(), |python| {
        for share in ["--time", "--time=1"] {
            let lines = lines(&record(python, &[share], program).recording());
            let name = format!("{} {share}: {lines:?}", python.path.display());
            assert!(lines[&6].ns_net > 5 * lines[&3].ns_net, "{name}");
        }
    });
}

#[test]
fn a_threads_wait_is_its_own() {
    let program = "\
import threading, time
def sleeper():
    time.sleep(0.3)
def worker():
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        sum(range(50))
threads = [threading.Thread(target=sleeper), threading.Thread(target=worker)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
";
    at_once::each(&one_of_each_version(), |python| {
        let name = python.path.display();
        // Where several threads run, a sleep is only seen in a timed slice.
        let seen = (0..8).any(|_| {
            let recording = record(python, &["--time=1"], program).recording();
            assert!(recording.manifest.processes[0].timing.as_ref().unwrap().threads, "{name}");
            lines(&recording)[&3].ns_net > 250_000_000
        });
        assert!(seen, "{name}");
    });
}

#[test]
fn what_was_timed_before_the_end_is_kept() {
    let python = any();
    let program = "\
import os
for i in range(3000000):
    i * i
os.kill(os.getpid(), 9)
";
    let recorded = record_with(&["--time"], [python.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
    assert_eq!(recorded.output.status.signal(), Some(9), "{}", recorded.stderr());
    let lines = lines(&recorded.recording());
    assert!(lines[&3].ns_net > 1_000_000 && lines[&3].timed_executions > 1000, "{lines:?}");
}

#[test]
fn reports_show_times() {
    let recorded = record(any(), &["--time"], PROGRAM);
    let run = |arguments: &[&str]| {
        let output = opmeter().current_dir(recorded.folder()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for by in ["opcode", "line", "function", "file"] {
        let text = run(&["report", "out.opm", "--by", by]);
        assert!(text.contains("net ms") && text.contains("s net, estimated from"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
    let csv = run(&["export", "out.opm", "--table", "opcodes", "--format", "csv"]);
    let columns =
        "executions,timed_executions,cycles_raw,cycles_net,cycles_net_se,ns_net,min,p50,p90,p99,max";
    assert!(csv.lines().next().unwrap().ends_with(columns), "{csv}");
    let json = run(&["export", "out.opm", "--table", "lines", "--format", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert!(rows[0]["cycles_net_se"].is_u64(), "{}", rows[0]);
    let distributions = run(&["export", "out.opm", "--table", "distributions", "--format", "csv"]);
    assert!(distributions.lines().count() > 50);
}

#[test]
fn a_share_is_a_share() {
    for share in ["0", "1.5", "-1", "much", "NaN"] {
        let output = opmeter().args(["record", &format!("--time={share}"), "--", "true"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{share}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("a share is a number"), "{share}");
    }
}
