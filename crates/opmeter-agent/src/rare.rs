//! What a stub does seldom, out of line: repetitions, failed guards, new threads.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering::Relaxed;

use opmeter_live::{RingRecord, State, offset};
use opmeter_opcodes::{Folding, Specialising};

use crate::activations::Dispatch;
use crate::cells::counter;
use crate::clock::{self, cell_offset};
use crate::discovery;
use crate::event_stream;
use crate::gate::RETURN_OFFSET;
use crate::live::Slot;
use crate::meter::{self, Meter};
use crate::pairs;
use crate::stub::Rule;
use crate::thread;
use crate::tsc;

/// Why a stub reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Event {
    /// A dispatch before the registers are known.
    Discover,
    /// The thread has no slot yet.
    NewThread,
    /// The instruction at this address has specialised itself and is dispatched again.
    Repeat,
    /// 3.11: a specialised instruction's guard failed, and its base is dispatched.
    Miss,
    /// A frame's first instruction is dispatched again after its code was instrumented.
    Resumed,
    /// An instruction is dispatched that a combined opcode right before it should have folded.
    Unfold,
    /// No cell is known for the instruction's address. The answer is the bias of its code object.
    NewPlace,
    /// An activation of the evaluation loop may have begun or ended.
    Look,
    /// The thread's last dispatch was timed, and this one is not.
    Settle,
    /// The steps are used up.
    Steps,
    /// There is no room for an event. The answer is where there is.
    Chunk,
}

const EVENTS: [Event; 11] = [
    Event::Discover,
    Event::NewThread,
    Event::Repeat,
    Event::Miss,
    Event::Resumed,
    Event::Unfold,
    Event::NewPlace,
    Event::Look,
    Event::Settle,
    Event::Steps,
    Event::Chunk,
];

/// What the gate leaves on the stack: all registers by number, the return address, and which stub it was.
#[repr(C)]
pub struct Frame {
    /// Registers by the machine's number.
    pub registers: [usize; 16],
    back: usize,
    word: usize,
}

impl Frame {
    /// The address of the stub that reports a dispatch before the registers are known.
    pub fn reporting_stub(&self) -> usize {
        self.back - RETURN_OFFSET
    }

    /// Gives the stub an answer.
    fn answer(&mut self, answer: usize) {
        self.registers[self.word >> 16 & 0xf] = answer;
    }

    /// The stack pointer in the stub that reports.
    fn stack(&self) -> usize {
        &raw const *self as usize + size_of::<Self>()
    }
}

/// Called by the gate. No panic leaves it: whatever goes wrong, the program runs on.
pub extern "C" fn enter(frame: *mut Frame) {
    // SAFETY: the gate passes a pointer to the registers that it has just saved, and restores them from
    // there.
    let frame = unsafe { &mut *frame };
    let (event, number) = (frame.word >> 8 & 0xff, frame.word as u8);
    let Some(event) = EVENTS.get(event).copied() else { return };
    let _ = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let Some(meter) = meter::get() else { return };
        let begun = if meter.has_clocks() { tsc::now() } else { 0 };
        match event {
            Event::Discover => discovery::observe(meter, frame, number, begun),
            Event::NewThread => thread::give_slot(meter, Occurrence::of(meter, frame, number).address),
            Event::NewPlace => {
                let occurrence = Occurrence::of(meter, frame, number);
                frame.answer(meter.new_place(occurrence.address, occurrence.slot, number) as usize);
            }
            Event::Chunk => frame.answer(event_stream::next_chunk(meter)),
            Event::Look => Occurrence::of(meter, frame, number).look(frame.stack(), begun),
            Event::Settle => clock::stop(begun),
            Event::Steps => {
                let occurrence = Occurrence::of(meter, frame, number);
                meter.steps_are_done(occurrence.slot, occurrence.address, begun);
            }
            event => Occurrence::of(meter, frame, number).handle(event),
        }
        if meter.has_clocks() {
            meter.pause(tsc::now().wrapping_sub(begun));
        }
    }));
}

