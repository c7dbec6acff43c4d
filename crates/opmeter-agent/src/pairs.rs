//! The counts of opcode pairs, if they are asked for.

use std::cell::Cell;
use std::ffi::c_void;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use opmeter_live::{
    MATRIX_SIZE, PAIRS_EXTENSION, PHASES, ROW_SIZE, pairs_slot_offset, pairs_snapshot_offset,
};

use crate::live::allocate;

/// The most threads that can count pairs at a time.
pub const MAX_SLOTS: usize = 256;

/// Address space for the counts of pairs, in bytes.
pub const LENGTH: usize = pairs_slot_offset(MAX_SLOTS);

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

/// The file of pairs of this process, mapped near the interpreter.
pub struct PairFile {
    address: usize,
    path: PathBuf,
}

impl PairFile {
    /// Makes the file beside a live file and maps it at `address`, where [`LENGTH`] bytes were reserved.
    ///
    /// # Errors
    /// When the file can't be made, has no room on the disk, or can't be mapped.
    pub fn create(live: &Path, address: usize) -> io::Result<Self> {
        let path = live.with_extension(PAIRS_EXTENSION);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        allocate(&file, 0, pairs_slot_offset(1))?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_FIXED;
        // SAFETY: the range is reserved by us; what it held before, if anything, is the parent's file.
        let got = unsafe { libc::mmap(address as *mut c_void, LENGTH, access, flags, file.as_raw_fd(), 0) };
        if got == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { address, path })
    }

    /// In a child that was just forked and has no live file: counts into memory that nobody reads.
    pub fn abandon(&self) {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: replaces the parent's file in a child that was just forked.
        unsafe { libc::mmap(self.address as *mut c_void, LENGTH, access, flags, -1, 0) };
    }

    /// Where it is mapped.
    pub fn address(&self) -> usize {
        self.address
    }

    /// The address of a slot's matrix.
    pub fn matrix(&self, slot: usize) -> usize {
        self.address + pairs_slot_offset(slot)
    }

    /// Makes room for a slot's matrix.
    ///
    /// # Errors
    /// When the disk has none.
    pub fn add_slot(&self, slot: usize) -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        allocate(&file, pairs_slot_offset(slot), MATRIX_SIZE)
    }

    /// Keeps the counts as they are at the end of a phase.
    pub fn end_phase(&self, phase: usize, slots: usize) {
        if phase >= PHASES - 1 {
            return;
        }
        let word = |offset: usize| {
            // SAFETY: inside the file, of which so many slots have room.
            unsafe { &*((self.address + offset) as *const AtomicU64) }
        };
        for at in (0..MATRIX_SIZE).step_by(8) {
            let sum = (0..slots)
                .fold(0u64, |sum, slot| sum.wrapping_add(word(pairs_slot_offset(slot) + at).load(Relaxed)));
            word(pairs_snapshot_offset(phase) + at).store(sum, Relaxed);
        }
    }
}
