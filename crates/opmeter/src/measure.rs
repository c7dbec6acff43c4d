//! `opmeter measure`

mod args;
mod plan;
mod progress;
mod summary;
mod worker;

use std::process::ExitCode;

use opmeter_corpus::{Job, State};

use crate::error::{Failure, NOT_DONE};
use crate::launch;
use crate::native::launcher;

pub use args::MeasureArgs;

use plan::Plan;
use progress::Progress;
use summary::Summary;
use worker::{Progressed, Worker};

/// Measures every program of a folder on every interpreter, run by run in turn, and tells what became of them.
/// Status 0 where all is measured, 1 where something failed.
pub fn run(args: &MeasureArgs) -> Result<ExitCode, Failure> {
    let mut plan = Plan::new(args)?;
    let passing = launcher::prepare()?;
    let mut summary = Summary::new(&plan);
    let mut open = Vec::new();
    for job in &plan.jobs {
        match plan.results.state(job).map_err(Failure::failed)? {
            State::Done(_) => summary.done_before += 1,
            State::Failed(result) if !args.retry_failed && !result.may_end_now(job) => {
                summary.failed(job, &result, true);
            }
            State::Failed(_) | State::Open => open.push(job),
        }
    }
    let progress = Progress::new(args.quiet, &open, &plan.results)?;
    let mut worker = Worker::new(&plan.results, &mut plan.gauge, passing.clone())?;
    let rounds = plan.options.runs;
    // First the counts of all, then a run of each, and again: a drift of the machine meets all alike.
    for round in 0..=rounds {
        if round > 0 && !open.is_empty() {
            progress.idle(worker.idle_seconds());
            worker.measure_idle();
        }
        let mut left: Vec<&Job> = Vec::new();
        for job in open {
            progress.begin(job, round);
            let progressed = worker.advance(job, round).inspect_err(|_| progress.close())?;
            if passing.passed().is_none() {
                progress.end(job, round, &progressed);
            }
            match progressed {
                Progressed::Open => left.push(job),
                Progressed::Done => summary.done += 1,
                Progressed::Failed(result) => summary.failed(job, &result, false),
                Progressed::Taken => summary.taken += 1,
            }
            if let Some(signal) = passing.passed() {
                progress.close();
                summary.interrupted();
                return Ok(launch::end_by(signal));
            }
        }
        open = left;
    }
    progress.close();
    summary.print(&worker.warnings());
    Ok(if summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}
