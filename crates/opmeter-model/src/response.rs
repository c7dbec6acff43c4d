use serde::{Deserialize, Serialize};

/// Which time is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The processor time of the program and its children, user and system: what else runs on the machine changes it
    /// least.
    #[default]
    Processor,
    /// The time from the start to the end of the last child, waiting included.
    Wall,
}

/// What of the runs without the agent is fitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// Seconds of a run.
    Time(Clock),
    /// Joules of a run, of the domain of this name; of none named, of all packages, or of the first domain.
    Energy {
        /// The domain's name, such as `package-0` or `package (all)`.
        domain: Option<String>,
    },
}

impl Response {
    /// Its name: `time` or `energy`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Time(_) => "time",
            Self::Energy { .. } => "energy",
        }
    }

    /// The unit of a run's: `s` or `J`.
    pub const fn unit(&self) -> &'static str {
        match self {
            Self::Time(_) => "s",
            Self::Energy { .. } => "J",
        }
    }
}
