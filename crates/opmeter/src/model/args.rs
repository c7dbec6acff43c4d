use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use opmeter_analysis::Terms;
use opmeter_model::{Clock, Response};

use crate::error::Failure;

/// Arguments of `model`.
#[derive(Args)]
#[command(subcommand_required = true)]
pub struct ModelArgs {
    #[command(subcommand)]
    pub command: ModelCommand,
}

/// What is done with models.
#[derive(Subcommand)]
pub enum ModelCommand {
    /// Fit costs per opcode to the results of `opmeter measure`
    Fit(FitArgs),
    /// Predict what recordings' programs take
    Predict(PredictArgs),
}

/// Arguments of `model fit`.
#[derive(Args)]
pub struct FitArgs {
    /// Folders of results, or of programs with their results in them
    #[arg(value_name = "FOLDER", required = true)]
    pub folders: Vec<PathBuf>,
    /// What is fitted
    #[arg(long, value_enum)]
    pub response: ResponseArg,
    /// Where to write the model, as JSON
    #[arg(short, long, value_name = "MODEL.json")]
    pub output: Option<PathBuf>,
    /// Where to draw it, as SVG: predicted against measured, and the costs with their intervals
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    /// In which terms opcodes are told apart
    #[arg(long, value_enum, default_value_t = FeaturesArg::Base)]
    pub features: FeaturesArg,
    /// Which time is fitted, with --response time
    #[arg(long, value_enum)]
    pub clock: Option<ClockArg>,
    /// The domain whose energy is fitted, such as package-0 or dram-0 [default: all packages]
    #[arg(long, value_name = "NAME")]
    pub domain: Option<String>,
    /// The interpreter, if there are results of several: a version such as 3.11, or its path
    #[arg(long, value_name = "PY")]
    pub python: Option<String>,
    /// Costs in the table
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub top: usize,
    /// Name all that is left out, however much it is
    #[arg(long)]
    pub left_out: bool,
}

/// Arguments of `model predict`.
#[derive(Args)]
pub struct PredictArgs {
    /// The model
    #[arg(value_name = "MODEL.json")]
    pub model: PathBuf,
    /// Recordings, or folders of them
    #[arg(value_name = "REC", required = true)]
    pub recordings: Vec<PathBuf>,
    /// Name all that is left out, however much it is
    #[arg(long)]
    pub left_out: bool,
}

/// What is fitted.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResponseArg {
    /// Seconds of the runs without the agent
    Time,
    /// Joules of the runs without the agent, without the idle power if it was measured
    Energy,
}

/// Which time is fitted.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClockArg {
    /// Processor time, user and system [the default]
    Processor,
    /// Wall time
    Wall,
}

/// In which terms opcodes are told apart.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FeaturesArg {
    /// As compiled
    Base,
    /// As executed: specialised and combined opcodes have costs of their own
    Executed,
}

impl FeaturesArg {
    /// The terms.
    pub fn terms(self) -> Terms {
        match self {
            Self::Base => Terms::Base,
            Self::Executed => Terms::AsExecuted,
        }
    }
}

impl FitArgs {
    /// What is fitted.
    ///
    /// # Errors
    /// Where arguments don't go together.
    pub fn response(&self) -> Result<Response, Failure> {
        match self.response {
            ResponseArg::Time if self.domain.is_some() => {
                Err(Failure::wrong("--domain says which energy is fitted, and goes with --response energy"))
            }
            ResponseArg::Energy if self.clock.is_some() => {
                Err(Failure::wrong("--clock says which time is fitted, and goes with --response time"))
            }
            ResponseArg::Time => Ok(Response::Time(match self.clock {
                Some(ClockArg::Wall) => Clock::Wall,
                Some(ClockArg::Processor) | None => Clock::Processor,
            })),
            ResponseArg::Energy => Ok(Response::Energy { domain: self.domain.clone() }),
        }
    }
}
