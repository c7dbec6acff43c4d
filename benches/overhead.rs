//! What metering costs: `cargo bench --bench overhead [-- --runs N] [OPTION...] [PYTHON...]`
//!
//! For each interpreter and each program of `benches/programs.txt` it runs the program natively and metered
//! in turn, after one run of each that does not count, and takes the median of the ratios of neighbouring
//! runs' CPU time (user and system, of the program with its children and of the command around it). Then
//! it does the same for an empty program, which tells the cost of starting, and for one that imports much,
//! which tells that in memory. Options such as `--pairs` and `--time=0.5` are those of `opmeter record`. Where
//! no interpreter is named, it takes `python3`.
#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

#[path = "median.rs"]
mod median;
#[path = "programs.rs"]
mod programs;

use median::median;
use programs::programs;

fn main() {
    let options = Options::parse();
    let programs = programs();
    println!("{} runs of each, native and metered in turn; median ratio of CPU time\n", options.runs);
    let mut all = Vec::new();
    for python in &options.pythons {
        println!("{} ({})", version(python), python.display());
        let mut ratios = Vec::new();
        for program in &programs {
            let both = measure(python, &[program.as_os_str()], options.runs, &options.record);
            let native = median(both.iter().map(|(native, _)| native.cpu));
            let ratio = median(both.iter().map(|(native, metered)| metered.cpu / native.cpu));
            let name = program.file_stem().unwrap().to_string_lossy().into_owned();
            println!("  {name:<20} native {native:>7.3} s   metered / native {ratio:>6.3}");
            ratios.push((ratio, name));
        }
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (worst, name) = ratios.last().unwrap().clone();
        let middle = median(ratios.iter().map(|(ratio, _)| *ratio));
        let starts =
            measure(python, &["-c".as_ref(), "pass".as_ref()], options.runs.max(11), &options.record);
        let start = median(starts.iter().map(|(native, metered)| metered.wall - native.wall));
        let memory = added_memory(python, &options.record);
        println!(
            "  median {middle:.3}, worst {worst:.3} ({name}), start-up + {:.1} ms, memory of imports + {:.1} MiB\n",
            start * 1e3,
            memory / 1024.0
        );
        all.extend(ratios.iter().map(|(ratio, _)| *ratio));
    }
    println!("median over all programs and interpreters: {:.3}", median(all.into_iter()));
}

/// Imports many modules and prints the most memory that the process ever had, in KiB.
const IMPORTS: &str = "
import asyncio, concurrent.futures, ctypes, csv, dataclasses, decimal, difflib, doctest, email.mime.text, \
    fractions, http.client, http.server, inspect, json, logging.config, multiprocessing, pdb, pickle, \
    pydoc, resource, sqlite3, ssl, statistics, tarfile, typing, unittest.mock, urllib.request, uuid, \
    xml.dom.minidom, xml.etree.ElementTree, xmlrpc.client, zipfile
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)";

/// How much more memory importing many modules takes when it is metered, in KiB.
fn added_memory(python: &Path, record: &[String]) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["-c".as_ref(), IMPORTS.as_ref()];
    let peak = |mut command: Command| -> Option<f64> {
        let output = command.stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    let both = (0..5).map_while(|_| {
        let mut native = Command::new(python);
        native.args(arguments);
        Some(peak(metered(python, &arguments, &folder.path().join("out.opm"), record))? - peak(native)?)
    });
    let both: Vec<f64> = both.collect();
    // An interpreter may have been built without one of the modules.
    if both.is_empty() { f64::NAN } else { median(both.into_iter()) }
}

struct Options {
    runs: usize,
    record: Vec<String>,
    pythons: Vec<PathBuf>,
}

impl Options {
    fn parse() -> Self {
        let mut options = Self { runs: 5, record: Vec::new(), pythons: Vec::new() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => {}
                "--runs" => options.runs = arguments.next().unwrap().parse().unwrap(),
                option if option.starts_with("--") => options.record.push(argument),
                _ => options.pythons.push(argument.into()),
            }
        }
        if options.pythons.is_empty() {
            options.pythons.push("python3".into());
        }
        options
    }
}

fn version(python: &Path) -> String {
    let output = Command::new(python).arg("-V").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Seconds that one run took.
#[derive(Clone, Copy)]
struct Run {
    cpu: f64,
    wall: f64,
}

/// Neighbouring runs: native, metered.
fn measure(python: &Path, arguments: &[&OsStr], runs: usize, record: &[String]) -> Vec<(Run, Run)> {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("out.opm");
    let native = || {
        let mut command = Command::new(python);
        command.args(arguments);
        time(command)
    };
    (0..=runs).map(|_| (native(), time(metered(python, arguments, &recording, record)))).skip(1).collect()
}

fn metered(python: &Path, arguments: &[&OsStr], recording: &Path, record: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
    command.args(["record", "--quiet", "--force"]).args(record);
    command.arg("-o").arg(recording).arg("--").arg(python).args(arguments);
    command
}

fn time(mut command: Command) -> Run {
    let before = children_cpu();
    let begun = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let wall = begun.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?}: {status}");
    Run { cpu: (children_cpu() - before).as_secs_f64(), wall }
}

/// CPU time of all children that have ended and been waited for, with theirs: to the microsecond.
fn children_cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let duration = |time: TimeVal| Duration::from_micros(time.num_microseconds() as u64);
    duration(usage.user_time()) + duration(usage.system_time())
}
