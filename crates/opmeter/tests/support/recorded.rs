//! Running the command, and reading what it recorded.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use opmeter_recording::{OpcodeRow, Phase, Recording};

/// The command's executable.
pub fn opmeter() -> Command {
    Command::new(env!("CARGO_BIN_EXE_opmeter"))
}

/// A folder with a recording in it.
pub struct Recorded {
    folder: tempfile::TempDir,
    /// What the command printed, and how it ended.
    pub output: Output,
}

/// Records a command in a folder of its own, which is the working folder as well.
pub fn record<S: AsRef<OsStr>>(command: impl IntoIterator<Item = S>) -> Recorded {
    record_with(&[], command)
}

/// Records with options of `record` before the command.
pub fn record_with<S: AsRef<OsStr>>(options: &[&str], command: impl IntoIterator<Item = S>) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    let output = opmeter()
        .current_dir(folder.path())
        .args(["record", "-o", "out.opm"])
        .args(options)
        .arg("--")
        .args(command)
        .output()
        .unwrap();
    Recorded { folder, output }
}

impl Recorded {
    /// The working folder of the command.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the recording lies.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("out.opm")
    }

    /// The recording.
    pub fn recording(&self) -> Recording {
        Recording::open(&self.path()).unwrap_or_else(|error| panic!("{error}\n{}", self.stderr()))
    }

    /// What the command printed to standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// What the command printed to standard error.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// Executions in the main phase by base opcode, of all processes or of one.
pub fn main_counts(rows: &[OpcodeRow], process: Option<u32>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        if row.phase == Phase::Main && process.is_none_or(|process| process == row.process) {
            *counts.entry(row.base_opcode.clone()).or_insert(0) += row.executions;
        }
    }
    counts
}
