//! Memory that a thread uses again and again, and that goes when it ends.
//!
//! It may be asked for between `vfork` and `exec`, where the child shares the memory and the thread of its parent and
//! nothing can be given back afterwards: what the child took, the parent's thread uses the next time.

use std::ffi::c_void;

/// Values of so many keys lie in the C library's description of a thread, where nothing has to be allocated for them.
const KEYS_IN_PLACE: libc::pthread_key_t = 32;

/// What lies before the memory: how much was mapped.
const HEAD: usize = 16;

/// Memory for each thread.
pub struct ThreadRoom {
    /// None where a key without allocations is not to be had: then memory is not used again.
    key: Option<libc::pthread_key_t>,
}

/// A piece of memory. It stays mapped until it is given back, and is then used again or goes with the thread.
pub struct Room(*mut c_void);

impl ThreadRoom {
    /// For all threads.
    pub fn new() -> Self {
        let mut key = 0;
        // SAFETY: writes the key.
        let made = unsafe { libc::pthread_key_create(&raw mut key, Some(unmap)) };
        Self { key: (made == 0 && key < KEYS_IN_PLACE).then_some(key) }
    }

    /// The calling thread's memory, as long as it does not give it back; so many bytes at least. A signal handler
    /// that asks meanwhile gets another piece.
    pub fn take(&self, length: usize) -> Option<Room> {
        let present = self.exchange(std::ptr::null_mut());
        let length = length + HEAD;
        // SAFETY: a piece of ours begins with its length.
        if !present.is_null() && unsafe { *present.cast::<usize>() } >= length {
            return Some(Room(present));
        }
        unmap(present);
        let length = length.next_multiple_of(4096);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh mapping.
        let memory = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) };
        if memory == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: mapped just now.
        unsafe { memory.cast::<usize>().write(length) };
        Some(Room(memory))
    }

    /// Keeps a piece for the next time. What lies in it stays until then.
    pub fn give(&self, room: Room) {
        unmap(self.exchange(room.0));
    }

    /// The calling thread's piece, with another one in its place.
    fn exchange(&self, other: *mut c_void) -> *mut c_void {
        let Some(key) = self.key else { return std::ptr::null_mut() };
        // SAFETY: a key of ours.
        unsafe {
            let present = libc::pthread_getspecific(key);
            libc::pthread_setspecific(key, other);
            present
        }
    }
}

impl Room {
    /// Where the memory begins: a multiple of 16.
    pub fn start(&self) -> *mut u8 {
        // SAFETY: behind the head.
        unsafe { self.0.cast::<u8>().add(HEAD) }
    }
}

extern "C" fn unmap(memory: *mut c_void) {
    if !memory.is_null() {
        // SAFETY: a piece of ours, which nobody has any more, begins with its length.
        unsafe { libc::munmap(memory, *memory.cast::<usize>()) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_used_again_until_it_is_too_small() {
        let rooms = ThreadRoom::new();
        let first = rooms.take(100).unwrap();
        let start = first.start();
        let handler = rooms.take(100).unwrap();
        assert_ne!(handler.start(), start, "a signal handler has another");
        rooms.give(handler);
        rooms.give(first);
        let again = rooms.take(4000).unwrap();
        assert_eq!(again.start(), start);
        rooms.give(again);
        let larger = rooms.take(5000).unwrap();
        // SAFETY: room for so many bytes.
        unsafe { larger.start().add(4999).write(1) };
        rooms.give(larger);
        std::thread::scope(|scope| {
            scope.spawn(|| rooms.give(rooms.take(1).unwrap()));
        });
    }
}
