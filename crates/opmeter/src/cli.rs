//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::analyze::{self, AnalyzeArgs};
use crate::annotate::{self, AnnotateArgs};
use crate::cache::{self, CacheArgs};
use crate::completions::{self, CompletionsArgs};
use crate::diff::{self, DiffArgs};
use crate::doctor::{self, DoctorArgs};
use crate::ended_children;
use crate::energy::{self, EnergyArgs};
use crate::export::{self, ExportArgs};
use crate::file_limit;
use crate::man::{self, ManArgs};
use crate::measure::{self, MeasureArgs};
use crate::message;
use crate::model::{self, ModelArgs};
use crate::range::{self, RangeArgs};
use crate::record::{self, RecordArgs};
use crate::report::{self, ReportArgs};
use crate::synthesize::{self, SynthesizeArgs};

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
    Range(RangeArgs),
    /// Write programs of a template for sizes over its range
    Synthesize(SynthesizeArgs),
    /// Print what makes a shell complete commands and options
    Completions(CompletionsArgs),
    /// Write manual pages
    Man(ManArgs),
}

/// Parses the command line and runs the subcommand. Wrong arguments end with status 2.
pub fn run() -> ExitCode {
    file_limit::have_writes_fail();
    let command = Cli::parse().command;
    // What is recorded finds the signal as we do: that is seen to where it is started.
    if !matches!(command, Command::Record(_)) {
        ended_children::heed();
    }
    let result = match command {
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
        message::tell_lines(&failure.message);
        ExitCode::from(failure.status)
    })
}
