//! A value under a lock that a forked child can break.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// A value under a lock. Unlike with the standard library's, a child that was forked while another thread
/// held the lock does not wait forever for that thread, which it does not have.
pub struct Guarded<T> {
    value: UnsafeCell<T>,
    held: AtomicBool,
}

// SAFETY: the value is only reached under the lock.
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    /// A value that nobody holds.
    pub const fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value), held: AtomicBool::new(false) }
    }

    /// Uses the value; gives up after a while, rather than hang where the holder is gone.
    pub fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> Option<R> {
        for attempt in 0..10_000u32 {
            if !self.held.swap(true, Ordering::Acquire) {
                // SAFETY: we hold the lock.
                let result = use_it(unsafe { &mut *self.value.get() });
                self.held.store(false, Ordering::Release);
                return Some(result);
            }
            if attempt > 100 {
                std::thread::yield_now();
            }
        }
        None
    }

    /// Uses the value, however long it takes to get it.
    pub fn insist<R>(&self, mut use_it: impl FnMut(&mut T) -> R) -> R {
        loop {
            if let Some(result) = self.with(&mut use_it) {
                return result;
            }
        }
    }

    /// In a child that was just forked: frees the lock. Says whether a thread of the parent held it, so
    /// that the value may be half changed.
    pub fn break_lock(&self) -> bool {
        self.held.swap(false, Ordering::AcqRel)
    }
}
