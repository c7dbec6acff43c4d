use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a recording could not be written or read. Its text says what failed, why, and what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation on a file or folder of the recording.
    Io {
        /// What was being done, as a verb: `read`, `create`, `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is nothing at this path.
    Missing {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// There is something at this path, but not a recording.
    NotARecording {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The recording was started but never finished: it holds live counters and no manifest.
    Unfinished {
        /// The recording's folder.
        path: PathBuf,
    },
    /// A newer Opmeter wrote the recording.
    UnknownSchema {
        /// The manifest.
        path: PathBuf,
        /// The schema version that the manifest names.
        found: u64,
    },
    /// The manifest is there, but cut short or changed.
    TornManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A table is there, but cut short or changed.
    TornTable {
        /// The table's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Error {
        Error::Io { action, path: path.to_owned(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { action, path, source } => {
                write!(f, "cannot {action} {}: {source}", path.display())?;
                let advice = match source.kind() {
                    io::ErrorKind::PermissionDenied => "check who may read and write there",
                    io::ErrorKind::StorageFull => "free some space on that file system",
                    io::ErrorKind::NotFound => "check that the folder still exists",
                    _ => return Ok(()),
                };
                write!(f, "; {advice}")
            }
            Error::Missing { path } => {
                write!(f, "cannot open {}: there is no such recording; check the path", path.display())
            }
            Error::NotARecording { path } => write!(
                f,
                "cannot open {}: it is not a recording (a folder with a manifest.json); \
                 give the path of a folder that `opmeter record` wrote",
                path.display()
            ),
            Error::Unfinished { path } => write!(
                f,
                "cannot open {}: the recording was never finished (it has live counters, but no \
                 manifest.json); wait for the command that it meters to end, or record again",
                path.display()
            ),
            Error::UnknownSchema { path, found } => write!(
                f,
                "cannot read {}: it has schema version {found}, and this Opmeter knows version {}; \
                 read it with the Opmeter that wrote it, or a newer one",
                path.display(),
                crate::SCHEMA_VERSION
            ),
            Error::TornManifest { path, reason } => write!(
                f,
                "cannot read {}: the manifest is damaged ({reason}); restore it from a copy or record again",
                path.display()
            ),
            Error::TornTable { path, reason } => write!(
                f,
                "cannot read {}: the table is damaged ({reason}); restore it from a copy or record again",
                path.display()
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