struct Occurrence<'m> {
    meter: &'m Meter,
    slot: Slot,
    address: usize,
    number: u8,
}

impl<'m> Occurrence<'m> {
    fn of(meter: &'m Meter, frame: &Frame, number: u8) -> Self {
        let address = meter
            .next_instr()
            .map_or(0, |next| frame.registers[usize::from(next.reg.0)].wrapping_sub(usize::from(next.ahead)));
        Self { meter, slot: thread::slot(meter), address, number }
    }

    fn handle(&self, event: Event) {
        match event {
            Event::Repeat => self.repeat(),
            Event::Miss => self.miss(),
            Event::Resumed => self.slot.add(offset::REDISPATCHES, 1),
            Event::Unfold => self.unfold(),
            _ => {}
        }
    }

    /// An activation of the evaluation loop may have begun or ended.
    fn look(&self, stack: usize, tsc: u64) {
        let begins =
            |base: &str| matches!(base, "RESUME" | "MAKE_CELL" | "COPY_FREE_VARS" | "RETURN_GENERATOR");
        let tells = self.meter.opcodes().version().1 >= 11;
        let begins = tells.then(|| self.meter.opcodes().get(self.number).is_some_and(|o| begins(o.base)));
        let place = self.meter.place(self.slot);
        let cell = || self.meter.cells()?.cell(self.address, place);
        let cell = if tells { 0 } else { cell().map_or(0, |cell| &raw const *cell as usize) };
        let dispatch = Dispatch { stack, cell, begins, address: self.address };
        self.meter.look_at(&dispatch, self.slot, tsc);
    }

    /// The dispatch before this one at the same address did nothing but specialise: it is not counted.
    fn repeat(&self) {
        let first = self.slot.state(State::PendingOpcode).load(Relaxed) as u8;
        self.slot.state(State::Pending).store(0, Relaxed);
        self.slot.add(offset::REDISPATCHES, 1);
        let placed = self.add_executions(0, u64::MAX);
        self.meter.time_no_execution(self.slot, first, self.number);
        let array = if placed { offset::EXECUTIONS } else { offset::UNPLACED };
        if !placed || self.meter.rule(first).is_some_and(|rule| rule.derived) {
            self.slot.add(array + usize::from(first) * 8, u64::MAX);
        }
        if self.meter.counts_pairs() {
            let before = self.slot.state(State::PendingRow).load(Relaxed) as usize;
            if before != 0 {
                pairs::add(before, first, u64::MAX);
                pairs::set_last_row(before);
            }
        }
        if let Some(rule) = self.meter.rule(first) {
            if rule.execution.generic {
                self.add_to_cell(2, u64::MAX);
            }
            self.unfold_cells(rule);
        }
        if self.meter.opcodes().unfolds() {
            let shift = self.meter.opcodes().counter_shift();
            let execution = self.meter.rule(self.number).map(|rule| rule.execution);
            let Some(execution) = execution.filter(|execution| execution.specialising != Specialising::No)
            else {
                return;
            };
            let failures = self.meter.sites().insist(|sites| match execution.generic {
                true => sites.generalised(self.address, shift),
                false => {
                    let folds = execution.folding != Folding::None;
                    sites.specialised(self.address, counter(self.address), folds, shift)
                }
            });
            self.meter.missed((self.address, failures));
        }
    }

    /// 3.11: a specialised instruction's guard failed. If it is a combined one, it was counted as if it had
    /// folded something, but has not.
    fn miss(&self) {
        self.meter.missed((self.address, 1));
        if self.slot.state(State::LastCombined).swap(0, Relaxed) != self.address as u64 {
            return;
        }
        let number = self.slot.state(State::LastCombinedOpcode).load(Relaxed) as u8;
        let Some(rule) = self.meter.rule(number) else { return };
        self.follows_base(number);
        if rule.execution.folding == Folding::Next {
            let next = byte(self.address + 2 * (1 + usize::from(rule.caches)));
            let array = offset::NEXT + rule.next_array * 256 * 8;
            self.slot.add(array + usize::from(next) * 8, u64::MAX);
        } else {
            self.slot.add(offset::UNFOLDED + usize::from(number) * 8, 1);
        }
        self.unfold_cells(rule);
        self.tell_unfolded(self.address, number, 1);
    }

