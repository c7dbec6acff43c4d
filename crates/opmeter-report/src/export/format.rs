use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use opmeter_recording::TableRow;

use super::{csv, json, parquet};

/// A format that tables can be exported in. Named `csv`, `parquet`, `json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values: a line of column names, then a line a row, as RFC 4180 has it but for the
    /// line ends, which are plain line feeds.
    Csv,
    /// Parquet, as in the recording itself.
    Parquet,
    /// A JSON array of objects, an object a row and a line.
    Json,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 3] = [Format::Csv, Format::Parquet, Format::Json];

    /// The format's name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
            Format::Json => "json",
        }
    }

    /// Writes a table: all `rows`, in their order, in the columns [`TableRow::COLUMNS`].
    ///
    /// # Errors
    /// Whatever `out` gives, unchanged.
    pub fn write<R: TableRow>(self, rows: &[R], out: &mut dyn Write) -> io::Result<()> {
        match self {
            Format::Csv => csv::write(rows, out),
            Format::Parquet => parquet::write(rows, out),
            Format::Json => json::write(rows, out),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFormatError {
    text: String,
}

impl fmt::Display for ParseFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an export format; use csv, parquet or json", self.text)
    }
}

impl std::error::Error for ParseFormatError {}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Format, ParseFormatError> {
        Format::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| ParseFormatError { text: text.to_owned() })
    }
}
