//! What ends a subcommand.

use std::fmt;

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
}
