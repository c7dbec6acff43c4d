//! The control file: one for the whole command, made by the command, mapped by every agent.

/// Its name in the folder of the live files.
pub const CONTROL_NAME: &str = "control";

/// Its size in bytes. It is allocated in full, so that writing to it never needs room on the disk.
pub const CONTROL_SIZE: usize = 4096;

/// Its 64-bit words, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Control {
    /// 1 where processes that can't be metered run all the same.
    BestEffort,
    /// Interpreters metered so far.
    Metered,
    /// Processes whose live file could not be made.
    Unrecorded,
    /// The system's error number of the last such failure.
    UnrecordedError,
    /// 1 where pairs of opcodes are counted.
    Pairs,
    /// The share of the run that is timed, in 65536ths; 0 where it is not.
    TimeShare,
    /// 1 where every execution is told as an event; 2 once no more are taken.
    Events,
    /// The process that reads the events.
    EventReader,
    /// Counts on while events are read.
    EventBeat,
}
