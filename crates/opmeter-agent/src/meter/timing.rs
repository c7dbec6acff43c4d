//! Taking times: the meter's side of [`crate::clock`] and [`crate::slices`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use opmeter_live::{RingRecord, SliceWord, State, TIME_BLOCK_SIZE, Word};
use opmeter_opcodes::Leaves;

use super::Meter;
use crate::activations::Dispatch;
use crate::clock::{self, Charged, OuterCaller};
use crate::event_stream;
use crate::frames::{Caller, opcode_at};
use crate::guarded::Guarded;
use crate::live::Slot;
use crate::slices::Slices;
use crate::stub::{EventCells, Slice, Timing};
use crate::tsc;

/// What the meter keeps of times.
pub(super) struct TimeKeeping {
    slices: Guarded<Slices>,
    timed: AtomicBool,
    /// More than one thread has been seen: one may wait while another's slice ends.
    threads: AtomicBool,
    seen: AtomicBool,
    /// Cycles that all threads have spent in the meter, out of line.
    paused: AtomicU64,
}

impl TimeKeeping {
    /// `share` is that of the run which is timed, in 65536ths.
    pub fn new(share: u64) -> Self {
        Self {
            slices: Guarded::new(Slices::new(share)),
            timed: AtomicBool::new(true),
            threads: AtomicBool::new(false),
            seen: AtomicBool::new(false),
            paused: AtomicU64::new(0),
        }
    }
}

impl Meter {
    /// Whether threads have clocks, which stand still while they are in the meter.
    pub fn has_clocks(&self) -> bool {
        self.times.is_some() || self.events.is_some()
    }

    /// Whether the present slice is timed.
    pub fn is_timing(&self) -> bool {
        self.slice() == Some(Slice::Timed)
    }

    /// The last dispatch, which was timed as one of the opcode `first`, was no execution: its time belongs to the
    /// dispatch of `second` that follows.
    pub fn time_no_execution(&self, slot: Slot, first: u8, second: u8) {
        self.tell(RingRecord::Repeated, 1);
        if self.is_timing() {
            clock::rename_last(slot.state(State::Times).load(Relaxed) as usize, first, second);
        }
    }

    /// What stubs do in the present slice.
    pub(super) fn slice(&self) -> Option<Slice> {
        if self.events.is_some() {
            return self.tells_events().then_some(Slice::Told);
        }
        let times = self.times.as_ref()?;
        Some(match (times.timed.load(Relaxed), times.threads.load(Relaxed)) {
            (true, _) => Slice::Timed,
            (false, true) => Slice::Settling,
            (false, false) => Slice::Counted,
        })
    }

    /// How stubs take part in timing.
    pub(super) fn timing(&self, slice: Slice, per_thread: bool) -> Option<Timing> {
        let blocks = self.first_slot.state(State::Times).load(Relaxed) as usize;
        let events = match slice {
            Slice::Told => {
                Some(EventCells { next: event_stream::next_offset()?, phase: self.phase_address()? })
            }
            _ => None,
        };
        Some(Timing { clock: clock::offsets()?, slice, blocks: (!per_thread).then_some(blocks), events })
    }

    /// The calling thread has spent so many cycles in the meter, out of line.
    pub fn pause(&self, cycles: u64) {
        clock::pause(cycles);
        if let Some(times) = &self.times {
            times.paused.fetch_add(cycles, Relaxed);
        }
    }

    /// A dispatch at which an activation of the evaluation loop may have begun or ended.
    pub fn look_at(&self, dispatch: &Dispatch, slot: Slot, tsc: u64) {
        if self.tells_events() {
            event_stream::look(self, dispatch, tsc);
        }
        let Some(times) = &self.times else { return };
        let blocks = slot.state(State::Times).load(Relaxed) as usize;
        let leaves = |block: usize| {
            let number = u8::try_from(block.wrapping_sub(blocks) / TIME_BLOCK_SIZE);
            let rule = number.ok().and_then(|number| self.rule(number));
            rule.map_or(Leaves::Never, |rule| rule.execution.leaves)
        };
        let caller = || {
            let (caller, cell) = self.cells()?.caller(dispatch.address, dispatch.begins, self.place(slot))?;
            let (Caller::Here(address) | Caller::Below(address)) = caller;
            let charged = Charged {
                cell: &raw const *cell as usize,
                block: blocks + usize::from(opcode_at(address)) * TIME_BLOCK_SIZE,
                all: &raw const *slot.state(State::Segments) as usize,
            };
            Some(OuterCaller { charged, goes_on: matches!(caller, Caller::Below(_)) })
        };
        if clock::look(dispatch, tsc, leaves, caller) && times.seen.swap(true, Relaxed) {
            times.threads.store(true, Relaxed);
            self.with_live(|live| {
                live.times().map(|file| file.word(SliceWord::Threads as usize * 8).store(1, Relaxed))
            });
        }
    }

    /// Tells whoever looks from outside where the calling thread's present frame is found, which is about to
    /// execute the instruction at an address.
    fn publish_frame(&self, address: usize, slot: Slot) {
        let pointer = self.cells().and_then(|cells| cells.frame_pointer(address, self.place(slot)));
        self.with_live(|live| {
            for (word, value) in pointer.unwrap_or_default() {
                live.set(word, value as u64);
            }
            live.set(Word::WatchedSlot, live.offset_of(slot) as u64);
        });
    }

    /// The steps of a slot are used up at the dispatch of the instruction at an address.
    pub fn steps_are_done(&self, slot: Slot, address: usize, tsc: u64) {
        let Some(times) = &self.times else { return };
        let paused = || times.paused.load(Relaxed);
        let segments = [State::Segments, State::Cycles].map(|word| slot.state(word).load(Relaxed)).into();
        let looked = self.with_live(|live| {
            let phase = live.get(Word::Phase) as usize;
            let look = |slices: &mut Slices| {
                (slices.look(tsc, paused(), segments, phase, live.times()), slices.timed())
            };
            times.slices.with(look)
        });
        let Some(((steps, changed), timed)) = looked.flatten() else { return };
        if changed {
            if !timed {
                clock::stop_before_latest();
            } else {
                clock::forget();
            }
            times.timed.store(timed, Relaxed);
            let untimed = !timed && !times.threads.load(Relaxed);
            if untimed {
                self.publish_frame(address, slot);
            }
            slot.state(State::Untimed).store(u64::from(untimed), Relaxed);
            let _ = self.update();
        }
        slot.state(State::Steps).store(steps, Relaxed);
        // What this has taken is not yet known to have passed with the clock standing still.
        let now = tsc::now();
        times.slices.with(|slices| slices.begin_stretch(now, paused() + now.wrapping_sub(tsc)));
    }

    /// Goes over to another phase with `enter`. Where times are taken, the clock stands still meanwhile.
    pub fn change_phase(&self, enter: impl FnOnce()) {
        let begun = tsc::now();
        let Some(times) = &self.times else {
            enter();
            return self.pause(tsc::now().wrapping_sub(begun));
        };
        if self.is_timing() {
            clock::stop(begun);
        }
        self.with_live(|live| {
            let (paused, phase) = (times.paused.load(Relaxed), live.get(Word::Phase) as usize);
            times.slices.with(|slices| slices.end_phase(begun, paused, phase, live.times()))
        });
        enter();
        self.pause(tsc::now().wrapping_sub(begun));
    }

    /// In a child that was just forked: its thread begins anew.
    pub fn restart_times(&self) {
        if let Some(times) = &self.times {
            times.slices.break_lock();
            times.slices.with(Slices::restart);
            clock::forget();
        }
    }
}
