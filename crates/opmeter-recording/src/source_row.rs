use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::table_row::table;

/// A row of the sources table: a source file that code objects came from, as it was when the recording
/// was written.
///
/// Of a file whose code only ran while an interpreter started there is the path and the size, but no
/// SHA-256: to read all of these would take longer than a short program does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceRow {
    /// The file, as in [`InstructionRow::file`](crate::InstructionRow::file).
    pub file: Arc<str>,
    /// Its absolute path; empty where no such file was found.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content in hexadecimal; empty where no such file was found, or none of its
    /// code ran after an interpreter's start.
    pub sha256: String,
    /// 1 where the file was written to after a process had started that ran it, or where processes mean
    /// different files by its name, so that it may not be what ran.
    pub changed: u8,
}

impl SourceRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 5] = ["file", "path", "size", "sha256", "changed"];
}

table!(SourceRow, "sources", [file, path, size, sha256, changed]);
