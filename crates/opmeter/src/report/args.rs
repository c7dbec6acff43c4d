use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::phase_arg::PhaseArg;
use crate::selection::SelectionArgs;
use crate::terms_arg::TermsArg;

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
    #[arg(long, conflicts_with_all = ["by", "phase", "process", "include", "exclude", "all_files", "terms"])]
    pub check: bool,
    /// Write a page for a browser instead, a single file with everything in it; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["by", "check", "top"])]
    pub html: Option<PathBuf>,
    /// Count in the names that were executed, or in those that the compiler emitted [default: executed; base with --include
    /// or --exclude, because of single files no more is known]
    #[arg(long, value_enum)]
    pub terms: Option<TermsArg>,
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
