use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::table_row::table;

/// A row of the table of what events are of: each site has one, and one more for each instruction that a combined
/// opcode executes besides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventSiteRow {
    /// The ordinal of the process: [`Process::process`](crate::Process::process).
    pub process: u32,
    /// The site's number in the process.
    pub site: u32,
    /// 0, or for what a combined opcode executes besides 1 and so on.
    pub part: u32,
    /// The phase of the process.
    pub phase: Phase,
    /// What was executed, named as in [`OpcodeRow::opcode`](crate::OpcodeRow::opcode).
    pub opcode: Arc<str>,
    /// The opcode as the compiler wrote it.
    pub base_opcode: Arc<str>,
    /// The file, as in [`InstructionRow::file`](crate::InstructionRow::file); empty where the instruction belongs
    /// to no code object, or where it is not known where it stands.
    pub file: Arc<str>,
    /// The code object's name, as in [`InstructionRow::function`](crate::InstructionRow::function).
    pub function: Arc<str>,
    /// The line that the instruction belongs to; 0 where it belongs to none.
    pub line: u32,
    /// Where the instruction stands in the code object's bytecode, in bytes.
    pub offset: u32,
    /// The ordinal of the code object in the process.
    pub code: u32,
}

impl EventSiteRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 11] = [
        "process",
        "site",
        "part",
        "phase",
        "opcode",
        "base_opcode",
        "file",
        "function",
        "line",
        "offset",
        "code",
    ];
}

table!(
    EventSiteRow,
    "event_sites",
    [process, site, part, phase, opcode, base_opcode, file, function, line, offset, code]
);
