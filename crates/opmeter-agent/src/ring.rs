//! This process's ring of events, mapped; see `opmeter_live`'s `RingRecord`.

use std::ffi::c_void;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use opmeter_live::{
    CHUNK_ROW, CHUNK_SIZE, CHUNK_TABLE, CHUNKS_OFFSET, ChunkState, MAX_CHUNKS, RING_EXTENSION, RingWord,
};

use crate::counter_file;
use crate::live::allocate;
use crate::tsc;

/// Chunks that there are at first: what a program executes in some milliseconds.
const FIRST_CHUNKS: usize = 128;

/// Chunks that are added for each thread that runs.
const CHUNKS_PER_THREAD: usize = 2;

/// Address space for the file, in bytes.
const LENGTH: usize = CHUNKS_OFFSET + MAX_CHUNKS * CHUNK_SIZE;

/// The mapped ring.
pub struct Ring {
    /// Where the file begins: a multiple of [`CHUNK_SIZE`].
    address: usize,
    path: PathBuf,
    chunks: usize,
    /// Threads that have begun and not ended.
    threads: usize,
}

impl Ring {
    /// Makes the ring beside a live file.
    ///
    /// # Errors
    /// When the file can't be made, has no room on the disk, or can't be mapped.
    pub fn create(live: &Path) -> io::Result<Self> {
        let path = live.with_extension(RING_EXTENSION);
        let file = counter_file::create(&path)?;
        allocate(&file, 0, CHUNKS_OFFSET + FIRST_CHUNKS * CHUNK_SIZE)?;
        let address = reserve()?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_FIXED;
        // SAFETY: the range was reserved just now.
        let got = unsafe { libc::mmap(address as *mut c_void, LENGTH, access, flags, file.as_raw_fd(), 0) };
        if got == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let ring = Self { address, path, chunks: FIRST_CHUNKS, threads: 0 };
        let (cycles, nanoseconds) = tsc::both_clocks();
        ring.word(RingWord::FirstTsc).store(cycles, Ordering::Relaxed);
        ring.word(RingWord::FirstNs).store(nanoseconds, Ordering::Relaxed);
        ring.word(RingWord::BackToBack).store(tsc::back_to_back(), Ordering::Relaxed);
        ring.word(RingWord::Chunks).store(FIRST_CHUNKS as u64, Ordering::Release);
        Ok(ring)
    }

    /// In a child that was just forked: lets go of the parent's ring.
    pub fn unmap(self) {
        // SAFETY: mapped by us, and no thread of this process writes to it any more.
        unsafe { libc::munmap(self.address as *mut c_void, LENGTH) };
    }

    /// A word of the head.
    pub fn word(&self, word: RingWord) -> &AtomicU64 {
        self.at(word as usize * 8)
    }

    /// A number for a thread that begins. There will be chunks for it, as far as there is room.
    pub fn add_thread(&mut self) -> u64 {
        self.threads += 1;
        let wanted = (FIRST_CHUNKS + CHUNKS_PER_THREAD * self.threads).min(MAX_CHUNKS);
        if wanted > self.chunks {
            let more =
                (wanted - self.chunks).next_multiple_of(FIRST_CHUNKS / 2).min(MAX_CHUNKS - self.chunks);
            let file = counter_file::open(&self.path);
            let start = CHUNKS_OFFSET + self.chunks * CHUNK_SIZE;
            if file.and_then(|file| allocate(&file, start, more * CHUNK_SIZE)).is_ok() {
                self.chunks += more;
                self.word(RingWord::Chunks).store(self.chunks as u64, Ordering::Release);
            }
        }
        self.word(RingWord::Threads).fetch_add(1, Ordering::Relaxed)
    }

    /// A thread ends.
    pub fn end_thread(&mut self) {
        self.threads -= 1;
    }

    /// Whether there can be a free chunk some time: threads keep theirs as long as they live.
    pub fn suffices(&self) -> bool {
        self.threads < self.chunks
    }

