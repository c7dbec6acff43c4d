//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use opmeter_analysis::Terms;
use opmeter_recording::Phase;

use crate::analyze::{self, AnalyzeArgs};
use crate::cache::{self, CacheArgs};
use crate::completions::{self, CompletionsArgs};
use crate::diff::{self, DiffArgs};
use crate::man::{self, ManArgs};
use crate::measure::{self, MeasureArgs};
use crate::message;
use crate::model::{self, ModelArgs};
use crate::native::gauge::GaugeArgs;
use crate::selection::SelectionArgs;
use crate::{annotate, doctor, energy, export, file_limit, range, record, report, synthesize};

/// Counts every bytecode that a Python program executes, on the interpreter you already have.
#[derive(Parser)]
#[command(name = "opmeter", version, max_term_width = 100, subcommand_required = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a command and count every bytecode that it executes
    Record(RecordArgs),
    /// Show what a recording holds
    Report(ReportArgs),
    /// Show the source and the bytecode with their counts beside each line
    Annotate(AnnotateArgs),
    /// Compare two recordings: what grew and what shrank, by opcode, function or line
    Diff(DiffArgs),
    /// Write a recording, or a table of it, in a format that other tools read
    Export(ExportArgs),
    /// Measure the energy that a command takes, on the interpreter as it is
    Energy(EnergyArgs),
    /// Measure every program of a folder: counts, times, energy
    Measure(MeasureArgs),
    /// Show tables over all results of a folder: programs, opcodes, interpreters
    Analyze(AnalyzeArgs),
    /// Look at, or empty, the cache of what `analyze` has read
    Cache(CacheArgs),
    /// Fit costs per opcode to what many programs took, and predict by them
    Model(ModelArgs),
    /// Say what can be metered here, what can't, and how to change that
    Doctor(DoctorArgs),
    /// Find for which sizes a template's programs run, and run within a target time
    Range(range::RangeArgs),
    /// Write programs of a template for sizes over its range
    Synthesize(synthesize::SynthesizeArgs),
    /// Print what makes a shell complete commands and options
    Completions(CompletionsArgs),
    /// Write manual pages
    Man(ManArgs),
}

/// Arguments of `record`.
#[derive(Args)]
pub struct RecordArgs {
    /// Where to write the recording, a folder [default: PROGRAM.opm, or PROGRAM-2.opm and so on]
    #[arg(short, long, value_name = "OUT.opm")]
    pub output: Option<PathBuf>,
    /// Replace the recording that is there already
    #[arg(short, long)]
    pub force: bool,
    /// Count pairs of opcodes as well: which opcode ran right after which
    #[arg(long)]
    pub pairs: bool,
    /// Take times as well, in slices that make up this share of the run (above 0, up to 1) [default: 0.25]
    #[arg(
        long, value_name = "SHARE", num_args = 0..=1, require_equals = true,
        default_missing_value = "0.25", value_parser = share
    )]
    pub time: Option<f64>,
    /// Record every execution with its time, in order: `opmeter export --table events`
    #[arg(long, conflicts_with = "time")]
    pub events: bool,
    /// End the events after so many; the program runs on, and is counted (10K, 10M, 10G: thousands, millions, ...)
    #[arg(long, value_name = "N", requires = "events", value_parser = events)]
    pub max_events: Option<u64>,
    /// End the events before their files are longer than this, in bytes (10K, 10M, 10G: times 1024, ...)
    #[arg(long, value_name = "SIZE", requires = "events", value_parser = size)]
    pub max_size: Option<u64>,
    /// Run an interpreter that can't be metered all the same, unmetered
    #[arg(long)]
    pub best_effort: bool,
    /// Print no table when the command has ended
    #[arg(short, long)]
    pub quiet: bool,
    /// Opcodes in the table
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub top: usize,
    /// The command to run, with its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    pub command: Vec<OsString>,
}

/// A share of a run.
///
/// # Errors
/// When it is none.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "a share is a number above 0, and 1 at most".to_owned())
}

