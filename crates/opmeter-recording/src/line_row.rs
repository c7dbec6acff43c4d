use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::table_row::table;
use crate::{InstructionTime, Phase};

/// A row of the lines table: how often one line ran in one phase of one process.
///
/// There is a row for every line that has one in the instructions table, whether it ran or not. Line 0
/// stands for instructions that belong to no line, so that the table adds up to the instructions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineRow {
    /// The ordinal of the process: [`Process::process`](crate::Process::process).
    pub process: u32,
    /// The phase of the process.
    pub phase: Phase,
    /// The file, as in [`InstructionRow::file`](crate::InstructionRow::file).
    pub file: Arc<str>,
    /// The line, from 1; 0 for instructions that belong to none.
    pub line: u32,
    /// Executions of the line's instructions, added up.
    pub executions: u64,
    /// How often the line was come to from another line, or a code object began with it (but for the
    /// prologue of a function, which belongs to the line of the `def`), added up over the code objects
    /// that have a part in the line.
    pub hits: u64,
    /// How long they took, where times were taken.
    #[serde(flatten)]
    pub time: Option<InstructionTime>,
}

impl LineRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 6] = ["process", "phase", "file", "line", "executions", "hits"];
}

table!(LineRow, "lines", [process, phase, file, line, executions, hits], time InstructionTime [timed_executions, cycles_raw, cycles_net, cycles_net_se, ns_net]);
