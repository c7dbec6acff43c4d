use std::fs;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use crate::bounded_process::{self, Ending};
use crate::failure::last_line;
use crate::{Error, Generator, Interpreter, Outcome, Program, Runs};

/// The bounds of templates and of their programs' runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a program may run before it is ended.
    pub run: Duration,
    /// How long a template may take for one program.
    pub template: Duration,
    /// How much data a process may hold, in bytes.
    pub memory: u64,
}

impl Limits {
    /// How long a template may take, unless another limit is chosen.
    const TEMPLATE: Duration = Duration::from_secs(10);

    /// Limits for runs that may take so long: templates have ten seconds, and memory is bounded at three
    /// quarters of the machine's.
    pub fn new(run: Duration) -> Limits {
        let machine = rustix::system::sysinfo();
        let memory = machine.totalram.saturating_mul(machine.mem_unit.into()) / 4 * 3;
        Limits { run, template: Limits::TEMPLATE, memory }
    }
}

/// Generates a template's programs and runs them.
pub struct Trials {
    generator: Generator,
    interpreter: Interpreter,
    limits: Limits,
    signal: Arc<AtomicUsize>,
    /// The last program: one that is run again is not generated again.
    last: Option<(u64, Program)>,
    generated: bool,
}

impl Trials {
    /// Runs of the programs that `generator` gives. `signal` becomes the number of a signal that asks to end.
    pub fn new(
        generator: Generator,
        interpreter: &Interpreter,
        limits: Limits,
        signal: Arc<AtomicUsize>,
    ) -> Trials {
        Trials { generator, interpreter: interpreter.clone(), limits, signal, last: None, generated: false }
    }

    /// The generator of the programs.
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    fn program(&mut self, n: u64) -> Result<Program, Error> {
        if let Some((_, program)) = self.last.as_ref().filter(|(size, _)| *size == n) {
            return Ok(program.clone());
        }
        let program = self.generator.program(n)?;
        self.last = Some((n, program.clone()));
        Ok(program)
    }

    /// Runs a program in a new folder, the way that `python3 PROGRAM.py` runs it there.
    fn run_source(&self, n: u64, source: &[u8]) -> Result<Outcome, Error> {
        let place = |source| Error::io("run a program in", std::env::temp_dir(), source);
        let folder = tempfile::Builder::new().prefix("opmeter-run-").tempdir().map_err(place)?;
        let path = folder.path().join(format!("{}-n{n}.py", self.generator.template().stem()));
        fs::write(&path, source).map_err(place)?;
        let mut command = Command::new(&self.interpreter.executable);
        command.arg(&path).current_dir(folder.path());
        let Limits { run: limit, memory, .. } = self.limits;
        let ending = bounded_process::run(&mut command, limit, memory, true, &self.signal);
        let ending = ending.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Error::Interpreter {
                name: self.interpreter.executable.display().to_string(),
                reason: format!("could not be started: {source}"),
            },
            _ => place(source),
        })?;
        match ending {
            Ending::Exited { status, time, .. } if status.success() => Ok(Outcome::Took(time.as_secs_f64())),
            Ending::Exited { status, stderr, .. } => Ok(Outcome::Failed(last_line(status, &stderr))),
            Ending::TimedOut => Ok(Outcome::TooLong(limit.as_secs_f64())),
            Ending::Interrupted(signal) => Err(Error::Interrupted { signal }),
        }
    }
}

impl Runs for Trials {
    type Error = Error;

    /// # Errors
    /// When the template prints, or comes to no end before it has given any program; when the interpreter
    /// can't be started; when a signal asks to end.
    fn run(&mut self, n: u64) -> Result<Outcome, Error> {
        let source = match self.program(n)? {
            Program::Source(source) => source,
            Program::None(reason) => return Ok(Outcome::Failed(reason)),
            Program::Endless(seconds) => {
                let reason = format!(
                    "the template's function {} did not return within {seconds} s for n = {n}",
                    self.generator.function()
                );
                if self.generated {
                    return Ok(Outcome::Failed(reason));
                }
                let path = self.generator.template().path.clone();
                return Err(Error::Template { path, reason: format!("{reason}; mend it") });
            }
        };
        self.generated = true;
        self.run_source(n, &source)
    }
}
