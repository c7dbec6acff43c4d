use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use opmeter_files::{LONGEST_TEXT, read_whole};
use serde::{Deserialize, Serialize};

use crate::{Energy, EnergyRow, Error, OpcodeRow, Process, TableRow};

/// The version of the layout of recordings that this crate writes, and the newest that it reads. A table
/// or a field that is added leaves it as it is: older readers pass over what they do not know.
pub const SCHEMA_VERSION: u32 = 1;

/// What a recording says of itself: what was run, where, and what is complete.
///
/// Fields that an older manifest lacks are read as their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// The version of the recording's layout: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of the Opmeter that wrote the recording.
    pub opmeter_version: String,
    /// The command that was run, its arguments included. Bytes that are not UTF-8 are replaced.
    pub command: Vec<String>,
    /// The folder that it was run in.
    pub directory: String,
    /// The environment variables that it was started with and that steer CPython: those whose names begin with
    /// `PYTHON`. None where they were not recorded. What is not UTF-8 is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<BTreeMap<String, String>>,
    /// When it was started: RFC 3339, UTC.
    pub started: String,
    /// How long it ran, in seconds of wall time.
    pub wall_seconds: f64,
    /// How it ended.
    pub exit: ExitStatus,
    /// The machine that it ran on.
    pub machine: Machine,
    /// Whether everything that was to be metered is in the recording.
    pub complete: bool,
    /// What is missing from the recording: a plain sentence each.
    pub incomplete: Vec<String>,
    /// The tables that the recording has; one of these that has no file is missing. Recordings from before
    /// there was more than one table do not say, and have the opcodes.
    pub tables: Vec<String>,
    /// The processes of the command, by ordinal. None where the command was not metered, only its energy was.
    pub processes: Vec<Process>,
    /// How the command's energy was measured, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
}

/// How a command ended: with a code of its own or by a signal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExitStatus {
    /// The exit code; none where a signal ended the command.
    pub code: Option<i32>,
    /// The number of the signal that ended the command.
    pub signal: Option<i32>,
}

/// The machine that a command ran on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// The machine's name on its network.
    pub hostname: String,
    /// The processor's model.
    pub cpu: String,
    /// Logical cores that the command could use.
    pub cores: u32,
    /// The kernel's name and release.
    pub kernel: String,
}

impl Default for Manifest {
    fn default() -> Manifest {
        Manifest {
            schema_version: SCHEMA_VERSION,
            opmeter_version: String::new(),
            command: Vec::new(),
            directory: String::new(),
            environment: None,
            started: String::new(),
            wall_seconds: 0.0,
            exit: ExitStatus::default(),
            machine: Machine::default(),
            complete: false,
            incomplete: Vec::new(),
            tables: vec![OpcodeRow::TABLE.to_owned()],
            processes: Vec::new(),
            energy: None,
        }
    }
}

/// The one field that every schema version has.
#[derive(Deserialize)]
struct SchemaVersion {
    schema_version: u64,
}

impl Manifest {
    /// Whether the recording has counts: one of a command's energy alone has none.
    pub fn has_counts(&self) -> bool {
        self.tables.iter().any(|table| table == OpcodeRow::TABLE)
    }

    /// Whether the recording has the command's energy.
    pub fn has_energy(&self) -> bool {
        self.tables.iter().any(|table| table == EnergyRow::TABLE)
    }

    /// The manifest's file name in a recording's folder.
    pub const FILE: &'static str = "manifest.json";

    /// Reads the manifest of the recording in `folder`.
    ///
    /// # Errors
    /// [`Error::Io`] where the file can't be read (also if there is none), [`Error::TornManifest`] where
    /// it is no whole manifest, [`Error::UnknownSchema`] where a newer Opmeter wrote it.
    pub fn read(folder: &Path) -> Result<Manifest, Error> {
        let path = folder.join(Manifest::FILE);
        let json = read_whole(&path, LONGEST_TEXT).map_err(|source| Error::io("read", &path, source))?;
        let torn = |reason: serde_json::Error| Error::TornManifest {
            path: path.clone(),
            reason: if json.is_empty() { "it is empty".to_owned() } else { reason.to_string() },
        };
        let SchemaVersion { schema_version } = serde_json::from_slice(&json).map_err(torn)?;
        if schema_version == 0 || schema_version > u64::from(SCHEMA_VERSION) {
            return Err(Error::UnknownSchema { path, found: schema_version });
        }
        serde_json::from_slice(&json).map_err(torn)
    }

    /// Writes the manifest as JSON, indented, with a line end after it.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_json(&self, mut out: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Dispatch, ProcessState};

    fn read(json: &str) -> Result<Manifest, Error> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(Manifest::FILE), json).unwrap();
        Manifest::read(folder.path())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let manifest = Manifest {
            command: vec!["python".into(), "-c".into(), "print('ü')\n".into()],
            wall_seconds: 0.1,
            exit: ExitStatus { code: None, signal: Some(9) },
            complete: true,
            processes: vec![Process {
                process: 1,
                parent: Some(0),
                state: ProcessState::Metered,
                dispatch: Dispatch { executions: u64::MAX, ..Dispatch::default() },
                ..Process::default()
            }],
            ..Manifest::default()
        };
        let mut json = Vec::new();
        manifest.write_json(&mut json).unwrap();
        assert_eq!(read(std::str::from_utf8(&json).unwrap()).unwrap(), manifest);
    }

    #[test]
    fn an_older_manifest_lacks_fields_and_is_read() {
        let manifest = read(r#"{"schema_version": 1, "processes": [{"pid": 7}]}"#).unwrap();
        assert_eq!(manifest.processes[0].pid, 7);
        assert_eq!(manifest.processes[0].state, ProcessState::Unmetered);
        assert!(!manifest.complete);
        assert_eq!(manifest.tables, ["opcodes"]);
    }

    #[test]
    fn a_newer_manifest_is_refused_even_if_its_fields_differ() {
        let error = read(r#"{"schema_version": 2, "command": "one text", "new": []}"#).unwrap_err();
        assert!(matches!(error, Error::UnknownSchema { found: 2, .. }), "{error}");
        assert!(error.to_string().contains("knows version 1"), "{error}");
    }

    #[test]
    fn a_manifest_cut_short_anywhere_is_torn() {
        let mut json = Vec::new();
        Manifest::default().write_json(&mut json).unwrap();
        let json = String::from_utf8(json).unwrap();
        for length in 0..json.trim_end().len() {
            let error = read(&json[..length]).unwrap_err();
            assert!(matches!(error, Error::TornManifest { .. }), "{length}: {error}");
        }
        assert!(matches!(read("{}"), Err(Error::TornManifest { .. })));
    }
}
