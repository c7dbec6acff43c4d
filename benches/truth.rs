//! Whether times are true: `cargo bench --bench truth [-- --runs N] [--time SHARE] [PYTHON...]`
//!
//! For each interpreter and each program of `benches/programs.txt` it runs the program natively and metered with
//! `--time` in turn, and compares what the program's instructions took by themselves, added up, with what the
//! native runs took (CPU time of the program's module, which `benches/timed_main.py` measures in the same way
//! in both). Then it compares the mean of each opcode that has more than 1 % of the time from run to run. At
//! last it runs programs that spend a share of their time in one line that they measure themselves, natively
//! and metered in turn, and compares that. Where no interpreter is named, it takes `python3`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "median.rs"]
mod median;
#[path = "programs.rs"]
mod programs;

use median::median;
use programs::programs;

/// Programs with a line that takes long, marked `# here`; they print its share of the time.
const KNOWN: [(&str, &str); 3] = [
    ("long multiplication", "product = big * big"),
    ("sleep", "time.sleep(0.02)"),
    ("large slice", "copy = large[:]"),
];

fn main() {
    let options = Options::parse();
    let programs = programs();
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench {
        driver: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/timed_main.py"),
        folder: folder.path(),
        options: &options,
    };
    let (mut errors, mut spreads) = (Vec::new(), Vec::new());
    for python in &options.pythons {
        println!("{}", python.display());
        for program in &programs {
            let (native, runs): (Vec<f64>, Vec<Metered>) = (0..options.runs)
                .map(|_| (bench.native(python, program), bench.metered(python, program)))
                .unzip();
            let native = median(native.into_iter());
            let ratios: Vec<f64> = runs.iter().map(|run| run.net() / native).collect();
            let spread = spread(&runs);
            let worst = spread.iter().map(|(spread, _)| *spread).fold(0.0, f64::max);
            println!(
                "  {:<20} native {native:.3} s   net / native {}   opcodes that differ by more than 5 %: {} of {} \
                 (worst {:.0} %)",
                program.file_stem().unwrap().to_string_lossy(),
                ratios.iter().map(|ratio| format!("{ratio:.3}")).collect::<Vec<_>>().join(" "),
                spread.iter().filter(|(spread, _)| *spread > 0.05).count(),
                spread.len(),
                100.0 * worst
            );
            errors.extend(ratios.iter().map(|ratio| (ratio - 1.0).abs()));
            spreads.extend(spread.iter().map(|(spread, _)| *spread));
        }
        for (name, line) in KNOWN {
            let program = bench.known(line);
            let shares: Vec<(f64, f64)> = (0..options.runs)
                .map(|_| (bench.native(python, &program), bench.share(python, &program)))
                .collect();
            println!(
                "  {name:<20} share of the time: measured natively by the program {:.3}, by the meter {:.3}",
                median(shares.iter().map(|share| share.0)),
                median(shares.iter().map(|share| share.1))
            );
        }
    }
    println!("\nnet against native: median error {:.1} %", 100.0 * median(errors.into_iter()));
    let far = spreads.iter().filter(|spread| **spread > 0.05).count();
    println!(
        "means of opcodes with more than 1 % of the time, run against run: median difference {:.1} %, {far} of {} \
         by more than 5 %",
        100.0 * median(spreads.iter().copied()),
        spreads.len()
    );
}

struct Options {
    runs: usize,
    share: Option<String>,
    pythons: Vec<PathBuf>,
}

impl Options {
    fn parse() -> Self {
        let mut options = Self { runs: 5, share: None, pythons: Vec::new() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => {}
                "--time" => options.share = arguments.next(),
                "--runs" => options.runs = arguments.next().unwrap().parse().unwrap(),
                _ => options.pythons.push(argument.into()),
            }
        }
        if options.pythons.is_empty() {
            options.pythons.push("python3".into());
        }
        options
    }
}

struct Bench<'a> {
    driver: PathBuf,
    folder: &'a Path,
    options: &'a Options,
}

/// What the meter says of one run: nanoseconds and executions of each opcode.
struct Metered(BTreeMap<String, (f64, f64)>);

