//! Tables of a recording in formats for other programs: every row, unfiltered, with the same column names
//! in each format.

mod csv;
mod format;
mod json;
mod parquet;

pub use format::{Format, ParseFormatError};
