use serde::{Deserialize, Serialize};

use crate::{EventSummary, Phase, Timing};

/// One process of the metered command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// The process's ordinal in the recording: 0 is the first. The `process` column of every table.
    pub process: u32,
    /// The operating system's process number.
    pub pid: u32,
    /// The ordinal of the process that started this one; none where that process is not in the recording.
    pub parent: Option<u32>,
    /// The path of the interpreter's executable.
    pub executable: String,
    /// The process's arguments, the program's name included. Bytes that are not UTF-8 are replaced.
    pub arguments: Vec<String>,
    /// The folder that the process started in, to which relative file names refer.
    pub directory: String,
    /// The interpreter's implementation, such as `CPython`.
    pub implementation: String,
    /// The interpreter's version, such as `3.11.7`; empty where it is not known.
    pub python: String,
    /// The interpreter's own text about its version and build (`Py_GetVersion`).
    pub build: String,
    /// Whether the interpreter runs without a global lock.
    pub free_threaded: bool,
    /// When the process started: RFC 3339, UTC.
    pub started: String,
    /// Whether the process was metered.
    pub state: ProcessState,
    /// Why the process was not metered.
    pub reason: Option<String>,
    /// How the interpreter's dispatch was metered.
    pub dispatch: Dispatch,
    /// How times were taken, where they were.
    pub timing: Option<Timing>,
    /// Its events, where executions were recorded one by one.
    pub events: Option<EventSummary>,
    /// The phase that it was in when it ended, or when the recording was written: `shutdown` where it ended in good order.
    /// None where that was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_phase: Option<Phase>,
    /// How the process stood when the recording was written: `exited` or `running`.
    pub end: String,
}

impl Process {
    /// [`Process::end`] of a process that had ended.
    pub const EXITED: &'static str = "exited";
    /// [`Process::end`] of a process that was still running.
    pub const RUNNING: &'static str = "running";
}

/// Whether a process was metered. Written as `metered`, `refused`, `unmetered`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessState {
    /// Its instructions were counted.
    Metered,
    /// Its interpreter could not be metered.
    Refused,
    /// Nothing was counted: no interpreter, or none that was to be metered.
    #[default]
    Unmetered,
}

/// How a process's interpreter dispatches its instructions, as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dispatch {
    /// Where the table of code addresses lies: hexadecimal, the offset in the module.
    pub table: String,
    /// The path of the executable or library that holds the table.
    pub module: String,
    /// Whether the jump table of the loop's `switch` statement was metered too (3.8 to 3.10).
    pub switch_table: bool,
    /// How many threads counted at the same time at most, each for itself; 1 where they share the global lock.
    pub slots: u32,
    /// Whether threads counted at the same time, each for itself: then a phase's end is not the same moment
    /// in every table, and only all phases together add up.
    pub per_thread: bool,
    /// The register that holds the address of the next instruction; none where it was not looked for.
    pub next_instr_register: Option<String>,
    /// Instructions executed in this process, all phases.
    pub executions: u64,
    /// Executions of which only the opcode is known, not where the instruction stands.
    pub unplaced: u64,
    /// Dispatches that ran an instruction once more after it changed its form: not executions.
    pub redispatches: u64,
}
