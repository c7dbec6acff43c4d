use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The part of a process's life in which instructions ran. Written as `startup`, `main`, `shutdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// From the interpreter's start to the first instruction of the program.
    Startup,
    /// The program itself.
    Main,
    /// From the program's end to the end of the interpreter: exit handlers, clearing of modules.
    Shutdown,
}

impl Phase {
    /// All phases, in the order in which a process goes through them.
    pub const ALL: [Phase; 3] = [Phase::Startup, Phase::Main, Phase::Shutdown];

    /// The phase's name in tables and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Startup => "startup",
            Phase::Main => "main",
            Phase::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsePhaseError {
    text: String,
}

impl fmt::Display for ParsePhaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a phase; use startup, main or shutdown", self.text)
    }
}

impl std::error::Error for ParsePhaseError {}

impl FromStr for Phase {
    type Err = ParsePhaseError;

    fn from_str(text: &str) -> Result<Phase, ParsePhaseError> {
        Phase::ALL
            .into_iter()
            .find(|phase| phase.name() == text)
            .ok_or_else(|| ParsePhaseError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_text_and_json() {
        for phase in Phase::ALL {
            assert_eq!(phase.to_string().parse(), Ok(phase));
            assert_eq!(serde_json::to_string(&phase).unwrap(), format!("\"{phase}\""));
        }
    }

    #[test]
    fn other_names_are_refused() {
        let error = "Main".parse::<Phase>().unwrap_err();
        assert_eq!(error.to_string(), "\"Main\" is not a phase; use startup, main or shutdown");
    }
}
