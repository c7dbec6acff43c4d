//! The counts of opcode pairs, if they are asked for.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use opmeter_live::{MATRIX_SIZE, MAX_PAIRS_SLOTS, PAIRS_EXTENSION, ROW_SIZE};

use crate::slot_file::Layout;

/// The counts of pairs in their file.
pub static LAYOUT: Layout =
    Layout { extension: PAIRS_EXTENSION, head: 0, set: MATRIX_SIZE, max_slots: MAX_PAIRS_SLOTS };

/// Takes the counts of what a thread dispatches first: nothing comes before it.
static NOTHING: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

thread_local! {
    /// The row of the opcode that this thread dispatched last. Stubs read and write it at a fixed offset
    /// from the thread's segment base.
    static ROW: Cell<*const AtomicU64> = const { Cell::new((&raw const NOTHING).cast()) };
}

/// The offset of [`ROW`] from the thread's segment base.
pub fn row_offset() -> Option<i32> {
    let base: usize;
    // SAFETY: the System V ABI keeps the segment base's own address at its start.
    unsafe { std::arch::asm!("mov {}, fs:0", out(reg) base, options(nostack, readonly, preserves_flags)) };
    let address = ROW.with(|row| row.as_ptr() as usize);
    i32::try_from(address as i64 - base as i64).ok()
}

/// The row of the opcode that the calling thread dispatched last.
pub fn last_row() -> usize {
    ROW.get() as usize
}

/// Sets the row of the opcode that the calling thread dispatched last.
pub fn set_last_row(row: usize) {
    ROW.set(row as *const AtomicU64);
}

/// Nothing comes before what the calling thread dispatches next.
pub fn begin_thread() {
    ROW.set((&raw const NOTHING).cast());
}

/// The row of an opcode in a matrix.
pub fn row(matrix: usize, number: u8) -> usize {
    matrix + usize::from(number) * ROW_SIZE
}

/// Adds (or, wrapping, takes) pairs of a row and the opcode that follows.
pub fn add(row: usize, second: u8, value: u64) {
    // SAFETY: a row of a matrix that is mapped, or of `NOTHING`.
    let word = unsafe { &*((row + usize::from(second) * 8) as *const AtomicU64) };
    word.store(word.load(Relaxed).wrapping_add(value), Relaxed);
}