    /// A free chunk, empty, for a thread to fill. None where there is none.
    pub fn take(&mut self, thread: u64) -> Option<usize> {
        let chunk = (0..self.chunks).find(|chunk| self.state(*chunk).load(Ordering::Acquire) == FREE)?;
        self.state(chunk).store(ChunkState::Taken as u64, Ordering::Relaxed);
        let address = self.address + CHUNKS_OFFSET + chunk * CHUNK_SIZE;
        // SAFETY: a chunk, which is ours now.
        unsafe { std::ptr::write_bytes(address as *mut u8, 0, CHUNK_SIZE) };
        let number = self.word(RingWord::Taken).fetch_add(1, Ordering::Relaxed);
        self.at(row(chunk) + 8).store(thread, Ordering::Relaxed);
        self.at(row(chunk) + 16).store(number, Ordering::Relaxed);
        self.state(chunk).store(ChunkState::Filling as u64, Ordering::Release);
        let (cycles, nanoseconds) = tsc::both_clocks();
        self.word(RingWord::LastTsc).store(cycles, Ordering::Relaxed);
        self.word(RingWord::LastNs).store(nanoseconds, Ordering::Relaxed);
        Some(address)
    }

    /// Nobody will write any more to the chunk that an address lies in.
    pub fn give(&self, address: usize) {
        let chunk = (address - self.address - CHUNKS_OFFSET) / CHUNK_SIZE;
        self.state(chunk).store(ChunkState::Full as u64, Ordering::Release);
    }

    fn state(&self, chunk: usize) -> &AtomicU64 {
        self.at(row(chunk))
    }

    fn at(&self, offset: usize) -> &AtomicU64 {
        debug_assert!(offset < CHUNKS_OFFSET && offset.is_multiple_of(8));
        // SAFETY: inside the head or the table, which stay mapped and have room.
        unsafe { &*((self.address + offset) as *const AtomicU64) }
    }
}

const FREE: u64 = ChunkState::Free as u64;

/// Offset of a chunk's row in the table.
fn row(chunk: usize) -> usize {
    CHUNK_TABLE + chunk * CHUNK_ROW
}

/// Address space for the file, beginning where a chunk may begin.
fn reserve() -> io::Result<usize> {
    let length = LENGTH + CHUNK_SIZE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping.
    let got = unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
    if got == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let (start, address) = (got as usize, (got as usize).next_multiple_of(CHUNK_SIZE));
    for (part, length) in [(start, address - start), (address + LENGTH, start + CHUNK_SIZE - address)] {
        if length > 0 {
            // SAFETY: a part of the mapping that is not needed.
            unsafe { libc::munmap(part as *mut c_void, length) };
        }
    }
    Ok(address)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_taken_filled_and_given() {
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Ring::create(&folder.path().join("1-0.live")).unwrap();
        assert_eq!((ring.add_thread(), ring.add_thread()), (0, 1));
        let chunks: Vec<usize> = (0..ring.chunks).map(|_| ring.take(1).unwrap()).collect();
        assert!(chunks.iter().all(|chunk| chunk % CHUNK_SIZE == 0));
        assert_eq!(ring.take(0), None);
        ring.give(chunks[5] + 32);
        assert_eq!(ring.state(5).load(Ordering::Relaxed), ChunkState::Full as u64);
        // The reader frees it.
        ring.state(5).store(FREE, Ordering::Relaxed);
        assert_eq!(ring.take(0), Some(chunks[5]));
        assert_eq!(ring.at(row(5) + 8).load(Ordering::Relaxed), 0);
        assert_eq!(ring.at(row(5) + 16).load(Ordering::Relaxed), chunks.len() as u64);
    }

    #[test]
    fn there_are_more_chunks_than_threads() {
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Ring::create(&folder.path().join("1-0.live")).unwrap();
        for _ in 0..FIRST_CHUNKS {
            ring.add_thread();
        }
        assert!(ring.suffices() && ring.chunks >= FIRST_CHUNKS * 2, "{}", ring.chunks);
        let last = (0..ring.chunks).map(|_| ring.take(0).unwrap()).last().unwrap();
        // SAFETY: the last word of a chunk that has room.
        unsafe { ((last + CHUNK_SIZE - 8) as *mut u64).write_volatile(1) };
    }
}
