//! What a stub does seldom, out of line: repetitions, failed guards, new threads.

use std::sync::atomic::Ordering::Relaxed;

use opmeter_live::{State, offset};
use opmeter_opcodes::Folding;

use crate::discovery;
use crate::live::Slot;
use crate::meter::{self, Meter};
use crate::thread;

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
    /// 3.11: a combined instruction's guard failed, and its base is dispatched.
    Miss,
    /// A frame's first instruction is dispatched again after its code was instrumented.
    Resumed,
    /// An instruction is dispatched that a combined opcode right before it should have folded.
    Unfold,
}

const EVENTS: [Event; 6] =
    [Event::Discover, Event::NewThread, Event::Repeat, Event::Miss, Event::Resumed, Event::Unfold];

/// What the gate leaves on the stack: all registers by number, the return address, and which stub it was.
#[repr(C)]
pub struct Frame {
    /// Registers by the machine's number.
    pub registers: [usize; 16],
    back: usize,
    word: usize,
}

/// Called by the gate. No panic leaves it: whatever goes wrong, the program runs on.
pub extern "C" fn enter(frame: *const Frame) {
    // SAFETY: the gate passes a pointer to the registers that it has just saved.
    let frame = unsafe { &*frame };
    let (event, number) = (frame.word >> 8 & 0xff, frame.word as u8);
    let Some(event) = EVENTS.get(event).copied() else { return };
    let _ = std::panic::catch_unwind(|| {
        let Some(meter) = meter::get() else { return };
        match event {
            Event::Discover => discovery::observe(meter, frame, number),
            Event::NewThread => thread::give_slot(meter),
            event => Occurrence::of(meter, frame, number).handle(event),
        }
    });
}

struct Occurrence<'m> {
    meter: &'m Meter,
    slot: Slot,
    address: usize,
    number: u8,
}

impl<'m> Occurrence<'m> {
    fn of(meter: &'m Meter, frame: &Frame, number: u8) -> Self {
        let address = meter.next_instr().map_or(0, |register| frame.registers[usize::from(register.0)]);
        Self { meter, slot: thread::slot(meter), address, number }
    }

    fn handle(&self, event: Event) {
        match event {
            Event::Repeat => self.repeat(),
            Event::Miss => self.miss(),
            Event::Resumed => self.slot.add(offset::REDISPATCHES, 1),
            Event::Unfold => self.unfold(),
            Event::Discover | Event::NewThread => {}
        }
    }

    /// The dispatch before this one at the same address did nothing but specialise: it is not counted.
    fn repeat(&self) {
        let first = self.slot.state(State::PendingOpcode).load(Relaxed) as usize & 0xff;
        self.slot.state(State::Pending).store(0, Relaxed);
        self.slot.add(offset::EXECUTIONS + first * 8, u64::MAX);
        self.slot.add(offset::REDISPATCHES, 1);
        if self.meter.opcodes().unfolds() {
            let folds = self.meter.folding(self.number) != Folding::None;
            self.meter.with_sites(|sites| match folds {
                true => sites.insert(self.address, counter(self.address)),
                false => sites.remove(&self.address),
            });
        }
    }

    /// A combined opcode's guard failed: it was counted, but has folded nothing.
    fn miss(&self) {
        self.slot.state(State::LastCombined).store(0, Relaxed);
        let number = self.slot.state(State::LastCombinedOpcode).load(Relaxed) as u8;
        if self.meter.folding(number) == Folding::Next {
            let Some(rule) = self.meter.rule(number) else { return };
            let next = byte(self.address + 2 * (1 + usize::from(rule.caches)));
            let array = offset::NEXT + rule.next_array * 256 * 8;
            self.slot.add(array + usize::from(next) * 8, u64::MAX);
        } else {
            self.slot.add(offset::UNFOLDED + usize::from(number) * 8, 1);
        }
    }

    /// The instruction before this one has the number of a combined opcode that would have folded this
    /// one. Either its guard failed, which its counter tells, or this one was reached by a jump.
    fn unfold(&self) {
        let Some(rule) = self.meter.rule(self.number) else { return };
        let Some((distance, combined)) = rule.execution.unfolds else { return };
        let site = self.address - usize::from(distance);
        self.meter.with_sites(|sites| {
            let Some(known) = sites.get_mut(&site) else { return };
            let now = counter(site);
            let failures = known.wrapping_sub(now) >> self.meter.opcodes().counter_shift();
            self.slot.add(offset::UNFOLDED + usize::from(combined) * 8, u64::from(failures));
            *known = now;
        });
    }
}

/// The adaptive counter of the instruction at an address: its first inline cache entry.
fn counter(address: usize) -> u16 {
    // SAFETY: called for the address of an instruction that is being executed and has inline caches.
    unsafe { ((address + 2) as *const u16).read_volatile() }
}

fn byte(address: usize) -> u8 {
    // SAFETY: called for an address in code that is being executed.
    unsafe { (address as *const u8).read_volatile() }
}
