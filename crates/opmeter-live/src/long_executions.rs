//! Long executions outside of timed slices, as they were seen from outside.
//!
//! While a slice is only counted, the command looks about every millisecond at the steps that are left, and where
//! they have not changed at the instruction that the interpreter's frame says it executes. What stays there
//! for several looks takes long. What it sees stands in `NAME.long`, in records of four 64-bit words.

/// File name extension of the file of long executions.
pub const LONG_EXTENSION: &str = "long";

/// Size of a record in bytes.
pub const LONG_RECORD: usize = 32;

/// An execution that took long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LongExecution {
    /// The address of the instruction's cell, in the process.
    pub cell: u64,
    /// The opcode's number.
    pub number: u8,
    /// The phase of the process.
    pub phase: usize,
    /// How long it took, in nanoseconds: true to about a millisecond.
    pub nanoseconds: u64,
}

impl LongExecution {
    /// The record of it.
    pub fn record(&self) -> [u8; LONG_RECORD] {
        let mut record = [0; LONG_RECORD];
        let words = [self.cell, u64::from(self.number), self.phase as u64, self.nanoseconds];
        for (bytes, word) in record.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        record
    }

    /// Reads what a file holds.
    pub fn read(file: &[u8]) -> Vec<LongExecution> {
        let record = |bytes: &[u8]| {
            let word = |index: usize| bytes[index * 8..][..8].try_into().map_or(0, u64::from_le_bytes);
            LongExecution {
                cell: word(0),
                number: word(1) as u8,
                phase: word(2) as usize,
                nanoseconds: word(3),
            }
        };
        file.chunks_exact(LONG_RECORD).map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_up_to_a_tear() {
        let one = LongExecution { cell: 1 << 47, number: 200, phase: 2, nanoseconds: 5_000_000 };
        let other = LongExecution { number: 3, ..one };
        let mut file = [one.record(), other.record()].concat();
        assert_eq!(LongExecution::read(&file), [one, other]);
        file.pop();
        assert_eq!(LongExecution::read(&file), [one]);
    }
}