/// A number of events.
///
/// # Errors
/// When it is none.
pub fn events(text: &str) -> Result<u64, String> {
    scaled(text, 1000).ok_or_else(|| "a number of events is 1 or more, such as 500000, 500K or 2G".to_owned())
}

fn size(text: &str) -> Result<u64, String> {
    scaled(text, 1024)
        .ok_or_else(|| "a size is a number of bytes, 1 or more, such as 500000, 500K or 2G".to_owned())
}

/// A number that may end with a unit: a power of `step`.
fn scaled(text: &str, step: u64) -> Option<u64> {
    let power = ["K", "M", "G", "T"].iter().position(|unit| text.to_uppercase().ends_with(unit));
    let digits = if power.is_some() { &text[..text.len() - 1] } else { text };
    let factor = step.checked_pow(power.map_or(0, |power| power as u32 + 1))?;
    digits.parse::<u64>().ok()?.checked_mul(factor).filter(|number| *number > 0)
}

/// Arguments of `report`.
#[derive(Args)]
pub struct ReportArgs {
    /// The recordings
    #[arg(value_name = "REC", required = true)]
    pub recordings: Vec<PathBuf>,
    /// What executions are added up by
    #[arg(long, value_enum, default_value_t = By::Opcode)]
    pub by: By,
    /// Check instead that the tables, which were counted in different ways, say the same
    #[arg(long)]
    pub check: bool,
    /// Write a page for a browser instead, a single file with everything in it; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["by", "check", "top"])]
    pub html: Option<PathBuf>,
    /// Count in the names that were executed, or in those that the compiler emitted
    #[arg(long, value_enum, default_value_t = TermsArg::Executed)]
    pub terms: TermsArg,
    /// Phases to show
    #[arg(long, value_enum, value_delimiter = ',', default_value = "main")]
    pub phase: Vec<PhaseArg>,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Show the files of the standard library and of installed packages each by itself
    #[arg(long)]
    pub all_files: bool,
    /// Show only the most frequent [default: all opcodes, 30 of anything else]
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
}

/// Arguments of `annotate`.
#[derive(Args)]
pub struct AnnotateArgs {
    /// The recording
    #[arg(value_name = "REC")]
    pub recording: PathBuf,
    /// A file (its name, path or the end of it) or a function [default: the file that ran most]
    #[arg(value_name = "FILE|FUNCTION")]
    pub name: Option<String>,
    /// Show the instructions below each line
    #[arg(long)]
    pub bytecode: bool,
    /// Phases to show
    #[arg(long, value_enum, value_delimiter = ',', default_value = "main")]
    pub phase: Vec<PhaseArg>,
    #[command(flatten)]
    pub selection: SelectionArgs,
}

/// Arguments of `export`.
#[derive(Args)]
pub struct ExportArgs {
    /// The recording
    #[arg(value_name = "REC")]
    pub recording: PathBuf,
    /// The table, for csv, parquet and json
    #[arg(long, value_enum)]
    pub table: Option<Table>,
    /// The format
    #[arg(long, value_enum)]
    pub format: FormatArg,
    /// Phases to write
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    pub phase: Vec<PhaseArg>,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `energy`.
#[derive(Args)]
pub struct EnergyArgs {
    /// Where to write the recording, a folder; the energy is added to a recording of the same command that is there
    /// [default: PROGRAM.opm, or PROGRAM-2.opm and so on]
    #[arg(short, long, value_name = "OUT.opm")]
    pub output: Option<PathBuf>,
    /// Replace the energy that is there already, or the recording of another command
    #[arg(short, long)]
    pub force: bool,
    /// Runs that are measured
    #[arg(short = 'n', long, value_name = "RUNS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Runs before these that are not
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub warmup: u32,
    #[command(flatten)]
    pub gauge: GaugeArgs,
    /// A file that each run reads as its standard input, from the beginning
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Throw away what the runs write to standard output
    #[arg(long)]
    pub no_output: bool,
    /// Print no table when the runs have ended
    #[arg(short, long)]
    pub quiet: bool,
    /// The command to run, with its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    pub command: Vec<OsString>,
}

/// Counters of energy, by the kernel's interface to them.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceArg {
    /// The power events of perf
    Perf,
    /// The zones of powercap
    Powercap,
    /// The counters of hwmon's driver amd_energy
    Hwmon,
}

