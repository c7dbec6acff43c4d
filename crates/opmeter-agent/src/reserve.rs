//! The agent's memory: the heap's, and a reserve for when that has none left.
//!
//! A program may use up all memory that it is given, and catch the `MemoryError`. The agent, which must not end it, can
//! not do without the little that it needs at that moment; Rust's answer to a failed allocation is to end the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes in reserve, which take memory when they are touched.
const LENGTH: usize = 1 << 20;

/// When so many of them are taken, no code objects are registered any more; the rest is for what can't be done without.
const SHORT: usize = LENGTH / 4;

#[repr(align(4096))]
struct Bytes(UnsafeCell<[u8; LENGTH]>);

// SAFETY: parts are given out once each.
unsafe impl Sync for Bytes {}

static BYTES: Bytes = Bytes(UnsafeCell::new([0; LENGTH]));

/// Parts begin at multiples of this.
const ALIGNED: usize = 16;

/// How many bytes have been given out. Only the part that was given out last is taken back: what is needed for a moment
/// is.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

struct Reserved;

#[global_allocator]
static ALLOCATOR: Reserved = Reserved;

/// Whether memory has run so short that what can be left undone should be.
pub fn is_short() -> bool {
    TAKEN.load(Relaxed) > SHORT
}

fn start() -> usize {
    BYTES.0.get() as usize
}

/// Where a part begins, and where it ends, when so many bytes are taken already.
fn part(taken: usize, layout: Layout) -> Option<(usize, usize)> {
    let begin = (start() + taken).next_multiple_of(layout.align().max(ALIGNED)) - start();
    let end = begin.checked_add(layout.size().checked_next_multiple_of(ALIGNED)?)?;
    (end <= LENGTH).then_some((begin, end))
}

/// Takes a part of the reserve; null where it is used up.
fn take(layout: Layout) -> *mut u8 {
    let taken = TAKEN.fetch_update(Relaxed, Relaxed, |taken| Some(part(taken, layout)?.1));
    match taken.ok().and_then(|taken| part(taken, layout)) {
        // SAFETY: inside the reserve, and nobody else's.
        Some((begin, _)) => unsafe { BYTES.0.get().cast::<u8>().add(begin) },
        None => std::ptr::null_mut(),
    }
}

/// Takes a part back, if it is the last.
fn give_back(pointer: *mut u8, layout: Layout) {
    let begin = pointer as usize - start();
    let end = begin + layout.size().next_multiple_of(ALIGNED);
    let _ = TAKEN.compare_exchange(end, begin, Relaxed, Relaxed);
}

fn is_reserve(pointer: *mut u8) -> bool {
    (start()..start() + LENGTH).contains(&(pointer as usize))
}

// SAFETY: memory is the system's, or a part of the reserve that nobody else has.
unsafe impl GlobalAlloc for Reserved {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { take(layout) } else { memory }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if is_reserve(pointer) {
            return give_back(pointer, layout);
        }
        // SAFETY: the caller's, and the system's.
        unsafe { System.dealloc(pointer, layout) };
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        let memory = unsafe { System.alloc_zeroed(layout) };
        if !memory.is_null() {
            return memory;
        }
        let memory = take(layout);
        if !memory.is_null() {
            // SAFETY: as long as the layout; it may have been given out, and taken back, before.
            unsafe { memory.write_bytes(0, layout.size()) };
        }
        memory
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, length: usize) -> *mut u8 {
        if !is_reserve(pointer) {
            // SAFETY: the caller's, and the system's.
            let memory = unsafe { System.realloc(pointer, layout, length) };
            if !memory.is_null() {
                return memory;
            }
        }
        // SAFETY: the caller's: the alignment was valid, the length is with it.
        let memory = unsafe { self.alloc(Layout::from_size_align_unchecked(length, layout.align())) };
        if !memory.is_null() {
            // SAFETY: both are as long, and not the same.
            unsafe {
                std::ptr::copy_nonoverlapping(pointer, memory, layout.size().min(length));
                self.dealloc(pointer, layout);
            }
        }
        memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_reserve_are_nobody_elses_and_it_ends() {
        let layout = |size, align| Layout::from_size_align(size, align).unwrap();
        let one = take(layout(10, 1));
        let other = take(layout(64, 64));
        assert!(is_reserve(one) && is_reserve(other) && (other as usize).is_multiple_of(64));
        assert!(other as usize >= one as usize + 10);
        assert!(!is_short());
        give_back(other, layout(64, 64));
        assert_eq!(take(layout(60, 16)), other, "the last is taken back");
        // SAFETY: memory of this allocator, of this layout.
        let moved = unsafe {
            one.write(7);
            ALLOCATOR.realloc(one, layout(10, 1), 20)
        };
        // SAFETY: as above, twenty bytes by now.
        unsafe {
            assert_eq!(moved.read(), 7);
            ALLOCATOR.dealloc(moved, layout(20, 1));
        }
        assert!(!take(layout(SHORT, 1)).is_null());
        assert!(is_short() && take(layout(LENGTH, 1)).is_null());
    }
}
