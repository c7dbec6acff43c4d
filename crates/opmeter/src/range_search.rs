//! Searching the range of one template, with its progress.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use clap::Args;
use opmeter_synthesis::{
    Error, FoundOn, Generator, Interpreter, Limits, Outcome, Range, RangeEntry, RangeFile, Runs, Template,
    Trials, search,
};

use crate::error::Failure;
use crate::machine;
use crate::named_python;
use crate::probe_progress::ProbeProgress;

/// The target time where none is chosen, in seconds.
pub const TARGET: f64 = 10.0;

/// Arguments of what searches ranges.
#[derive(Args)]
pub struct SearchArgs {
    /// The interpreter that evaluates templates and runs their programs: a version such as 3.8, a name, or a path
    #[arg(long, value_name = "PY", default_value = "python3")]
    pub python: OsString,
    /// The template's function [default: the only one that takes n alone]
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// When a run is ended, in seconds [default: half as much again as the target, and 0.5]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
}

/// A time on the command line, in seconds.
pub fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.001..=1e6).contains(seconds));
    seconds.ok_or_else(|| "a time is a number of seconds, from 0.001 to 1000000".to_owned())
}

/// What templates are evaluated and their programs run with.
pub struct Workbench {
    interpreter: Interpreter,
    function: Option<String>,
    target: f64,
    limits: Limits,
    signal: Arc<AtomicUsize>,
}

impl Workbench {
    /// Finds the interpreter. `signal` becomes the number of a signal that asks to end.
    pub fn new(args: &SearchArgs, target: f64, signal: Arc<AtomicUsize>) -> Result<Workbench, Failure> {
        let timeout = args.timeout.unwrap_or(target * 1.5 + 0.5);
        if timeout < target {
            return Err(Failure::wrong(format_args!(
                "a run would be ended after {timeout} s, before the target of {target} s: choose a greater --timeout"
            )));
        }
        let python = named_python::command(&args.python)?;
        let interpreter = Interpreter::find(&python, &signal).map_err(Failure::not_done)?;
        let limits = Limits::new(Duration::from_secs_f64(timeout));
        Ok(Workbench { interpreter, function: args.function.clone(), target, limits, signal })
    }

    /// The interpreter.
    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreter
    }

    /// Loads a template.
    pub fn generator(&self, template: &Template) -> Result<Generator, Error> {
        let (signal, function) = (Arc::clone(&self.signal), self.function.as_deref());
        Generator::new(template, &self.interpreter, function, self.limits, signal)
    }

    /// Searches the range of a template, and writes what was found beside it.
    pub fn search(&self, generator: Generator) -> Result<(Range, RangeEntry), Error> {
        let (template, function) = (generator.template().clone(), generator.function().to_owned());
        let trials = Trials::new(generator, &self.interpreter, self.limits, Arc::clone(&self.signal));
        let progress = ProbeProgress::new(&template.name);
        let found = search(&mut Watched { trials, progress: &progress }, self.target);
        progress.end();
        let range = found?;
        let machine = machine::describe();
        let interpreter = self.interpreter.clone();
        let on = FoundOn { interpreter, cpu: machine.cpu, hostname: machine.hostname };
        let entry = RangeEntry::new(&range, &template, &function, self.target, &on);
        RangeFile::beside(template.folder()).keep(&template.name, &entry)?;
        Ok((range, entry))
    }
}

/// Runs that are shown.
struct Watched<'a> {
    trials: Trials,
    progress: &'a ProbeProgress,
}

impl Runs for Watched<'_> {
    type Error = Error;

    fn run(&mut self, n: u64) -> Result<Outcome, Error> {
        self.progress.begins(n);
        let outcome = self.trials.run(n)?;
        self.progress.ended(n, &outcome);
        Ok(outcome)
    }
}
