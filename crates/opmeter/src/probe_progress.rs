//! How a search for a range gets on: a line for each run, or one that changes on a terminal.

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use opmeter_report::visible;
use opmeter_synthesis::Outcome;

use crate::message::line;

/// The progress of one template's search, on standard error.
pub struct ProbeProgress {
    template: String,
    line: Option<ProgressBar>,
    runs: Cell<u64>,
}

impl ProbeProgress {
    /// Begins.
    pub fn new(template: &str) -> ProbeProgress {
        let line = io::stderr().is_terminal().then(|| {
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            line.enable_steady_tick(Duration::from_millis(200));
            match ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
                Ok(style) => line.with_style(style),
                Err(_) => line,
            }
        });
        ProbeProgress { template: template.to_owned(), line, runs: Cell::new(0) }
    }

    /// A run begins.
    pub fn begins(&self, n: u64) {
        self.runs.set(self.runs.get() + 1);
        if let Some(line) = &self.line {
            let (template, runs) = (&self.template, self.runs.get());
            line.set_message(format!("{template}: run {runs}, of n = {}", HumanCount(n)));
        }
    }

    /// A run has ended.
    pub fn ended(&self, n: u64, outcome: &Outcome) {
        if self.line.is_some() {
            return;
        }
        let how = match outcome {
            Outcome::Took(seconds) => format!("{seconds:.3} s"),
            Outcome::TooLong(limit) => format!("ended after {limit:.3} s"),
            Outcome::Failed(error) => error.clone(),
        };
        line(format_args!("{}: n = {}: {}", visible(&self.template), HumanCount(n), visible(&how)));
    }

    /// The search is over: nothing of the line is left.
    pub fn end(&self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }
}
