use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why no model could be fitted, read or written. Its text says what failed, why, and what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The results are of several interpreters.
    SeveralInterpreters {
        /// Each, with how many results it has.
        interpreters: Vec<(String, usize)>,
    },
    /// No result is of the interpreter that was asked for.
    NoSuchInterpreter {
        /// What was asked for.
        python: String,
        /// Those that there are, with how many results each has.
        interpreters: Vec<(String, usize)>,
    },
    /// There are too few programs.
    TooFew {
        /// Programs that can be used.
        programs: usize,
        /// Templates of theirs, a program of none being one by itself.
        templates: usize,
        /// What is to be fitted: `time` or `energy`.
        response: &'static str,
    },
    /// The operating system refused an operation on a file.
    Io {
        /// What was being done, as a verb: `read`, `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is there, but is no model, or one of a newer Opmeter.
    NoModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}

fn listed(interpreters: &[(String, usize)]) -> String {
    let each = interpreters.iter().map(|(name, results)| format!("{name} ({})", counted(*results, "result")));
    each.collect::<Vec<String>>().join(", ")
}

fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeveralInterpreters { interpreters } => write!(
                f,
                "the results are of several interpreters, and a model is of one: {}; choose one with --python, by its \
                 version or path",
                listed(interpreters)
            ),
            Self::NoSuchInterpreter { interpreters, .. } if interpreters.is_empty() => {
                write!(
                    f,
                    "there are no results that can be used; measure programs with `opmeter measure FOLDER`"
                )
            }
            Self::NoSuchInterpreter { python, interpreters } => {
                write!(f, "no result is of {python}; there are results of {}", listed(interpreters))
            }
            Self::TooFew { programs, templates, response } => write!(
                f,
                "no model can be fitted: {} of {} have counts and {response} that can be used (a program of no template \
                 is one by itself), and it takes {} of {} at least; measure more with `opmeter measure FOLDER`",
                counted(*programs, "program"),
                counted(*templates, "template"),
                crate::LEAST_PROGRAMS,
                crate::LEAST_TEMPLATES
            ),
            Self::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::NoModel { path, reason } => {
                write!(f, "{} can't be used: {reason}; make a model with `opmeter model fit`", path.display())
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
