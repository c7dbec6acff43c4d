use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::table_row::table;

/// A row of the pairs table: how often one opcode was executed right after another on the same thread,
/// in one phase of one process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PairRow {
    /// The ordinal of the process: [`Process::process`](crate::Process::process).
    pub process: u32,
    /// The phase of the process.
    pub phase: Phase,
    /// The first opcode as it was executed, named as in [`OpcodeRow::opcode`](crate::OpcodeRow::opcode).
    pub first: Arc<str>,
    /// The opcode that followed it.
    pub second: Arc<str>,
    /// The first opcode as the compiler wrote it.
    pub first_base: Arc<str>,
    /// The second opcode as the compiler wrote it.
    pub second_base: Arc<str>,
    /// How often the two ran in this order.
    pub executions: u64,
}

impl PairRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 7] =
        ["process", "phase", "first", "second", "first_base", "second_base", "executions"];
}

table!(PairRow, "pairs", [process, phase, first, second, first_base, second_base, executions]);
