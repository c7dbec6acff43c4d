//! Counts of opcode pairs: which opcode was dispatched after which on the same thread.
//!
//! Where pairs are asked for, `NAME.pairs` lies beside a live file: a matrix for each phase but the last,
//! taken when it ended, and one for each slot. A matrix has [`ROWS`] rows of 256 64-bit words: in row `x`,
//! word `y`, how often opcode `y` followed opcode `x`. Row `256 + x` is for an `x` that a combined opcode
//! executed without a dispatch of its own, if the combined opcode alone does not tell which it was.

use crate::PHASES;

/// File name extension of the counts of pairs.
pub const PAIRS_EXTENSION: &str = "pairs";

/// Rows of a matrix.
pub const ROWS: usize = 512;

/// Size of a row in bytes.
pub const ROW_SIZE: usize = 256 * 8;

/// Size of a matrix in bytes.
pub const MATRIX_SIZE: usize = ROWS * ROW_SIZE;

/// The most slots that have a matrix.
pub const MAX_PAIRS_SLOTS: usize = 256;

/// Offset in the file of the matrix at the end of a phase (0 or 1).
pub const fn pairs_snapshot_offset(phase: usize) -> usize {
    phase * MATRIX_SIZE
}

/// Offset in the file of a slot's matrix.
pub const fn pairs_slot_offset(slot: usize) -> usize {
    (PHASES - 1 + slot) * MATRIX_SIZE
}

/// A matrix of pairs, read out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs(Vec<u64>);

impl Pairs {
    /// The pairs of a phase (0 to 2) of a process that has come to the phase `current` and has so many
    /// slots; `file` is what its file of pairs holds. Zeros for a phase that was not reached.
    pub fn of_phase(file: &[u8], phase: usize, current: usize, slots: usize) -> Self {
        let mut pairs = Self(vec![0; ROWS * 256]);
        let current = current.min(PHASES - 1);
        if phase > current {
            return pairs;
        }
        if phase == current {
            (0..slots.clamp(1, MAX_PAIRS_SLOTS))
                .for_each(|slot| pairs.combine(file, pairs_slot_offset(slot), u64::wrapping_add));
        } else {
            pairs.combine(file, pairs_snapshot_offset(phase), u64::wrapping_add);
        }
        if phase > 0 {
            pairs.combine(file, pairs_snapshot_offset(phase - 1), u64::wrapping_sub);
        }
        pairs
    }

    /// How often an opcode followed what a row stands for.
    pub fn get(&self, row: usize, second: u8) -> u64 {
        self.0[row * 256 + usize::from(second)]
    }

    fn combine(&mut self, file: &[u8], offset: usize, op: impl Fn(u64, u64) -> u64) {
        let words = file.get(offset..).unwrap_or_default().chunks_exact(8);
        for (mine, word) in self.0.iter_mut().zip(words) {
            *mine = op(*mine, word.try_into().map_or(0, u64::from_le_bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_differences_and_slots_add_up() {
        let mut file = vec![0; pairs_slot_offset(2)];
        let at = 3 * ROW_SIZE + 7 * 8;
        let mut set = |offset: usize, value: u8| file[offset + at] = value;
        set(pairs_snapshot_offset(0), 5);
        set(pairs_slot_offset(0), 9);
        set(pairs_slot_offset(1), 2);
        let counts: Vec<u64> = (0..3).map(|phase| Pairs::of_phase(&file, phase, 1, 2).get(3, 7)).collect();
        assert_eq!(counts, [5, 6, 0]);
    }
}
