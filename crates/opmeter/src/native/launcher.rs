//! Running the command as it is.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rustix::process::Pid;

use super::input::Input;
use super::scratch::Scratch;
use super::watchdog::Watchdog;
use crate::error::Failure;
use crate::signal_passing::{PASSED_ON, Reach, SignalPassing};
use crate::{descendants, launch};

/// Runs a command again and again.
pub struct Launcher {
    /// The command, with its arguments.
    pub command: Vec<OsString>,
    /// What each execution reads.
    pub input: Input,
    /// Where its output goes.
    pub output: Output,
    /// Where it runs.
    pub folder: Folder,
    /// Variables that are added to the environment.
    pub environment: Vec<(OsString, OsString)>,
    /// How long it may take. A command that has a limit runs in a process group of its own.
    pub timeout: Option<Duration>,
    /// What is told the process ID of each execution that has a limit, if anything is.
    pub started: Option<Started>,
    passing: Rc<SignalPassing>,
}

/// What is told a process ID.
pub type Started = Box<dyn Fn(u32)>;

/// The working folder of a command.
pub enum Folder {
    /// Ours.
    Own,
    /// This one.
    At(PathBuf),
    /// A new one for each execution.
    New(Scratch),
}

/// Where the output of a command goes.
pub enum Output {
    /// Where ours goes.
    Own,
    /// Standard error where ours goes, standard output nowhere.
    ErrorsOnly,
    /// To these files, made anew for each execution: standard output, standard error.
    Files(PathBuf, PathBuf),
}

/// An execution that has come to its end.
#[derive(Debug, Clone, Copy)]
pub struct Execution {
    /// How it ended.
    pub status: ExitStatus,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
}

/// Begins to pass signals on, and to adopt what commands leave running.
///
/// # Errors
/// When the system lacks what is needed for that.
pub fn prepare() -> Result<Rc<SignalPassing>, Failure> {
    // What is ignored from the start, as under nohup, the command ignores as well.
    let heeded = PASSED_ON.into_iter().filter(|signal| !launch::is_ignored(*signal));
    let heeded: Vec<i32> = heeded.collect();
    let passing = SignalPassing::begin(&heeded).and_then(|passing| descendants::adopt().map(|()| passing));
    passing
        .map(Rc::new)
        .map_err(|error| Failure::failed(format_args!("commands can't be waited for here: {error}")))
}

impl Launcher {
    /// A launcher of this command, in our own folder, for as long as it takes.
    pub fn new(command: Vec<OsString>, input: Input, output: Output, passing: &Rc<SignalPassing>) -> Self {
        let passing = passing.clone();
        Self {
            command,
            input,
            output,
            folder: Folder::Own,
            environment: Vec::new(),
            timeout: None,
            started: None,
            passing,
        }
    }

    /// Runs the command once, and waits for it and all that it started.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn execute(&self) -> Result<Execution, Failure> {
        self.run().map_err(|error| launch::not_started(&self.command, &error))
    }

    fn run(&self) -> io::Result<Execution> {
        let (program, arguments) = launch::parts(&self.command)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(self.input.stdio()?).envs(self.environment.iter().cloned());
        match &self.output {
            Output::Own => {}
            Output::ErrorsOnly => drop(command.stdout(Stdio::null())),
            Output::Files(out, err) => drop(command.stdout(File::create(out)?).stderr(File::create(err)?)),
        }
        match &self.folder {
            Folder::Own => {}
            Folder::At(folder) => drop(command.current_dir(folder)),
            Folder::New(scratch) => {
                scratch.renew()?;
                command.current_dir(scratch.path());
            }
        }
        let Some(timeout) = self.timeout else {
            let child = self.passing.spawn(&mut command, Reach::Process)?;
            let status = descendants::wait_for_all(Pid::from_child(&child), || self.passing.ended())?;
            return Ok(Execution { status, timed_out: false });
        };
        let child = self.passing.spawn(command.process_group(0), Reach::Group)?;
        if let Some(started) = &self.started {
            started(child.id());
        }
        let pid = Pid::from_child(&child);
        let watchdog = Watchdog::begin(pid, timeout);
        // What it leaves running is ended by signals, too.
        let status = descendants::wait_for_all(pid, || {});
        self.passing.ended();
        let timed_out = watchdog.end();
        Ok(Execution { status: status?, timed_out })
    }

    /// Whether a signal was passed on to the command, which may have ended it early.
    pub fn was_signalled(&self) -> bool {
        self.passing.passed().is_some()
    }
}
