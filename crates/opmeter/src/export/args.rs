use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::phase_arg::PhaseArg;
use crate::selection::SelectionArgs;

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
