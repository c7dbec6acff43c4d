//! The file of times.

use std::sync::atomic::Ordering::Relaxed;

use opmeter_live::{MAX_TIMES_SLOTS, SliceWord, TIMES_EXTENSION, TIMES_HEAD, TIMES_SIZE};

use crate::slot_file::{Layout, SlotFile};
use crate::tsc;

/// The times in their file.
pub static LAYOUT: Layout =
    Layout { extension: TIMES_EXTENSION, head: TIMES_HEAD, set: TIMES_SIZE, max_slots: MAX_TIMES_SLOTS };

/// Notes in a new file when it was made, and what the machine's clocks are like.
pub fn begin(file: &SlotFile) {
    let note = |word: SliceWord, value: u64| file.word(word as usize * 8).store(value, Relaxed);
    note_clocks(file, SliceWord::FirstTsc, SliceWord::FirstNs);
    note(SliceWord::CoreRatio, tsc::core_ratio());
    note(SliceWord::BackToBack, tsc::back_to_back());
}

/// Notes what the clocks say now.
pub fn note_clocks(file: &SlotFile, cycles: SliceWord, nanoseconds: SliceWord) {
    let (tsc, ns) = tsc::both_clocks();
    file.word(cycles as usize * 8).store(tsc, Relaxed);
    file.word(nanoseconds as usize * 8).store(ns, Relaxed);
}
