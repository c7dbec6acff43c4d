//! A file beside the live file with a set of words for each slot: pairs, times.

use std::ffi::c_void;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use opmeter_live::PHASES;

use crate::counter_file;
use crate::live::allocate;

/// What lies where in such a file: a head, the sets at the end of each phase but the last, those of slots.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The file name's extension.
    pub extension: &'static str,
    /// Size of the head in bytes.
    pub head: usize,
    /// Size of a set in bytes.
    pub set: usize,
    /// The most slots that can have a set.
    pub max_slots: usize,
}

impl Layout {
    /// Address space for the file, in bytes.
    pub const fn length(&self) -> usize {
        self.slot_offset(self.max_slots)
    }

    const fn slot_offset(&self, slot: usize) -> usize {
        self.head + (PHASES - 1 + slot) * self.set
    }
}

/// The file of this process, mapped near the interpreter.
pub struct SlotFile {
    layout: &'static Layout,
    address: usize,
    path: PathBuf,
}

impl SlotFile {
    /// Makes the file beside a live file and maps it at `address`, where [`Layout::length`] bytes were
    /// reserved.
    ///
    /// # Errors
    /// When the file can't be made, has no room on the disk, or can't be mapped.
    pub fn create(layout: &'static Layout, live: &Path, address: usize) -> io::Result<Self> {
        let path = live.with_extension(layout.extension);
        let file = counter_file::create(&path)?;
        allocate(&file, 0, layout.slot_offset(1))?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_FIXED;
        let (target, length) = (address as *mut c_void, layout.length());
        // SAFETY: the range is reserved by us; what it held before, if anything, is the parent's file.
        let got = unsafe { libc::mmap(target, length, access, flags, file.as_raw_fd(), 0) };
        if got == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { layout, address, path })
    }

    /// In a child that was just forked and has no live file: counts into memory that nobody reads.
    pub fn abandon(&self) {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: replaces the parent's file in a child that was just forked.
        unsafe { libc::mmap(self.address as *mut c_void, self.layout.length(), access, flags, -1, 0) };
    }

    /// Where it is mapped.
    pub fn address(&self) -> usize {
        self.address
    }

    /// The address of a slot's set.
    pub fn set(&self, slot: usize) -> usize {
        self.address + self.layout.slot_offset(slot)
    }

    /// The most slots that can have a set.
    pub fn max_slots(&self) -> usize {
        self.layout.max_slots
    }

    /// Makes room for a slot's set.
    ///
    /// # Errors
    /// When the disk has none.
    pub fn add_slot(&self, slot: usize) -> io::Result<()> {
        let file = counter_file::open(&self.path)?;
        allocate(&file, self.layout.slot_offset(slot), self.layout.set)
    }

    /// A word of the file.
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        debug_assert!(offset < self.layout.length() && offset.is_multiple_of(8));
        // SAFETY: inside the file, as far as it has room.
        unsafe { &*((self.address + offset) as *const AtomicU64) }
    }

    /// Keeps the counts as they are at the end of a phase.
    pub fn end_phase(&self, phase: usize, slots: usize) {
        if phase >= PHASES - 1 {
            return;
        }
        let snapshot = self.layout.head + phase * self.layout.set;
        for at in (0..self.layout.set).step_by(8) {
            let word = |slot| self.word(self.layout.slot_offset(slot) + at).load(Relaxed);
            let sum = (0..slots).fold(0u64, |sum, slot| sum.wrapping_add(word(slot)));
            if sum != 0 {
                // A page that holds nothing is not written to.
                self.word(snapshot + at).store(sum, Relaxed);
            }
        }
    }
}
