use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::table_row::table;

/// A row of the distributions table: how many timed executions of an opcode took so many cycles.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DistributionRow {
    /// The ordinal of the process: [`Process::process`](crate::Process::process).
    pub process: u32,
    /// The phase of the process.
    pub phase: Phase,
    /// The opcode as it was executed: [`OpcodeRow::opcode`](crate::OpcodeRow::opcode).
    pub opcode: String,
    /// The fewest cycles of the bucket, the probe's cost included.
    pub cycles_from: u64,
    /// The most cycles of the bucket; 3.2 % more than the fewest at most.
    pub cycles_to: u64,
    /// Timed executions in it.
    pub executions: u64,
}

impl DistributionRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 6] =
        ["process", "phase", "opcode", "cycles_from", "cycles_to", "executions"];
}

table!(DistributionRow, "distributions", [process, phase, opcode, cycles_from, cycles_to, executions]);
