//! How fast events are analysed: `cargo bench --bench analysis [-- --runs N] [--events N] [PYTHON]`
//!
//! It records a loop with so many events (a billion, if nothing is said: 1 GB of disk), and prints the time
//! of the first look at them, of one with the cache, and the most memory that it took: medians of N runs. Where no
//! interpreter is named, it takes `python3`.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use opmeter_recording::Recording;

#[path = "median.rs"]
mod median;

use median::median;

/// Ten bytecodes or so a turn.
const PROGRAM: &str = "
import sys
def f(n):
    s = 0
    for i in range(n):
        s += i * i % 7
    return s
print(f(int(sys.argv[1])))
";

fn main() {
    let (mut runs, mut events, mut python) = (5, 1_000_000_000u64, PathBuf::from("python3"));
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--runs" => runs = arguments.next().unwrap().parse().unwrap(),
            "--events" => events = arguments.next().unwrap().parse().unwrap(),
            _ => python = argument.into(),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("out.opm");
    let mut record = opmeter(folder.path());
    record.args(["record", "--quiet", "--events", "-o"]).arg(&recording).arg("--").arg(&python);
    assert!(record.args(["-c", PROGRAM, &(events / 10).to_string()]).status().unwrap().success());
    let manifest = Recording::open_tables(&recording, |_| false).unwrap().manifest;
    let events: u64 =
        manifest.processes.iter().filter_map(|process| process.events.as_ref()).map(|e| e.events).sum();
    let look = || {
        let mut analyze = opmeter(folder.path());
        let begun = Instant::now();
        assert!(analyze.arg("analyze").arg(&recording).args(["--by", "opcode"]).status().unwrap().success());
        begun.elapsed().as_secs_f64()
    };
    let clear = || assert!(opmeter(folder.path()).args(["cache", "clear"]).status().unwrap().success());
    let both: Vec<(f64, f64)> = (0..runs)
        .map(|_| {
            clear();
            (look(), look())
        })
        .collect();
    let first = median(both.iter().map(|(first, _)| *first));
    let second = median(both.iter().map(|(_, second)| *second));
    let memory = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as f64 / 1024.0;
    println!("{events} events, {runs} runs");
    println!("first look   {first:>8.3} s, {:.0} million events a second", events as f64 / first / 1e6);
    println!("second look  {second:>8.3} s");
    println!("memory       {memory:>8.1} MiB at most, of any of these commands and of the recording itself");
}

fn opmeter(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
    command.env("OPMETER_CACHE", folder).stdin(Stdio::null()).stdout(Stdio::null());
    command
}
