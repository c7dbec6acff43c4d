//! The ring of events: what a process has executed, on its way to the command.
//!
//! Beside a live file `NAME.live` lies `NAME.ring`: a head with the words of [`RingWord`], a table of chunks,
//! and the chunks. A thread takes a free chunk, fills it with records and goes on to another; the command
//! reads what is there and frees those that are full. A process that finds no free chunk waits.
//!
//! A record is two 64-bit words: the time, which is written last and is 0 in what has not been written yet, and
//! what was executed ([`RingRecord`]). The first record's place in a chunk stays empty, so that the address of
//! the next record is a multiple of [`CHUNK_SIZE`] only where a chunk is full (or none is there).

/// File name extension of a ring.
pub const RING_EXTENSION: &str = "ring";

/// Size of a chunk in bytes, and what its address is a multiple of.
pub const CHUNK_SIZE: usize = 0x1_0000;

/// Size of a record in bytes.
pub const RING_RECORD: usize = 16;

/// The most chunks that a ring can have.
pub const MAX_CHUNKS: usize = 2048;

/// Offset of the table of chunks in the file, in bytes.
pub const CHUNK_TABLE: usize = 4096;

/// Size of a chunk's row in the table, in bytes: its [`ChunkState`], its thread (numbered from 0 in the order
/// of their first events), its number among that process's chunks.
pub const CHUNK_ROW: usize = 24;

/// Offset of the first chunk in the file, in bytes.
pub const CHUNKS_OFFSET: usize = (CHUNK_TABLE + MAX_CHUNKS * CHUNK_ROW).next_multiple_of(CHUNK_SIZE);

/// The 64-bit words of the head, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum RingWord {
    /// How many chunks there are.
    Chunks,
    /// Threads so far.
    Threads,
    /// Chunks taken so far.
    Taken,
    /// Threads for which there was no chunk: their events are missing.
    Lost,
    /// 1 once the process writes no more events, though it runs on.
    Ended,
    /// The time-stamp counter when the ring was made.
    FirstTsc,
    /// The same moment on the system's monotonic clock, in nanoseconds.
    FirstNs,
    /// The time-stamp counter when a chunk was taken last.
    LastTsc,
    /// The same moment on the system's monotonic clock, in nanoseconds.
    LastNs,
    /// Cycles of the time-stamp counter that reading it takes where nothing else is done, times 1024.
    BackToBack,
}

/// What a chunk is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum ChunkState {
    /// Nothing.
    Free,
    /// A thread has taken it, and makes it ready.
    Taken,
    /// A thread writes to it.
    Filling,
    /// Nobody will write to it any more.
    Full,
}

impl ChunkState {
    /// The state with this value.
    pub fn from_word(word: u64) -> Self {
        match word {
            0 => Self::Free,
            1 => Self::Taken,
            2 => Self::Filling,
            _ => Self::Full,
        }
    }
}

/// What a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingRecord {
    /// An opcode was dispatched and executed.
    Event(Executed),
    /// An opcode was dispatched that only leads to the next.
    Hook,
    /// The last event was no execution of its own, but the beginning of the next.
    Repeated,
    /// So many of the events of a combined opcode, the latest ones at a place, were without what it combines.
    /// The record's other word is no time, but the address of the instruction's cell.
    Unfolded {
        /// The opcode's number.
        number: u8,
        /// How many events.
        count: u32,
    },
    /// An activation of the evaluation loop has begun or ended.
    Activation {
        /// The last event's instruction ended the activation: since then C code ran which another one had called.
        left: bool,
        /// The last event's instruction has called C code, and that Python code.
        entered: bool,
        /// So many of those that had called C code wait for it no longer.
        unwound: u64,
    },
}

/// What was executed: the address of the instruction's cell, or where it has none the phase (below 3), and in the
/// highest byte the opcode's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Executed(pub u64);

/// Bit of [`Executed`]: a combined opcode that has not executed what it combines.
const UNFOLDED: u64 = 1 << 47;

/// Where the kind stands in a record's word, in bits, and where the opcode's number.
const KIND: u32 = 48;
const NUMBER: u32 = 56;

impl Executed {
    /// An opcode, at the cell (or in the phase).
    pub fn new(cell: u64, number: u8) -> Self {
        Self(cell | u64::from(number) << NUMBER)
    }

    /// The opcode's number.
    pub fn number(self) -> u8 {
        (self.0 >> NUMBER) as u8
    }

    /// The address of the instruction's cell, or the phase where it has none.
    pub fn cell(self) -> u64 {
        self.0 & (UNFOLDED - 1)
    }

    /// Whether it is a combined opcode that has not executed what it combines.
    pub fn is_unfolded(self) -> bool {
        self.0 & UNFOLDED != 0
    }

    /// The same, but without what it combines.
    pub fn unfolded(self) -> Self {
        Self(self.0 | UNFOLDED)
    }
}

impl RingRecord {
    /// The record's second word.
    pub const fn word(self) -> u64 {
        match self {
            Self::Event(executed) => executed.0,
            Self::Hook => 1 << KIND,
            Self::Repeated => 2 << KIND,
            Self::Unfolded { number, count } => 3 << KIND | (number as u64) << 32 | count as u64,
            Self::Activation { left, entered, unwound } => {
                4 << KIND | (left as u64) << 40 | (entered as u64) << 41 | unwound
            }
        }
    }

    /// The record with this word; none is made that has no meaning.
    pub fn from_word(word: u64) -> Self {
        let value = word & 0xff_ffff_ffff;
        match word >> KIND & 0xff {
            0 => Self::Event(Executed(word)),
            1 => Self::Hook,
            2 => Self::Repeated,
            3 => Self::Unfolded { number: (word >> 32) as u8, count: word as u32 },
            _ => Self::Activation { left: word >> 40 & 1 != 0, entered: word >> 41 & 1 != 0, unwound: value },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_words() {
        let executed = Executed::new(0x7f12_3456_7890, 255);
        assert_eq!((executed.number(), executed.cell()), (255, 0x7f12_3456_7890));
        assert!(!executed.is_unfolded() && executed.unfolded().is_unfolded());
        assert_eq!(executed.unfolded().cell(), executed.cell());
        let activation = |left, entered, unwound| RingRecord::Activation { left, entered, unwound };
        for record in [
            RingRecord::Event(executed),
            RingRecord::Event(executed.unfolded()),
            RingRecord::Event(Executed::new(2, 0)),
            RingRecord::Hook,
            RingRecord::Repeated,
            RingRecord::Unfolded { number: 200, count: 7 },
            activation(true, false, 0),
            activation(false, true, 0),
            activation(true, false, 12),
        ] {
            assert_eq!(RingRecord::from_word(record.word()), record);
        }
    }
}
