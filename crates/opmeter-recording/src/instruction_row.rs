use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::table_row::table;
use crate::{InstructionTime, Phase};

/// A row of the instructions table: how often one instruction ran in one phase of one process.
///
/// Of a code object that ran after the interpreter's start there is a row for every instruction, those that
/// never ran included (`executions` 0, in the first phase after the start in which their code object ran);
/// of one that only ran then, for every instruction that did. Instructions that a combined
/// opcode ran without a dispatch of their own are counted where they stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstructionRow {
    /// The ordinal of the process: [`Process::process`](crate::Process::process).
    pub process: u32,
    /// The phase of the process.
    pub phase: Phase,
    /// The file that the code object names (`co_filename`), as it stands there. Empty for the few
    /// instructions of the interpreter's own that belong to no code object.
    pub file: Arc<str>,
    /// The code object's qualified name (`co_qualname`), or its name (`co_name`) up to 3.10.
    pub function: Arc<str>,
    /// The code object's first line (`co_firstlineno`).
    pub first_line: u32,
    /// The line that the instruction belongs to; 0 where it belongs to none.
    pub line: u32,
    /// Where the instruction stands in the code object's bytecode, in bytes.
    pub offset: u32,
    /// The opcode that the compiler wrote.
    pub opcode: Arc<str>,
    /// How often it was executed.
    pub executions: u64,
    /// The ordinal of the code object in the process: tells apart code objects that are alike in file,
    /// function and first line.
    pub code: u32,
    /// The instruction's argument, what EXTENDED_ARG adds to it included; 0 where it has none.
    pub argument: u32,
    /// How long they took, where times were taken.
    #[serde(flatten)]
    pub time: Option<InstructionTime>,
}

impl InstructionRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 11] = [
        "process",
        "phase",
        "file",
        "function",
        "first_line",
        "line",
        "offset",
        "opcode",
        "executions",
        "code",
        "argument",
    ];
}

table!(
    InstructionRow,
    "instructions",
    [process, phase, file, function, first_line, line, offset, opcode, executions, code, argument], time InstructionTime [timed_executions, cycles_raw, cycles_net, cycles_net_se, ns_net]);
