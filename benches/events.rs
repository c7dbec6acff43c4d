//! What events cost: `cargo bench --bench events [-- --runs N] [PYTHON...]`
//!
//! For each interpreter and each program of `benches/programs.txt` it runs the program natively and under `record
//! --events` in turn, after one run of each that does not count, and takes the median of the ratios of
//! neighbouring runs' wall time: events are read by a thread of the command, on another processor if there is
//! one. Then how many bytes an event takes on disk, and how many rows of the table of events are exported in a
//! second, as CSV to a file. Where no interpreter is named, it takes `python3`.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

#[path = "median.rs"]
mod median;
#[path = "programs.rs"]
mod programs;

use median::median;
use opmeter_recording::Recording;
use programs::programs;

/// Events of which the rows are exported: some gigabytes of text.
const EXPORTED: &str = "20M";

fn main() {
    let (mut runs, mut pythons) = (5, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--runs" => runs = arguments.next().unwrap().parse().unwrap(),
            _ => pythons.push(PathBuf::from(argument)),
        }
    }
    if pythons.is_empty() {
        pythons.push("python3".into());
    }
    println!("{runs} runs of each, native and with events in turn; median ratio of wall time\n");
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("out.opm");
    let mut all = Vec::new();
    for python in &pythons {
        println!("{}", python.display());
        let mut ratios = Vec::new();
        for program in programs() {
            let pairs: Vec<(f64, f64)> = (0..=runs)
                .map(|_| {
                    let mut native = Command::new(python);
                    native.arg(&program);
                    (time(native), time(record(&recording, &[], python, &program)))
                })
                .skip(1)
                .collect();
            let native = median(pairs.iter().map(|(native, _)| *native));
            let ratio = median(pairs.iter().map(|(native, metered)| metered / native));
            let (events, bytes) = events(&recording);
            let added =
                median(pairs.iter().map(|(native, metered)| (metered - native) * 1e9 / events as f64));
            println!(
                "  {:<20} native {native:>6.3} s   with events / native {ratio:>6.3}   {:>5.1} M events, + {added:>4.1} ns \
                 and {:.2} bytes each",
                program.file_stem().unwrap().to_string_lossy(),
                events as f64 / 1e6,
                bytes as f64 / events as f64
            );
            ratios.push(ratio);
        }
        println!("  median {:.3}", median(ratios.iter().copied()));
        let rates =
            programs().iter().take(3).map(|program| rate(&recording, python, program)).collect::<Vec<_>>();
        println!("  export: {:.1} million rows a second\n", median(rates.into_iter()) / 1e6);
        all.extend(ratios);
    }
    println!("median over all programs and interpreters: {:.3}", median(all.into_iter()));
}

fn record(recording: &Path, options: &[&str], python: &Path, program: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
    command.args(["record", "--quiet", "--force", "--events"]).args(options);
    command.arg("-o").arg(recording).arg("--").arg(python).arg(program);
    command
}

/// Seconds that a command takes.
fn time(mut command: Command) -> f64 {
    let begun = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    begun.elapsed().as_secs_f64()
}

/// How many events a recording has, in how many bytes.
fn events(recording: &Path) -> (u64, u64) {
    let recording = Recording::open_tables(recording, |_| false).unwrap();
    let events = recording.manifest.processes.iter().filter_map(|process| process.events.as_ref());
    events.fold((0, 0), |sum, events| (sum.0 + events.events, sum.1 + events.bytes))
}

/// Rows that are exported in a second.
fn rate(recording: &Path, python: &Path, program: &Path) -> f64 {
    time(record(recording, &["--max-events", EXPORTED], python, program));
    let table = recording.with_file_name("events.csv");
    let mut rates = Vec::new();
    for _ in 0..3 {
        let mut export = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        export.arg("export").arg(recording).args(["--table", "events", "--format", "csv", "-o"]).arg(&table);
        let seconds = time(export);
        let rows = BufReader::new(File::open(&table).unwrap()).split(b'\n').count() - 1;
        rates.push(rows as f64 / seconds);
        std::fs::remove_file(&table).unwrap();
    }
    median(rates.into_iter())
}
