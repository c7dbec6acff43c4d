//! Times: how many cycles of the time-stamp counter passed from each dispatch to the next on its thread.
//!
//! Where times are asked for, `NAME.times` lies beside a live file: the [slices](crate::Slices) first,
//! then the times at the end of each phase but the last, then those of each slot. Each is a set of 256
//! blocks, one for each opcode number, of 64-bit words: see [`time_offset`].
//!
//! A *segment* is the time from one dispatch on a thread to the next. An execution is one segment, unless it
//! calls C code that calls Python code back: then each time it is returned to begins another segment.

use crate::PHASES;

/// File name extension of the times.
pub const TIMES_EXTENSION: &str = "times";

/// Executions from so many cycles up are *long*: they are few, and take so much of a slice that whether one is
/// timed depends on it. What of them was not timed is told by the time that passed, not by their number.
pub const LONG_CYCLES: u64 = 1 << 16;

/// Buckets of a histogram.
pub const BUCKETS: usize = 1920;

/// Offsets of the words of a block, in bytes.
pub mod time_offset {
    /// Dispatches in timed slices.
    pub const EXECUTIONS: usize = 0;
    /// Segments that were timed.
    pub const SEGMENTS: usize = 8;
    /// Their cycles.
    pub const CYCLES: usize = 16;
    /// Executions by their cycles: see [`bucket`](super::bucket).
    pub const HISTOGRAM: usize = 64;
}

/// Size of an opcode's block in bytes.
pub const TIME_BLOCK_SIZE: usize = time_offset::HISTOGRAM + BUCKETS * 8;

/// Size of a set of blocks in bytes.
pub const TIMES_SIZE: usize = (256 * TIME_BLOCK_SIZE).next_multiple_of(4096);

/// Size of what comes before the sets, in bytes.
pub const TIMES_HEAD: usize = 0x1_0000;

/// The most slots that have times.
pub const MAX_TIMES_SLOTS: usize = 64;

/// Offset in the file of the set at the end of a phase (0 or 1).
pub const fn times_snapshot_offset(phase: usize) -> usize {
    TIMES_HEAD + phase * TIMES_SIZE
}

/// Offset in the file of a slot's set.
pub const fn times_slot_offset(slot: usize) -> usize {
    TIMES_HEAD + (PHASES - 1 + slot) * TIMES_SIZE
}

/// The bucket for so many cycles: exact up to 63, then 32 to each doubling.
pub const fn bucket(cycles: u64) -> usize {
    let exponent = 63 - (cycles | 32).leading_zeros() as usize;
    (exponent - 5) * 32 + (cycles >> (exponent - 5)) as usize
}

/// The fewest and the most cycles that belong in a bucket.
pub const fn bucket_limits(bucket: usize) -> (u64, u64) {
    if bucket < 64 {
        return (bucket as u64, bucket as u64);
    }
    let shift = bucket / 32 - 1;
    let low = (32 + bucket as u64 % 32) << shift;
    (low, low + ((1 << shift) - 1))
}

/// The times of one opcode, read out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpcodeTimes {
    /// Dispatches in timed slices.
    pub executions: u64,
    /// Segments that were timed.
    pub segments: u64,
    /// Their cycles.
    pub cycles: u64,
    /// Buckets in use, in order: executions by their cycles.
    pub histogram: Vec<(u16, u64)>,
}

/// A set of times, read out: by opcode number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times(pub Vec<OpcodeTimes>);

impl Times {
    /// The times of a phase (0 to 2) of a process that has come to the phase `current` and has so many
    /// slots; `file` is what its file of times holds. Zeros for a phase that was not reached.
    pub fn of_phase(file: &[u8], phase: usize, current: usize, slots: usize) -> Self {
        let current = current.min(PHASES - 1);
        let mut add = Vec::new();
        let mut take = None;
        if phase == current {
            add.extend((0..slots.clamp(1, MAX_TIMES_SLOTS)).map(times_slot_offset));
        } else if phase < current {
            add.push(times_snapshot_offset(phase));
        }
        if phase > 0 && phase <= current {
            take = Some(times_snapshot_offset(phase - 1));
        }
        Self((0..256).map(|number| OpcodeTimes::of(file, number * TIME_BLOCK_SIZE, &add, take)).collect())
    }
}

impl OpcodeTimes {
    fn of(file: &[u8], block: usize, add: &[usize], take: Option<usize>) -> Self {
        let word = |set: usize, offset: usize| {
            let at = set + block + offset;
            file.get(at..at + 8).and_then(|word| word.try_into().ok()).map_or(0, u64::from_le_bytes)
        };
        let sum = |offset: usize| {
            let sum = add.iter().fold(0u64, |sum, set| sum.wrapping_add(word(*set, offset)));
            sum.wrapping_sub(take.map_or(0, |set| word(set, offset)))
        };
        let mut times = Self {
            executions: sum(time_offset::EXECUTIONS),
            segments: sum(time_offset::SEGMENTS),
            cycles: sum(time_offset::CYCLES),
            histogram: Vec::new(),
        };
        if times.segments > 0 {
            let buckets =
                (0..BUCKETS).map(|bucket| (bucket as u16, sum(time_offset::HISTOGRAM + bucket * 8)));
            times.histogram = buckets.filter(|(_, executions)| *executions > 0).collect();
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow_and_without_gaps() {
        let mut expected = 0;
        for index in 0..BUCKETS {
            let (low, high) = bucket_limits(index);
            assert_eq!((low, bucket(low), bucket(high)), (expected, index, index));
            assert!((high - low) as f64 <= 0.05 * low as f64, "{index}: {low} to {high}");
            expected = high.wrapping_add(1);
        }
        assert_eq!(expected, 0, "the last bucket ends with the last number");
    }

    #[test]
    fn phases_are_differences_and_slots_add_up() {
        let mut file = vec![0; times_slot_offset(2)];
        let mut set = |offset: usize, word: usize, value: u8| {
            file[offset + 7 * TIME_BLOCK_SIZE + word] = value;
        };
        for (offset, segments) in
            [(times_snapshot_offset(0), 5), (times_slot_offset(0), 9), (times_slot_offset(1), 2)]
        {
            set(offset, time_offset::SEGMENTS, segments);
            set(offset, time_offset::CYCLES, 10 * segments);
            set(offset, time_offset::HISTOGRAM + 8 * 40, segments);
        }
        let of = |phase| Times::of_phase(&file, phase, 1, 2).0[7].clone();
        assert_eq!((of(0).cycles, of(0).histogram), (50, vec![(40, 5)]));
        assert_eq!((of(1).segments, of(1).cycles, of(1).histogram), (6, 60, vec![(40, 6)]));
        assert_eq!((of(2).segments, of(2).histogram), (0, vec![]));
    }
}
