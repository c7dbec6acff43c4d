use serde::{Deserialize, Serialize};

use crate::table_row::table;
use crate::{OpcodeTime, Phase};

/// A row of the opcodes table: how often one opcode ran in one phase of one process.
///
/// `opcode` may name an instruction inside a combined opcode: `COMPARE_OP_INT_JUMP/POP_JUMP_IF_FALSE` is
/// the POP_JUMP_IF_FALSE that COMPARE_OP_INT_JUMP runs without a dispatch of its own; `base_opcode` is
/// then `POP_JUMP_IF_FALSE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OpcodeRow {
    /// The ordinal of the process: [`Process::process`](crate::Process::process).
    pub process: u32,
    /// The phase of the process.
    pub phase: Phase,
    /// The opcode as it was executed, such as `LOAD_ATTR_INSTANCE_VALUE`.
    pub opcode: String,
    /// The opcode that the compiler wrote, such as `LOAD_ATTR`; the same as `opcode` where nothing
    /// specialised it.
    pub base_opcode: String,
    /// The number of `opcode` in the process's interpreter.
    pub number: u8,
    /// How often it was executed.
    pub executions: u64,
    /// How long they took, where times were taken.
    #[serde(flatten)]
    pub time: Option<OpcodeTime>,
}

impl OpcodeRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 6] =
        ["process", "phase", "opcode", "base_opcode", "number", "executions"];

    /// Whether it is of an instruction that a combined opcode executed without a dispatch of its own.
    pub fn is_besides(&self) -> bool {
        self.opcode.contains('/')
    }
}

table!(OpcodeRow, "opcodes", [process, phase, opcode, base_opcode, number, executions], time OpcodeTime [timed_executions, cycles_raw, cycles_net, cycles_net_se, ns_net, min, p50, p90, p99, max]);
