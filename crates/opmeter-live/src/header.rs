//! The layout of a live file: a header, a snapshot of the counters at the end of each phase but the last,
//! and the slots in which threads count.

use crate::counts::COUNTS_SIZE;

/// First eight bytes of a live file.
pub const MAGIC: u64 = u64::from_le_bytes(*b"OPMLIVE\0");

/// Version of the layout; a reader refuses any other.
pub const LAYOUT: u64 = 4;

/// Number of phases: start-up, main, shutdown.
pub const PHASES: usize = 3;

/// Size of the header in bytes: words first, texts behind.
pub const HEADER_SIZE: usize = 8192;

/// Size of each text field in bytes, a terminating zero included.
pub const TEXT_SIZE: usize = 1536;

/// The header's 64-bit words, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Word {
    /// [`MAGIC`].
    Magic,
    /// [`LAYOUT`].
    Layout,
    /// A [`Status`].
    Status,
    /// The phase that the process is in, 0 to 2.
    Phase,
    /// Process ID.
    Pid,
    /// Process ID of the parent when the file was made.
    ParentPid,
    /// When the file was made, in nanoseconds since 1970.
    StartedNs,
    /// When the process itself began, in clock ticks since the machine started (`/proc/PID/stat`, 22).
    StartTicks,
    /// CPython's major version.
    Major,
    /// CPython's minor version.
    Minor,
    /// CPython's patch version.
    Micro,
    /// 1 for a free-threaded build.
    FreeThreaded,
    /// Where the dispatch table lies in its module, in bytes from the module's base.
    TableOffset,
    /// Where the `switch` statement's jump table lies in the module, or 0.
    SwitchOffset,
    /// The machine's number of the register that holds `next_instr` (0 = rax ... 15 = r15) plus 1, or 0
    /// where it was not looked for or not found.
    Register,
    /// 1 once opcodes that are repeated at the same address are told from new ones.
    RepeatsKnown,
    /// Number of slots in use.
    Slots,
    /// Number of threads that found no slot of their own and shared the first: counts may be short.
    SharedSlots,
    /// 1 where the file continues its parent's run after a fork.
    Forked,
    /// 1 where instructions are counted by their address, in the code log and the cells beside this file.
    ByInstruction,
    /// Code objects whose counts by instruction had no room.
    LostCode,
    /// 1 where pairs of opcodes are counted.
    Pairs,
    /// 1 where times are taken.
    Timed,
    /// Where times are taken: the offset in the file of the slot whose steps are counted while one thread runs.
    WatchedSlot,
    /// Where times are taken: the address of the thread's pointer to what leads to its present frame, 0 where
    /// it is not known.
    PresentFrame,
    /// 0 where it is a pointer to the frame; otherwise 1 more than the offset of that pointer in what it
    /// points to.
    FrameVia,
    /// 3.11 and later: the offset in a frame of the pointer to its instruction.
    FrameInstruction,
    /// Up to 3.10: the offset in a frame of its code object.
    FrameCode,
    /// Up to 3.10: the offset in a frame of the place of its instruction, 32 bits.
    FrameLast,
    /// Up to 3.10: the unit of that place in bytes.
    FrameUnit,
    /// Up to 3.10: the offset in a code object of its bytecode, a `bytes`.
    CodeBytecode,
    /// The address of the table of biases, flat or with two levels; 0 where there is none.
    BiasTable,
    /// Bits of an address within a leaf of a table with two levels; 0 for a flat one.
    LeafBits,
    /// Bits of an address within a granule of that table.
    GranuleBits,
    /// Where events are told: 1 where they are, the system's error number plus 2 where they can't be.
    Events,
    /// The system's error number for the code objects of [`Word::LostCode`]; 0 where there was none.
    LostCodeError,
}

/// What became of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The agent had not finished installing the meter.
    Starting,
    /// It counts.
    Metered,
    /// It could not be metered and was ended before the program ran.
    Refused,
    /// It could not be metered and ran all the same.
    Unmetered,
}

impl Status {
    /// The status behind a header word; an unknown one counts as not started.
    pub fn from_word(word: u64) -> Self {
        match word {
            1 => Self::Metered,
            2 => Self::Refused,
            3 => Self::Unmetered,
            _ => Self::Starting,
        }
    }

    /// The header word for the status.
    pub fn word(self) -> u64 {
        match self {
            Self::Starting => 0,
            Self::Metered => 1,
            Self::Refused => 2,
            Self::Unmetered => 3,
        }
    }
}

/// The header's text fields, each UTF-8 as far as the system's own names are, cut to [`TEXT_SIZE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Text {
    /// Path of the module that holds the dispatch loop.
    Module,
    /// What `Py_GetVersion` says.
    Build,
    /// The command line, its arguments separated by the unit separator U+001F.
    Arguments,
    /// Why the process is not metered.
    Reason,
    /// Path of the process's executable.
    Executable,
}

/// Offset of a text field in the file.
pub const fn text_offset(text: Text) -> usize {
    HEADER_SIZE - (5 - text as usize) * TEXT_SIZE
}

/// Words of a slot's private state, behind its counters: the agent's scratch memory, of no meaning to a
/// reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum State {
    /// Address of an instruction that may be dispatched again.
    Pending,
    /// Its opcode's number.
    PendingOpcode,
    /// 3.11: address of the last specialised instruction.
    Last,
    /// 3.11: address of the last combined one.
    LastCombined,
    /// 3.11: its opcode's number.
    LastCombinedOpcode,
    /// Address of the last instruction dispatched while code is traced.
    LastTraced,
    /// Where threads run in parallel: address of the slot's table of biases.
    Biases,
    /// Where pairs are counted: address of the slot's matrix.
    Pairs,
    /// Where pairs are counted: the row that stood for the last opcode at the time of
    /// [`State::Pending`].
    PendingRow,
    /// Where times are taken: address of the slot's times.
    Times,
    /// Where times are taken: steps until the next look at the clock.
    Steps,
    /// Where times are taken: 1 in slices that are only counted, while one thread runs. See
    /// [`LongExecution`](crate::LongExecution).
    Untimed,
    /// Where times are taken: timed segments of all opcodes.
    Segments,
    /// Where times are taken: their cycles.
    Cycles,
}

/// The most slots that a live file has: the most threads that can count at a time.
pub const MAX_SLOTS: usize = 1024;

/// Size of a slot in bytes: its counters and its state.
pub const SLOT_SIZE: usize = (COUNTS_SIZE + 256).next_multiple_of(4096);

/// Offset in the file of the counters at the end of a phase (0 or 1).
pub const fn snapshot_offset(phase: usize) -> usize {
    HEADER_SIZE + phase * SLOT_SIZE
}

/// Offset in the file of a slot.
pub const fn slot_offset(slot: usize) -> usize {
    HEADER_SIZE + (PHASES - 1 + slot) * SLOT_SIZE
}

const _: () = assert!(text_offset(Text::Module) >= 40 * 8 && HEADER_SIZE.is_multiple_of(4096));
