use std::io::ErrorKind;
use std::path::Path;

use opmeter_files::{LONGEST_TEXT, read_whole};
use opmeter_recording::{ExitStatus, Machine};
use serde::{Deserialize, Serialize};

use crate::{Job, Options};

/// What became of a job: a file beside its recording, or beside what it printed where it failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobResult {
    /// The version of this file: 1.
    pub schema_version: u32,
    /// What the result depends on: [`Job::key`].
    pub key: String,
    /// The program's path, from its folder on.
    pub program: String,
    /// The SHA-256 of its content, hexadecimal; empty where it could not be read.
    pub sha256: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The interpreter's executable.
    pub executable: String,
    /// The interpreter's implementation.
    pub implementation: String,
    /// The interpreter's version.
    pub python: String,
    /// Whether the interpreter runs without the global lock.
    pub free_threaded: bool,
    /// What tells the interpreter from others of the same version.
    pub interpreter_identity: String,
    /// How it was measured.
    pub options: Options,
    /// How long a run was allowed to take, in seconds.
    pub timeout: f64,
    /// The machine that it was measured on.
    pub machine: Machine,
    /// The version of the Opmeter that measured it.
    pub opmeter_version: String,
    /// When it was finished: RFC 3339, UTC.
    pub finished: String,
    /// What became of it.
    pub outcome: JobOutcome,
}

/// The one field that every version of the file has.
#[derive(Deserialize)]
struct Version {
    schema_version: u64,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum JobOutcome {
    /// All was measured.
    Done,
    /// Something went wrong.
    Failed {
        /// When.
        step: Step,
        /// What, in a sentence without a full stop.
        reason: String,
        /// How the program ended, if it did by itself.
        exit: Option<ExitStatus>,
        /// Whether its time was over.
        timed_out: bool,
    },
}

/// What is done for a job, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Its files are read.
    Read,
    /// It runs as it is, once: what it compiles is compiled then.
    Trial,
    /// It runs with the agent.
    Counts,
    /// It runs without the agent, and is measured.
    Runs,
}

impl Step {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "reading",
            Self::Trial => "trial run",
            Self::Counts => "metered run",
            Self::Runs => "measured run",
        }
    }
}

impl JobResult {
    /// The file's name.
    pub const FILE: &'static str = "result.json";

    /// The result of a job that has ended now.
    pub fn new(
        job: &Job,
        outcome: JobOutcome,
        machine: Machine,
        opmeter_version: &str,
        finished: String,
    ) -> Self {
        Self {
            schema_version: 1,
            key: job.key(),
            program: job.program.name(),
            sha256: job.program.sha256.clone().unwrap_or_default(),
            arguments: job.program.arguments.clone(),
            executable: job.interpreter.path.display().to_string(),
            implementation: job.interpreter.implementation.clone(),
            python: job.interpreter.python.clone(),
            free_threaded: job.interpreter.free_threaded,
            interpreter_identity: job.interpreter.identity.clone(),
            options: job.options.clone(),
            timeout: job.timeout,
            machine,
            opmeter_version: opmeter_version.to_owned(),
            finished,
            outcome,
        }
    }

    /// Reads the result in a folder; none where there is none that is whole.
    pub fn read(folder: &Path) -> Option<Self> {
        Self::look(folder).ok().flatten()
    }

    /// Reads the result in a folder; none where there is no file of it.
    ///
    /// # Errors
    /// Where there is a file that can't be used: why, in a sentence without a full stop.
    pub fn look(folder: &Path) -> Result<Option<Self>, String> {
        let file = Self::FILE;
        let json = match read_whole(&folder.join(file), LONGEST_TEXT) {
            Ok(json) => json,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("its {file} can't be read: {error}")),
        };
        let damaged = |error| format!("its {file} is damaged ({error}); measure it again");
        let Version { schema_version: found } = serde_json::from_slice(&json).map_err(damaged)?;
        if found != 1 {
            return Err(format!(
                "its {file} has schema version {found}, and this Opmeter knows version 1; read it with the Opmeter that \
                 wrote it, or a newer one"
            ));
        }
        serde_json::from_slice(&json).map(Some).map_err(damaged)
    }

    /// Whether the job failed because its time was over, and has more time now.
    pub fn may_end_now(&self, job: &Job) -> bool {
        matches!(self.outcome, JobOutcome::Failed { timed_out: true, .. }) && job.timeout > self.timeout
    }
}
