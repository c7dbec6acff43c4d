//! Slots of threads, where threads run bytecode at the same time.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use opmeter_live::{State, Word};

use crate::live::Slot;
use crate::meter::{self, Meter};
use crate::pairs;

thread_local! {
    /// Address of this thread's slot, 0 where it has none. Stubs read it at a fixed offset from the
    /// thread's segment base: the agent is loaded with the program, so that its thread-local variables
    /// lie in the static block of every thread.
    static SLOT: Cell<usize> = const { Cell::new(0) };
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// Gives the slot back when the thread ends.
struct Lease(usize);

impl Drop for Lease {
    fn drop(&mut self) {
        SLOT.set(0);
        meter::get().and_then(|meter| meter.with_live(|live| live.free_slot(Slot(self.0))));
    }
}

/// The offset of [`SLOT`] from the thread's segment base.
pub fn slot_offset() -> Option<i32> {
    let base: usize;
    // SAFETY: the System V ABI keeps the segment base's own address at its start.
    unsafe { std::arch::asm!("mov {}, fs:0", out(reg) base, options(nostack, readonly, preserves_flags)) };
    let address = SLOT.with(|slot| slot.as_ptr() as usize);
    i32::try_from(address as i64 - base as i64).ok()
}

/// Whether the calling thread has a slot given to it, and with that a table of biases of its own.
pub fn counts_apart() -> bool {
    SLOT.get() != 0
}

/// Gives the calling thread, which is about to execute the instruction at an address, a slot.
pub fn give_slot(meter: &Meter, address: usize) {
    if SLOT.get() != 0 {
        return;
    }
    let Some(slot) = meter.with_live(|live| live.take_slot()).flatten() else {
        // Two threads share a slot: increments may be lost, and the recording says so.
        meter.with_live(|live| live.word(Word::SharedSlots).fetch_add(1, Relaxed));
        SLOT.set(meter.first_slot().0);
        return;
    };
    meter.give_biases(slot);
    let first = meter.first_slot();
    if first.state(State::Pending).load(Relaxed) == address as u64 {
        // It was this thread's last dispatch in the first slot that made the instruction specialise itself.
        for word in [State::Pending, State::PendingOpcode, State::PendingRow] {
            slot.state(word).store(first.state(word).swap(0, Relaxed), Relaxed);
        }
    }
    SLOT.set(slot.0);
    let _ = LEASE.try_with(|lease| lease.set(Some(Lease(slot.0))));
}

/// The slot that the calling thread counts in.
pub fn slot(meter: &Meter) -> Slot {
    match SLOT.get() {
        0 => meter.first_slot(),
        slot => Slot(slot),
    }
}

/// After a fork: only the calling thread is left, and it counts in the first slot.
pub fn after_fork(meter: &Meter) {
    pairs::begin_thread();
    if SLOT.get() != 0 {
        SLOT.set(meter.first_slot().0);
        if let Ok(Some(lease)) = LEASE.try_with(|lease| lease.take()) {
            std::mem::forget(lease);
        }
    }
}
