//! How far the runs have come.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::EnergyArgs;

/// A bar with a step for each run, where there is somebody to look at it and the command does not write there
/// itself. It is drawn between runs only: drawing takes energy.
pub struct Progress {
    bar: ProgressBar,
    warmup: u32,
}

impl Progress {
    /// Nothing is done yet.
    pub fn new(args: &EnergyArgs) -> Self {
        let shown = !args.quiet && (args.no_output || !io::stdout().is_terminal());
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(u64::from(args.runs + args.warmup)), target);
        let style = ProgressStyle::with_template("{wide_bar} {msg}, {eta} left");
        let bar = style.into_iter().fold(bar, ProgressBar::with_style);
        Self { bar, warmup: args.warmup }
    }

    /// The idle power is measured, if it is.
    pub fn idle(&self, seconds: f64) {
        if seconds == 0.0 {
            return;
        }
        self.bar.set_message(format!("idle power for {seconds:.1} s"));
        self.bar.tick();
        self.bar.reset_eta();
    }

    /// A run begins that does not count.
    pub fn warm_up(&self, run: u32) {
        self.show(run, format!("warm-up run {} of {}", run + 1, self.warmup));
    }

    /// A run begins.
    pub fn run(&self, run: u32) {
        let runs = self.bar.length().unwrap_or(0) as u32 - self.warmup;
        self.show(self.warmup + run, format!("run {} of {runs}", run + 1));
    }

    fn show(&self, done: u32, message: String) {
        self.bar.set_message(message);
        self.bar.set_position(u64::from(done));
        self.bar.tick();
    }

    /// All is done.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
