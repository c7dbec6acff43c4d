use serde::{Deserialize, Serialize};

/// How the run of one program ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It ended well, and took so many seconds: wall time, less what it waited for a processor that others had.
    Took(f64),
    /// It was still running after so many seconds, and was ended.
    TooLong(f64),
    /// It failed, or there is no program of this size: the last line of the error.
    Failed(String),
}

/// A run that was made, and how it ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Probe {
    /// The size.
    pub n: u64,
    /// The time that it took in seconds, where it ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// After how many seconds it was ended, where it took too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_after: Option<f64>,
    /// The last line of the error, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Probe {
    /// The probe of a size.
    pub fn new(n: u64, outcome: &Outcome) -> Probe {
        let rounded = |seconds: f64| Some((seconds * 1e6).round() / 1e6);
        match outcome {
            Outcome::Took(seconds) => Probe { n, seconds: rounded(*seconds), ..Probe::default() },
            Outcome::TooLong(limit) => Probe { n, ended_after: rounded(*limit), ..Probe::default() },
            Outcome::Failed(error) => Probe { n, error: Some(error.clone()), ..Probe::default() },
        }
    }
}

/// What runs programs of a size: the interpreter, or a simulation of it.
pub trait Runs {
    /// What ends the whole search.
    type Error;

    /// Runs the program of size `n` once.
    ///
    /// # Errors
    /// What concerns more than this size: the template can't be used, or somebody asked to end.
    fn run(&mut self, n: u64) -> Result<Outcome, Self::Error>;
}