    /// Tells that the latest events of a combined opcode were without what it combines.
    fn tell_unfolded(&self, address: usize, number: u8, count: u64) {
        let cell = self.meter.cells().and_then(|cells| cells.cell(address, self.meter.place(self.slot)));
        if let Some(cell) = cell {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            self.meter.tell(RingRecord::Unfolded { number, count }, &raw const *cell as u64);
        }
    }

    /// The instruction before this one has the number of a combined opcode that would have folded this
    /// one. Either its guard failed, which its counter tells, or this one was reached by a jump.
    fn unfold(&self) {
        let Some(rule) = self.meter.rule(self.number) else { return };
        let Some((distance, combined)) = rule.execution.unfolds else { return };
        let site = self.address - usize::from(distance);
        let shift = self.meter.opcodes().counter_shift();
        let failures = self.meter.sites().insist(|sites| sites.failures(site, counter(site), shift));
        if failures == 0 {
            return;
        }
        self.slot.add(offset::UNFOLDED + usize::from(combined) * 8, failures);
        if self.meter.counts_pairs() {
            let matrix = self.slot.state(State::Pairs).load(Relaxed) as usize;
            if pairs::last_row() == pairs::row(matrix, combined) {
                self.follows_base(combined);
            }
        }
        // The combined instruction has counted this one in its cell; its own dispatch will again.
        self.add_executions(0, failures.wrapping_neg());
        self.tell_unfolded(site, combined, failures);
        self.meter.missed((site, failures));
    }

    /// What is dispatched next follows the base of a combined opcode, which has folded nothing.
    fn follows_base(&self, combined: u8) {
        let opcodes = self.meter.opcodes();
        let base = opcodes.get(combined).and_then(|opcode| opcodes.named(opcode.base));
        if self.meter.counts_pairs()
            && let Some(base) = base
        {
            let matrix = self.slot.state(State::Pairs).load(Relaxed) as usize;
            pairs::set_last_row(pairs::row(matrix, base.number));
        }
    }

    /// Takes back one execution of what a combined opcode at this address was to execute besides.
    fn unfold_cells(&self, rule: &Rule) {
        for distance in rule.folded.into_iter().filter(|distance| *distance > 0) {
            self.add_executions(usize::from(distance), u64::MAX);
        }
    }

    /// Adds (or, wrapping, takes) executions of the instruction at an offset from this one. False where
    /// instructions are not counted by address.
    fn add_executions(&self, offset: usize, value: u64) -> bool {
        self.add_to_word(offset, if self.meter.is_timing() { cell_offset::TIMED } else { 0 }, value)
    }

    /// Adds (or, wrapping, takes) from what the cell of the code unit at an offset counts.
    fn add_to_cell(&self, offset: usize, value: u64) -> bool {
        self.add_to_word(offset, 0, value)
    }

    fn add_to_word(&self, offset: usize, word: usize, value: u64) -> bool {
        let place = self.meter.place(self.slot);
        let cell = self.meter.cells().and_then(|cells| cells.cell(self.address + offset, place));
        let Some(cell) = cell.filter(|_| self.meter.places()) else { return false };
        // SAFETY: a word of the cell; the others follow the first.
        let cell = unsafe { &*(&raw const *cell).byte_add(word) };
        cell.store(cell.load(Relaxed).wrapping_add(value), Relaxed);
        true
    }
}

fn byte(address: usize) -> u8 {
    // SAFETY: called for an address in code that is being executed.
    unsafe { (address as *const u8).read_volatile() }
}
