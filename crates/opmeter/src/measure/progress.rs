//! How far a folder has come.

use std::cell::Cell;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use opmeter_corpus::{Job, JobOutcome, Results};
use opmeter_report::visible;

use super::worker::Progressed;
use crate::error::Failure;
use crate::{machine, message};

/// A bar on a terminal; elsewhere a line for each job that has come to its end. It is drawn between runs only.
pub struct Progress {
    bar: ProgressBar,
    /// Whether lines are printed.
    lines: bool,
    jobs: usize,
    done: Cell<usize>,
    failed: Cell<usize>,
}

impl Progress {
    /// Nothing is done yet of these jobs.
    ///
    /// # Errors
    /// When what is in the making can't be read.
    pub fn new(quiet: bool, jobs: &[&Job], results: &Results) -> Result<Self, Failure> {
        let machine = machine::describe();
        let mut steps = 0;
        for job in jobs {
            let claim = results.claim(job).map_err(Failure::failed)?;
            // The counts take two runs.
            let done = claim.and_then(|claim| claim.progress(&machine)).map_or(0, |runs| runs + 2);
            steps += u64::from((job.options.runs + 2).saturating_sub(done));
        }
        let terminal = io::stderr().is_terminal();
        let shown = terminal && !quiet;
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        let style = ProgressStyle::with_template("{bar:20} {percent:>3} %, {eta} left · {msg}");
        let bar = style.into_iter().fold(bar, ProgressBar::with_style);
        let lines = !quiet && !terminal;
        Ok(Self { bar, lines, jobs: jobs.len(), done: Cell::new(0), failed: Cell::new(0) })
    }

    /// The idle power is measured, if it is.
    pub fn idle(&self, seconds: f64) {
        if seconds > 0.0 {
            self.show(&format!("idle power for {seconds:.1} s"));
        }
    }

    /// A job is taken up in a round.
    pub fn begin(&self, job: &Job, round: u32) {
        let what = match round {
            0 => "counts".to_owned(),
            run => format!("run {run}/{}", job.options.runs),
        };
        self.show(&format!("{}, {what}", label(job)));
    }

    /// What became of it in this round.
    pub fn end(&self, job: &Job, round: u32, progressed: &Progressed) {
        // What is not done for a job that failed need not be waited for.
        let left = u64::from(job.options.runs.saturating_sub(round));
        let failed = matches!(progressed, Progressed::Failed(_) | Progressed::Taken);
        self.bar.inc(if round == 0 { 2 } else { 1 } + if failed { left } else { 0 });
        let ended = self.done.get() + self.failed.get() + 1;
        let line = match progressed {
            Progressed::Open => return,
            Progressed::Done => {
                self.done.set(self.done.get() + 1);
                format!("[{ended}/{}] {}: done", self.jobs, label(job))
            }
            Progressed::Failed(result) => {
                self.failed.set(self.failed.get() + 1);
                let JobOutcome::Failed { step, reason, .. } = &result.outcome else { return };
                format!("[{ended}/{}] {}: {} failed: {}", self.jobs, label(job), step.name(), visible(reason))
            }
            Progressed::Taken => format!("{}: left to the command that works on it", label(job)),
        };
        if self.lines {
            message::line(line);
        }
    }

    fn show(&self, what: &str) {
        let left = self.jobs - (self.done.get() + self.failed.get()).min(self.jobs);
        self.bar.set_message(format!(
            "{} done, {} failed, {left} to go · {what}",
            self.done.get(),
            self.failed.get()
        ));
        self.bar.tick();
    }

    /// There is no more to be shown.
    pub fn close(&self) {
        self.bar.finish_and_clear();
    }
}

/// A job, for people.
pub fn label(job: &Job) -> String {
    let (program, interpreter) = names(job);
    format!("{} on {interpreter}", visible(&program))
}

/// The names of a job's program and interpreter.
pub fn names(job: &Job) -> (String, String) {
    (job.program.name(), job.interpreter.name())
}
