//! Slices: the stretches of a run in which times are taken, and those in which opcodes are only counted.
//!
//! At the head of a file of times stand the words of [`Slices`], then sums over the slices of either kind.
//! *Steps* are dispatches of certain opcodes that every loop and every call goes through; they measure how much
//! work was done. What a step costs in timed slices, less what it costs in the others, is what taking the
//! times costs.

use crate::{PHASES, TIMES_HEAD};

/// The 64-bit words of the head, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum SliceWord {
    /// The time-stamp counter when timing began.
    FirstTsc,
    /// The same moment on the system's monotonic clock, in nanoseconds.
    FirstNs,
    /// The time-stamp counter at the last change of slices.
    LastTsc,
    /// The same moment on the system's monotonic clock, in nanoseconds.
    LastNs,
    /// How many sums there are.
    Sums,
    /// How many pairs of slices make up a sum.
    PairsPerSum,
    /// Core cycles per 1024 cycles of the time-stamp counter.
    CoreRatio,
    /// Cycles of the time-stamp counter that reading it takes where nothing else is done, times 1024.
    BackToBack,
    /// Pairs of slices in all.
    Pairs,
    /// 1 once a second thread has executed bytecode.
    Threads,
    /// Cycles that passed in slices that are only counted, in the first phase; those of the other two follow.
    Counted,
}

/// Offset of the sums in the file, in bytes.
pub const SUMS_OFFSET: usize = 256;

/// The most sums there can be.
pub const MAX_SUMS: usize = (TIMES_HEAD - SUMS_OFFSET) / SUM_SIZE;

/// Size of a sum in bytes.
pub const SUM_SIZE: usize = 5 * 8;

/// Sums over a number of pairs of slices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SliceSum {
    /// Cycles of the segments in timed slices.
    pub timed_cycles: u64,
    /// Steps in timed slices.
    pub timed_steps: u64,
    /// Segments in timed slices.
    pub timed_segments: u64,
    /// Cycles that passed in the others, but for what was unusual.
    pub counted_cycles: u64,
    /// Steps in the others.
    pub counted_steps: u64,
}

/// The head of a file of times, read out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slices {
    /// Time-stamp counter and monotonic clock (in nanoseconds) when timing began.
    pub first: (u64, u64),
    /// The same at the last change of slices.
    pub last: (u64, u64),
    /// Core cycles per 1024 cycles of the time-stamp counter.
    pub core_ratio: u64,
    /// Cycles that reading the counter takes where nothing else is done, times 1024.
    pub back_to_back: u64,
    /// Pairs of slices in all.
    pub pairs: u64,
    /// Whether several threads have executed bytecode.
    pub threads: bool,
    /// Cycles that passed in slices that were only counted, by phase.
    pub counted: [u64; PHASES],
    /// Sums, in the order of time.
    pub sums: Vec<SliceSum>,
}

impl Slices {
    /// Reads the head of a file of times.
    pub fn read(file: &[u8]) -> Self {
        let word = |at: usize| {
            file.get(at..at + 8).and_then(|word| word.try_into().ok()).map_or(0, u64::from_le_bytes)
        };
        let head = |name: SliceWord| word(name as usize * 8);
        let sums = (head(SliceWord::Sums) as usize).min(MAX_SUMS);
        let sum = |index: usize| {
            let at = |field: usize| word(SUMS_OFFSET + index * SUM_SIZE + field * 8);
            SliceSum {
                timed_cycles: at(0),
                timed_steps: at(1),
                timed_segments: at(2),
                counted_cycles: at(3),
                counted_steps: at(4),
            }
        };
        Self {
            first: (head(SliceWord::FirstTsc), head(SliceWord::FirstNs)),
            last: (head(SliceWord::LastTsc), head(SliceWord::LastNs)),
            core_ratio: head(SliceWord::CoreRatio),
            back_to_back: head(SliceWord::BackToBack),
            pairs: head(SliceWord::Pairs),
            threads: head(SliceWord::Threads) != 0,
            counted: std::array::from_fn(|phase| word((SliceWord::Counted as usize + phase) * 8)),
            sums: (0..sums).map(sum).collect(),
        }
    }
}
