//! Recordings in formats for other programs: tables, with the same column names in each format, and the
//! whole of a recording for the tools that show profiles and coverage.

mod callgrind;
mod csv;
mod events;
mod format;
mod json;
mod lcov;
mod parquet;
mod profile;

pub(crate) use csv::csv_error;

pub use callgrind::write_callgrind;
pub use events::{EventFormat, TornEvents, write_events};
pub use format::{Format, ParseFormatError};
pub use lcov::write_lcov;
pub use profile::Profile;
