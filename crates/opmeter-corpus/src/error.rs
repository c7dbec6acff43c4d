use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a folder could not be measured. Its text says what failed, why, and what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation on a file or folder.
    Io {
        /// What was being done, as a verb: `read`, `create`, `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The configuration says something that can't be.
    Config {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such interpreter.
    NoInterpreter {
        /// How it was named.
        name: String,
        /// What was tried, and what came of it.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::Config { path, reason } => write!(f, "{} can't be used: {reason}", path.display()),
            Self::NoInterpreter { name, reason } => {
                write!(f, "there is no interpreter {name}: {reason}; name one by its path, or install it")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
