use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::table_row::table;

/// A row of the specialization table (3.11 and later): in which forms one instruction of a family with
/// specialised forms ran, in one phase of one process.
///
/// `specialized`, `unspecialized` and `missed` add up to `executions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SpecializationRow {
    /// The ordinal of the process: [`Process::process`](crate::Process::process).
    pub process: u32,
    /// The phase of the process.
    pub phase: Phase,
    /// The file, as in [`InstructionRow::file`](crate::InstructionRow::file).
    pub file: Arc<str>,
    /// The function, as in [`InstructionRow::function`](crate::InstructionRow::function).
    pub function: Arc<str>,
    /// The code object's first line.
    pub first_line: u32,
    /// The line that the instruction belongs to; 0 where it belongs to none.
    pub line: u32,
    /// Where the instruction stands in the code object's bytecode, in bytes.
    pub offset: u32,
    /// The family: the opcode that the compiler wrote.
    pub opcode: Arc<str>,
    /// How often the instruction was executed.
    pub executions: u64,
    /// Executions in a specialised form whose guard held.
    pub specialized: u64,
    /// Executions in the generic form (3.11's adaptive form among them).
    pub unspecialized: u64,
    /// Executions in a specialised form whose guard failed, so that the generic form did the work.
    pub missed: u64,
    /// The ordinal of the code object in the process, as in
    /// [`InstructionRow::code`](crate::InstructionRow::code).
    pub code: u32,
}

impl SpecializationRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 13] = [
        "process",
        "phase",
        "file",
        "function",
        "first_line",
        "line",
        "offset",
        "opcode",
        "executions",
        "specialized",
        "unspecialized",
        "missed",
        "code",
    ];
}

table!(
    SpecializationRow,
    "specialization",
    [
        process,
        phase,
        file,
        function,
        first_line,
        line,
        offset,
        opcode,
        executions,
        specialized,
        unspecialized,
        missed,
        code
    ]
);
