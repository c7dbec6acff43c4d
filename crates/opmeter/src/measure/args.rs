use std::path::PathBuf;

use clap::Args;
use opmeter_corpus::Shard;

use crate::amounts::{events, share};
use crate::native::gauge::GaugeArgs;

/// Arguments of `measure`. What is not said here may be said by `opmeter.toml` in the folder.
#[derive(Args)]
pub struct MeasureArgs {
    /// The folder of programs: all `*.py` in it, or as its opmeter.toml says
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Where the results go, a folder [default: FOLDER/opmeter-results]
    #[arg(short, long, value_name = "RESULTS")]
    pub output: Option<PathBuf>,
    /// An interpreter: a version such as 3.8, a name, or a path; may be repeated [default: python3]
    #[arg(long, value_name = "PY")]
    pub python: Vec<String>,
    /// Runs without the agent, which tell time and energy [default: 5]
    #[arg(short = 'n', long, value_name = "RUNS")]
    pub runs: Option<u32>,
    /// Runs before these that do not count [default: 0]
    #[arg(long, value_name = "N")]
    pub warmup: Option<u32>,
    /// End a run, and all that it started, after so many seconds [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = timeout)]
    pub timeout: Option<f64>,
    /// Take times as well, in slices that make up this share of the metered run [default: 0.25]
    #[arg(
        long, value_name = "SHARE", num_args = 0..=1, require_equals = true,
        default_missing_value = "0.25", value_parser = share
    )]
    pub time: Option<f64>,
    /// Record every execution with its time, in order
    #[arg(long, conflicts_with = "time")]
    pub events: bool,
    /// End the events after so many
    #[arg(long, value_name = "N", value_parser = events)]
    pub max_events: Option<u64>,
    /// Count pairs of opcodes as well
    #[arg(long)]
    pub pairs: bool,
    /// Measure time alone, no energy
    #[arg(long, conflicts_with_all = ["watts", "source", "idle"])]
    pub no_energy: bool,
    #[command(flatten)]
    pub gauge: GaugeArgs,
    /// Measure only the K-th of N parts of the programs, such as 1/4, on one of several machines
    #[arg(long, value_name = "K/N", default_value_t = Shard::default())]
    pub shard: Shard,
    /// Measure again what failed before
    #[arg(long)]
    pub retry_failed: bool,
    /// Print no progress
    #[arg(short, long)]
    pub quiet: bool,
}

fn timeout(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0 && *seconds <= 1e9);
    seconds.ok_or_else(|| "a time limit is a number of seconds above 0".to_owned())
}
