//! Running the command as it is.

use std::ffi::OsString;
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::Pid;

use super::input::Input;
use crate::error::Failure;
use crate::signal_passing::{PASSED_ON, SignalPassing};
use crate::{descendants, launch};

/// Runs the command again and again.
pub struct Launcher<'a> {
    command: &'a [OsString],
    input: Input,
    discard_output: bool,
    passing: SignalPassing,
}

impl<'a> Launcher<'a> {
    /// A launcher of this command, whose runs all get the same input.
    ///
    /// # Errors
    /// When the system lacks what is needed to wait for the command's children.
    pub fn new(command: &'a [OsString], input: Input, discard_output: bool) -> Result<Self, Failure> {
        // What is ignored from the start, as under nohup, the command ignores as well.
        let heeded = PASSED_ON.into_iter().filter(|signal| !launch::is_ignored(*signal));
        let heeded: Vec<i32> = heeded.collect();
        let passing =
            SignalPassing::begin(&heeded).and_then(|passing| descendants::adopt().map(|()| passing));
        let passing = passing
            .map_err(|error| Failure::failed(format_args!("the command can't be waited for: {error}")))?;
        Ok(Self { command, input, discard_output, passing })
    }

    /// Runs the command once, and waits for it and all that it started.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn execute(&self) -> Result<ExitStatus, Failure> {
        let run = || {
            let (program, arguments) = launch::parts(self.command)?;
            let mut command = Command::new(program);
            command.args(arguments).stdin(self.input.stdio()?);
            if self.discard_output {
                command.stdout(Stdio::null());
            }
            let child = self.passing.spawn(&mut command)?;
            descendants::wait_for_all(Pid::from_child(&child), || self.passing.ended())
        };
        run().map_err(|error| launch::not_started(self.command, &error))
    }

    /// Whether a signal was passed on to the command, which may have ended it early.
    pub fn was_signalled(&self) -> bool {
        self.passing.any_passed()
    }

    /// What the runs read.
    pub fn input(&self) -> &Input {
        &self.input
    }
}
