use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::native::gauge::GaugeArgs;

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
