//! Tables of a recording in formats for other programs: every row, unfiltered, with the same column names
//! in each format.

mod csv;
mod exporter;
mod format;
mod json;
mod parquet;

pub use exporter::Exporter;
pub use format::{Format, ParseFormatError};
