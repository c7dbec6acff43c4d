use std::fmt;
use std::io;
use std::path::PathBuf;

/// What a template, its interpreter or a file failed at. Its text says what failed, why, and what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation on a file or folder.
    Io {
        /// What was being done, as a verb: `read`, `write`, `make`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The template's name can't be a key of a file, or of a program: it is no `NAME.py` in UTF-8.
    TemplateName {
        /// The template.
        path: PathBuf,
    },
    /// The interpreter can't be started, or is none that templates are made for.
    Interpreter {
        /// What was to be started.
        name: String,
        /// Why it can't be used.
        reason: String,
    },
    /// The template can't be used at any n: it does not load, or has no function that fits.
    Template {
        /// The template.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The template gave no program for this n.
    NoProgram {
        /// The template.
        path: PathBuf,
        /// The size.
        n: u64,
        /// What it did instead.
        reason: String,
    },
    /// A file that is read and added to is none of ours, or damaged.
    Torn {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Programs that are there already are others than those to be written.
    Exists {
        /// The first of them.
        path: PathBuf,
        /// How many there are besides.
        others: usize,
    },
    /// A signal asked to end.
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Error {
        Error::Io { action, path: path.into(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { action, path, source } => {
                let next = match source.kind() {
                    io::ErrorKind::NotFound => "; check the path",
                    io::ErrorKind::PermissionDenied => "; check the permissions, or choose another place",
                    io::ErrorKind::StorageFull => "; free some space, or choose another place",
                    _ => "",
                };
                write!(f, "can't {action} {}: {source}{next}", path.display())
            }
            Error::TemplateName { path } => {
                write!(f, "{} is no template: name a Python file, NAME.py, in UTF-8", path.display())
            }
            Error::Interpreter { name, reason } => {
                write!(f, "{name} {reason}; name another interpreter with --python")
            }
            Error::Template { path, reason } => write!(f, "{}: {reason}", path.display()),
            Error::NoProgram { path, n, reason } => {
                write!(
                    f,
                    "{}: no program for n = {n}: {reason}; mend the template, or choose other sizes with --min and --max",
                    path.display()
                )
            }
            Error::Torn { path, reason } => {
                let reason = reason.trim_end();
                write!(f, "{} can't be used: {reason}; mend it, or move it away", path.display())
            }
            Error::Exists { path, others } => {
                write!(f, "{} exists and is another program", path.display())?;
                if *others > 0 {
                    write!(f, ", and {others} more are too")?;
                }
                write!(f, "; use --force to replace what differs, or another folder with -o")
            }
            Error::Interrupted { signal } => write!(f, "ended by signal {signal}"),
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