impl SourceArg {
    /// The source's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perf => "perf",
            Self::Powercap => "powercap",
            Self::Hwmon => "hwmon",
        }
    }
}

/// Arguments of `doctor`.
#[derive(Args)]
pub struct DoctorArgs {
    /// Where the kernel's tree of energy counters is, such as the host's in a container
    #[arg(long, value_name = "ROOT", default_value = "/sys")]
    pub sysfs: PathBuf,
    /// The interpreter to look at: a version such as 3.8, a name, or a path
    #[arg(long, value_name = "PY", default_value = "python3")]
    pub python: OsString,
}

/// What a report adds up executions by.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Opcodes
    Opcode,
    /// Lines of the source
    Line,
    /// Functions
    Function,
    /// Files
    File,
    /// Pairs of opcodes, one right after the other
    Pair,
    /// Families of specialising opcodes
    Specialization,
    /// Runs of the command without the agent: what they cost
    Energy,
}

/// In which terms executions are counted.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TermsArg {
    /// As executed: specialised and combined opcodes under their own names
    Executed,
    /// As compiled: every instruction under its base opcode
    Base,
}

impl From<TermsArg> for Terms {
    fn from(terms: TermsArg) -> Terms {
        match terms {
            TermsArg::Executed => Terms::AsExecuted,
            TermsArg::Base => Terms::Base,
        }
    }
}

/// A phase on the command line.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PhaseArg {
    /// The interpreter's own start
    Startup,
    /// The program
    Main,
    /// The interpreter's own end
    Shutdown,
    /// All of them
    All,
}

impl PhaseArg {
    /// The phases that it stands for.
    pub fn phases(self) -> &'static [Phase] {
        match self {
            Self::Startup => &[Phase::Startup],
            Self::Main => &[Phase::Main],
            Self::Shutdown => &[Phase::Shutdown],
            Self::All => &[Phase::Startup, Phase::Main, Phase::Shutdown],
        }
    }
}

/// A table of a recording.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Table {
    /// Executions by process, phase and opcode
    Opcodes,
    /// Executions of each pair of opcodes, where they were recorded
    Pairs,
    /// Executions of each instruction, where it stands
    Instructions,
    /// Executions and hits of each line
    Lines,
    /// How many timed executions of each opcode took how many cycles
    Distributions,
    /// Every execution, in order, where they were recorded
    Events,
    /// What the events are of
    EventSites,
    /// In which forms the instructions of specialising families ran
    Specialization,
    /// The source files
    Sources,
    /// What they held
    SourceTexts,
    /// How long each run of the command without the agent took
    Runs,
    /// What each run of the command without the agent cost
    Energy,
}

/// A format to export to.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// Comma-separated values with a header
    Csv,
    /// Apache Parquet
    Parquet,
    /// An array of objects
    Json,
    /// The whole recording as a profile for KCachegrind
    Callgrind,
    /// The whole recording as line coverage
    Lcov,
}

/// Parses the command line and runs the subcommand. Wrong arguments end with status 2.
pub fn run() -> ExitCode {
    file_limit::have_writes_fail();
    let result = match Cli::parse().command {
        Command::Record(args) => record::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Annotate(args) => annotate::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Energy(args) => energy::run(&args),
        Command::Measure(args) => measure::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Cache(args) => cache::run(&args),
        Command::Model(args) => model::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Range(args) => range::run(&args),
        Command::Synthesize(args) => synthesize::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    result.unwrap_or_else(|failure| {
        message::tell(&failure.message);
        ExitCode::from(failure.status)
    })
}
