//! A file in the live folder that grows, mapped where it is written to.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

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
    /// Whether each part has a shadow.
    shadowed: bool,
}

/// How far behind each byte of a file with shadows its shadow lies: memory that is no part of the file.
pub const SHADOW: usize = 0x400_0000;

/// Room in the file.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Where it is mapped.
    pub address: usize,
    /// Where it lies in the file, in bytes.
    pub offset: usize,
}

impl GrowingFile {
    /// A file that is made when room is first asked for, with shadows or without.
    pub fn new(path: PathBuf, shadowed: bool) -> Self {
        Self { path, length: 0, parts: Vec::new(), free: (0, 0), shadowed }
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
            self.grow(length)?;
        }
        let (address, left) = self.free;
        self.free = (address + length, left - length);
        Ok(Room { address, offset: self.length - left })
    }

    fn grow(&mut self, length: usize) -> io::Result<()> {
        let part = length.next_multiple_of(4096).max((self.length / 2).next_multiple_of(4096));
        let part = part.max(FIRST_PART).min(LONGEST_PART.max(length.next_multiple_of(4096)));
        let file = OpenOptions::new().read(true).write(true).create(self.length == 0).open(&self.path)?;
        allocate(&file, self.length, part)?;
        let (target, fixed, mapped) = if self.shadowed {
            (reserve_with_shadow(part)?, libc::MAP_FIXED, SHADOW + part)
        } else {
            (std::ptr::null_mut(), 0, part)
        };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let (flags, offset) = (libc::MAP_SHARED | fixed, self.length as libc::off_t);
        // SAFETY: a mapping of a part of the file that is allocated, fresh or over what we have just reserved.
        let address = unsafe { libc::mmap(target, part, access, flags, file.as_raw_fd(), offset) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        self.length += part;
        self.parts.push((address as usize, mapped));
        self.free = (address as usize, part);
        Ok(())
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

/// Reserves address space for a part and its shadow, and makes the shadow.
fn reserve_with_shadow(part: usize) -> io::Result<*mut libc::c_void> {
    if part > SHADOW {
        return Err(io::Error::from_raw_os_error(libc::ENOMEM));
    }
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a fresh mapping.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), SHADOW + part, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: inside what was just reserved.
    let made = unsafe {
        let shadow = start.cast::<u8>().add(SHADOW).cast();
        libc::mmap(shadow, part, access, flags | libc::MAP_FIXED, -1, 0)
    };
    if made == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(start) }
}