impl Metered {
    /// All time, in seconds.
    fn net(&self) -> f64 {
        self.0.values().map(|(time, _)| time).sum::<f64>() / 1e9
    }
}

impl Bench<'_> {
    /// What a native run prints: its seconds, or, of a program with a line that takes long, that line's share.
    fn native(&self, python: &Path, program: &Path) -> f64 {
        let mut command = Command::new(python);
        printed(command.arg(&self.driver).arg(program))
    }

    fn metered(&self, python: &Path, program: &Path) -> Metered {
        self.record(python, &self.driver, program);
        let rows = self.table("opcodes").into_iter().filter(|row| row["phase"] == "main");
        let of = |row: BTreeMap<String, String>| {
            let number = |name: &str| row[name].parse::<f64>().unwrap();
            (row["opcode"].clone(), (number("ns_net"), number("executions")))
        };
        Metered(rows.map(of).collect())
    }

    /// A program's share in one line, as the meter measures it.
    fn share(&self, python: &Path, program: &Path) -> f64 {
        self.record(python, &self.driver, program);
        let source = std::fs::read_to_string(program).unwrap();
        let line = 1 + source.lines().position(|line| line.ends_with("# here")).unwrap();
        let (mut here, mut all) = (0.0, 0.0);
        for row in self.table("lines").iter().filter(|row| row["phase"] == "main") {
            let time: f64 = row["ns_net"].parse().unwrap();
            all += time;
            if row["file"] == program.to_str().unwrap() && row["line"] == line.to_string() {
                here += time;
            }
        }
        here / all
    }

    fn known(&self, line: &str) -> PathBuf {
        let program = self.folder.join("known.py");
        let source = format!(
            "import time\nbegun = time.perf_counter()\n\
             big = 3 ** 200_000\nlarge = list(range(1_000_000))\n\
             def work():\n    total = 0\n    for i in range(100_000):\n        total += i * i\n\
             inside = 0\n\
             for _ in range(30):\n    work()\n    before = time.perf_counter()\n    {line}  # here\n    \
             inside += time.perf_counter() - before\n\
             RESULT = inside / (time.perf_counter() - begun)\n"
        );
        std::fs::write(&program, source).unwrap();
        program
    }

    /// Records a run.
    fn record(&self, python: &Path, driver: &Path, program: &Path) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.args(["record", "--quiet", "--force"]);
        command
            .arg(self.options.share.as_ref().map_or("--time".to_owned(), |share| format!("--time={share}")));
        command.arg("-o").arg(self.folder.join("out.opm")).arg("--").arg(python);
        printed(command.arg(driver).arg(program));
    }

    /// A table of the recording, a map from columns to cells for each row. No cell that is used has a comma.
    fn table(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.arg("export").arg(self.folder.join("out.opm")).args(["--table", name, "--format", "csv"]);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines().map(|line| line.split(','));
        let columns: Vec<&str> = lines.next().unwrap().collect();
        let row = |cells: std::str::Split<'_, char>| {
            columns.iter().map(|column| (*column).to_owned()).zip(cells.map(str::to_owned)).collect()
        };
        lines.map(row).collect()
    }
}

/// The number that a command prints last, to its standard output.
fn printed(command: &mut Command) -> f64 {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8_lossy(&output.stdout).split_whitespace().last().unwrap().parse().unwrap()
}

/// For each opcode with more than 1 % of the time in every run: how far its mean is from the median run's at
/// most, and its name.
fn spread(runs: &[Metered]) -> Vec<(f64, &str)> {
    let share = |run: &Metered, time: f64| time / 1e9 / run.net();
    let much =
        |name: &str| runs.iter().all(|run| run.0.get(name).is_some_and(|one| share(run, one.0) > 0.01));
    let names = runs[0].0.keys().map(String::as_str).filter(|name| much(name));
    names
        .map(|name| {
            let means: Vec<f64> = runs.iter().map(|run| run.0[name].0 / run.0[name].1).collect();
            let middle = median(means.iter().copied());
            (means.iter().map(|mean| (mean / middle - 1.0).abs()).fold(0.0, f64::max), name)
        })
        .collect()
}
