use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::table_row::table;

/// A row of the table of source texts: what a source file held when the recording was written.
///
/// There is one for each file that code ran from after an interpreter's start, but for the standard library's: those
/// come with the interpreter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceTextRow {
    /// The file, as in [`SourceRow::file`](crate::SourceRow::file).
    pub file: Arc<str>,
    /// Its text. Bytes that are not UTF-8 are replaced.
    pub text: Arc<str>,
}

impl SourceTextRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 2] = ["file", "text"];
}

table!(SourceTextRow, "source_texts", [file, text]);
