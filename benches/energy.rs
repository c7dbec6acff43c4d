//! How true joules are, and what reading them costs: `cargo bench --bench energy [-- --runs N] [PYTHON]`
//!
//! Counters that move at a known power, once a millisecond and once in ten, are read while commands of several
//! lengths run: it prints by how much joules differ from power times seconds, as the median and the worst of N runs.
//! Then it runs programs of `benches/programs.txt` natively and measured in turn, and prints the median ratio of the
//! seconds that the measurement tells to those of the native run, and how much processor time `opmeter energy` takes
//! by itself. Where no interpreter is named, it takes `python3`.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use opmeter_recording::{EnergyRow, Recording};

#[path = "../crates/opmeter-energy/tests/support/counter_tree.rs"]
#[allow(dead_code)]
mod counter_tree;
#[path = "median.rs"]
mod median;
#[path = "programs.rs"]
mod programs;

use counter_tree::{CounterTree, Zone, zone};
use median::median;
use programs::programs;

/// What the counters show, in watts: a package that wraps each quarter of a second, one that does not, and memory.
const POWERS: [(&str, f64); 3] = [("package-0", 40.0), ("package-1", 23.0), ("dram-1", 4.0)];

fn main() {
    let (runs, python) = options();
    println!("joules of counters that move at a known power, {runs} runs each: error in %");
    println!("{:>12} {:>12} {:>10} {:>10}", "moves each", "command", "median", "worst");
    for period in [1, 10] {
        let tree = tree(Duration::from_millis(period));
        for length in ["0.02", "0.2", "2"] {
            let errors: Vec<f64> = measure(&tree, runs, &["sleep".into(), length.into()])
                .iter()
                .map(|row| {
                    let (_, watts) = POWERS.iter().find(|(domain, _)| *domain == &*row.domain).unwrap();
                    (row.joules / row.seconds / watts - 1.0).abs() * 100.0
                })
                .collect();
            let worst = errors.iter().copied().fold(0.0, f64::max);
            let middle = median(errors.into_iter());
            println!("{period:>9} ms {length:>10} s {middle:>10.3} {worst:>10.3}");
        }
    }
    println!("\nseconds of a measured run / seconds of a native one");
    let tree = tree(Duration::from_millis(1));
    let mut ratios = Vec::new();
    for program in programs() {
        let ratio = ratio(&tree, &python, &program, runs);
        println!("  {:<20} {ratio:>6.3}", program.file_stem().unwrap().to_string_lossy());
        ratios.push(ratio);
    }
    println!("median over all programs: {:.3}", median(ratios.into_iter()));
    let before = children_cpu();
    let begun = Instant::now();
    measure(&tree, 1, &["sleep".into(), "5".into()]);
    let share = (children_cpu() - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    println!("processor time of opmeter energy itself, of 5 s: {:.2} %", share * 100.0);
}

fn options() -> (u32, PathBuf) {
    let (mut runs, mut python) = (5, PathBuf::from("python3"));
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--runs" => runs = arguments.next().unwrap().parse().unwrap(),
            _ => python = argument.into(),
        }
    }
    (runs, python)
}

fn tree(period: Duration) -> CounterTree {
    let zones = [
        Zone { range: 10_000_000, ..zone("intel-rapl:0", "package-0", POWERS[0].1) },
        zone("intel-rapl:1", "package-1", POWERS[1].1),
        zone("intel-rapl:1:0", "dram", POWERS[2].1),
    ];
    CounterTree::new(&zones, period)
}

/// The rows of so many runs of a command.
fn measure(tree: &CounterTree, runs: u32, command: &[PathBuf]) -> Vec<EnergyRow> {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("out.opm");
    let mut energy = Command::new(env!("CARGO_BIN_EXE_opmeter"));
    energy.args(["energy", "--quiet", "--no-output", "--idle", "0", "-n"]).arg(runs.to_string());
    energy.arg("-o").arg(&recording).arg("--sysfs").arg(tree.path()).arg("--").args(command);
    assert!(energy.stdin(Stdio::null()).status().unwrap().success());
    Recording::open(&recording).unwrap().tables.energy
}

/// The median of the ratios of neighbouring runs, after one of each that does not count.
fn ratio(tree: &CounterTree, python: &Path, program: &Path, runs: u32) -> f64 {
    let command = [python.to_owned(), program.to_owned()];
    let native = || {
        let begun = Instant::now();
        let status = Command::new(python).arg(program).stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(status.unwrap().success());
        begun.elapsed().as_secs_f64()
    };
    let ratios = (0..=runs).map(|_| {
        let native = native();
        measure(tree, 1, &command)[0].seconds / native
    });
    let ratios: Vec<f64> = ratios.skip(1).collect();
    median(ratios.into_iter())
}

/// Processor time of all children that have ended and been waited for, with theirs.
fn children_cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let duration = |time: TimeVal| Duration::from_micros(time.num_microseconds() as u64);
    duration(usage.user_time()) + duration(usage.system_time())
}
