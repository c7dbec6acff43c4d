//! A file in the live folder that grows, mapped where it is written to.

use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use crate::counter_file;
use crate::live::allocate;

/// The first part's length in bytes; later ones are longer, so that long runs have few.
const FIRST_PART: usize = 0x1_0000;
const LONGEST_PART: usize = 0x10_0000;

/// A file of zeros that grows in parts. Each part has its room on the disk before it is used, so that
/// writing to it can't fail.
pub struct GrowingFile {
    path: PathBuf,
    /// Its length so far, in bytes.
    length: usize,
    /// The parts that are mapped: address and length.
    parts: Vec<(usize, usize)>,
    /// Where the last part's free room begins, and its length.
    free: (usize, usize),
    /// The system's error number where it could not grow, or 0.
    refusal: i32,
}

/// Room in the file.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Where it is mapped.
    pub address: usize,
    /// Where it lies in the file, in bytes.
    pub offset: usize,
}

impl GrowingFile {
    /// A file that is made when room is first asked for.
    pub fn new(path: PathBuf) -> Self {
        Self { path, length: 0, parts: Vec::new(), free: (0, 0), refusal: 0 }
    }

    /// What is left of the last part.
    pub fn left(&self) -> Option<(Room, usize)> {
        let (address, length) = self.free;
        (length > 0).then_some((Room { address, offset: self.length - length }, length))
    }

    /// Whether the last part has room for so many bytes.
    pub fn has_room(&self, length: usize) -> bool {
        self.free.1 >= length
    }

    /// Takes room for `length` bytes, a multiple of 8.
    ///
    /// # Errors
    /// When the file can't be made longer, or not be mapped.
    pub fn take(&mut self, length: usize) -> io::Result<Room> {
        if !self.has_room(length) {
            self.grow(length).inspect_err(|error| self.refusal = error.raw_os_error().unwrap_or(0))?;
        }
        let (address, left) = self.free;
        self.free = (address + length, left - length);
        Ok(Room { address, offset: self.length - left })
    }

    fn grow(&mut self, length: usize) -> io::Result<()> {
        let part = length.next_multiple_of(4096).max((self.length / 2).next_multiple_of(4096));
        let part = part.max(FIRST_PART).min(LONGEST_PART.max(length.next_multiple_of(4096)));
        let file = match self.length {
            0 => counter_file::create(&self.path).or_else(|_| counter_file::open(&self.path)),
            _ => counter_file::open(&self.path),
        }?;
        allocate(&file, self.length, part)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let offset = self.length as libc::off_t;
        // SAFETY: a fresh mapping of a part of the file that is allocated.
        let address = unsafe {
            libc::mmap(std::ptr::null_mut(), part, access, libc::MAP_SHARED, file.as_raw_fd(), offset)
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        self.length += part;
        self.parts.push((address as usize, part));
        self.free = (address as usize, part);
        Ok(())
    }

    /// The system's error number when it could not grow for the last time; 0 if it always could.
    pub fn refusal(&self) -> i32 {
        self.refusal
    }

    /// In a forked child: lets go of the parent's file.
    pub fn unmap(&mut self) {
        for (address, length) in std::mem::take(&mut self.parts) {
            // SAFETY: mapped by us, and nothing refers to it any more.
            unsafe { libc::munmap(address as *mut libc::c_void, length) };
        }
        self.free = (0, 0);
    }
}
