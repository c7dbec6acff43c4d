use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::amounts::{events, share, size};

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
