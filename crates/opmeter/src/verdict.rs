//! `opmeter diff --fail-above`

use std::process::ExitCode;

use opmeter_analysis::{Comparison, Gate};

use crate::error::{Failure, NOT_DONE};
use crate::message;

/// Whether executions grew by more than they may, and why that is so.
pub struct Verdict {
    /// Whether they did.
    pub gate: Gate,
    /// Why, in a sentence.
    pub sentence: String,
}

impl Verdict {
    /// Looks whether the executions of what is compared grew by more than so many percent.
    pub fn new(comparison: &Comparison<'_>, percent: f64) -> Verdict {
        let total = comparison.total;
        let grew = match total.percent() {
            _ if total.size() == 0 => "executions did not change".to_owned(),
            None => "executions grew from none".to_owned(),
            Some(by) if by < 0.0 => format!("executions shrank by {:.4} %", -by),
            Some(by) => format!("executions grew by {by:.4} %"),
        };
        let grew = format!("{grew} ({} before, {} after)", total.before.executions, total.after.executions);
        let gate = comparison.gate(percent);
        let sentence = match &gate {
            Gate::Passed => format!("{grew}; --fail-above {percent} allows that"),
            Gate::Failed => format!("{grew}, more than --fail-above {percent} allows"),
            Gate::Undecided(why) => {
                format!("--fail-above can't tell whether executions grew: {why}; record both again")
            }
        };
        Verdict { gate, sentence }
    }

    /// Says it, and ends accordingly.
    ///
    /// # Errors
    /// Where it can't be told.
    pub fn end(self) -> Result<ExitCode, Failure> {
        let status = match self.gate {
            Gate::Passed => ExitCode::SUCCESS,
            Gate::Failed => ExitCode::from(NOT_DONE),
            Gate::Undecided(_) => return Err(Failure::wrong(self.sentence)),
        };
        message::tell(&self.sentence);
        Ok(status)
    }
}
