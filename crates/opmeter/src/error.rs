//! What ends a subcommand.

use std::fmt;
use std::io;

/// Exit status when Opmeter itself failed: as of `env` and `timeout`.
pub const FAILED: u8 = 125;

/// Exit status of every subcommand but `record` when it could not do what was asked.
pub const NOT_DONE: u8 = 1;

/// Exit status of a wrong command line: as of its parser.
pub const WRONG: u8 = 2;

/// A failure: what failed, why, and what to do next, in a sentence or two.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub status: u8,
    /// The text, without the program's name.
    pub message: String,
}

impl Failure {
    /// Opmeter could not do its part.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self { status: FAILED, message: message.to_string() }
    }

    /// Arguments that don't go together, or make no sense.
    pub fn wrong(message: impl fmt::Display) -> Self {
        Self { status: WRONG, message: message.to_string() }
    }

    /// A question that could not be answered.
    pub fn not_done(message: impl fmt::Display) -> Self {
        Self { status: NOT_DONE, message: message.to_string() }
    }

    /// Something could not be written, for a reason of the system's.
    pub fn not_written(what: impl fmt::Display, error: &io::Error) -> Self {
        let next = match error.kind() {
            io::ErrorKind::NotFound => "; make the folder first, or name another",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "; name a place that you may write to"
            }
            io::ErrorKind::IsADirectory => "; that is a folder: name a file in it",
            io::ErrorKind::NotADirectory => "; a part of the path is no folder: name another place",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "; free some room, or name a place that has more"
            }
            _ => "; name another place to write to",
        };
        Self::not_done(format_args!("{what} could not be written: {error}{next}"))
    }
}
