//! Taking times.
//!
//! Two things hide the accounting behind the reading of the counter, which takes some 25 cycles: the time of
//! a dispatch is kept in a ring, and what is accounted for is the dispatch that lies [`DELAY`] back. On
//! processors that read the counter only when all instructions before it are done, whatever depends on the
//! latest times would make the next reading wait.

use opmeter_live::{State, time_offset};
use opmeter_opcodes::Leaves;

use super::events::EventCells;
use super::writer::{Step, Stub};
use super::{Cell, StubSet};
use crate::assembler::{Condition, Mem, RAX, RCX, RDX, RSP, Reg};
use crate::clock::{self, ClockOffsets, DELAY, ENTRY, cell_offset};
use crate::rare::Event;

/// How stubs take part in timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Where the thread's clock is.
    pub clock: ClockOffsets,
    /// What they do.
    pub slice: Slice,
    /// Where the times of all opcodes are; none where they are those of the slot.
    pub blocks: Option<usize>,
    /// Where events are told.
    pub events: Option<EventCells>,
}

/// What stubs do in a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slice {
    /// They take times.
    Timed,
    /// They count.
    Counted,
    /// They count, and look whether the thread's last dispatch was timed and waits for this one.
    Settling,
    /// They count, and tell every dispatch as an event. There are no other slices then.
    Told,
}

impl StubSet {
    /// Whether stubs read the time-stamp counter.
    pub(super) fn reads_counter(&self) -> bool {
        self.timing.is_some_and(|timing| matches!(timing.slice, Slice::Timed | Slice::Told))
    }

    /// Whether stubs tell events.
    pub(super) fn tells_events(&self) -> bool {
        self.timing.is_some_and(|timing| timing.slice == Slice::Told)
    }

    /// Whether stubs take times.
    pub(super) fn takes_times(&self) -> bool {
        self.timing.is_some_and(|timing| timing.slice == Slice::Timed)
    }
}

impl Stub<'_> {
    /// Before anything else: is this dispatch one that has to be looked at?
    pub(super) fn look_at_dispatch(&mut self) {
        let Some(timing) = self.set.timing else { return };
        match timing.slice {
            Slice::Counted => {}
            Slice::Settling => {
                self.a.compare_value(Mem::Thread(timing.clock.waiting), 0);
                self.out_of_line(Condition::NotEqual, vec![Step::Report(Event::Settle, RAX)], None);
            }
            Slice::Timed | Slice::Told => {
                self.a.compare(Mem::Thread(timing.clock.stack), RSP);
                self.out_of_line(Condition::NotEqual, vec![Step::Report(Event::Look, RAX)], None);
            }
        }
    }

    /// Counts a step down.
    pub(super) fn count_step(&mut self) {
        if self.set.timing.is_some() && !self.set.tells_events() && self.rule.execution.is_step {
            let steps = self.state(State::Steps);
            self.a.dec(steps);
            self.out_of_line(Condition::NotAbove, vec![Step::Report(Event::Steps, RAX)], None);
        }
    }

    /// Saves the registers that reading the counter and what goes with it uses, but for those that are free or saved already.
    pub(super) fn save_for_counter(&mut self, pushed: &mut Vec<Reg>, renewed: &mut Vec<Reg>) {
        for register in [RAX, RCX, RDX] {
            let free = self.set.free.into_iter().flatten().find(|free| free.reg == register);
            match free {
                Some(free) if free.holds_number && !renewed.contains(&register) => renewed.push(register),
                None if !pushed.contains(&register) => {
                    self.a.push(register);
                    pushed.push(register);
                }
                _ => {}
            }
        }
    }

    /// Keeps the dispatch in the thread's ring, accounts for an earlier one, and reads the counter.
    pub(super) fn take_time(&mut self, timing: Timing, cell: Option<Cell>) {
        let clock = timing.clock;
        let cell = match cell {
            None => {
                self.a.value(RAX, clock::nothing() as u64);
                RAX
            }
            Some(cell) => {
                let register = if cell.bias == RCX { RAX } else { cell.bias };
                self.a.address(register, cell.at(0));
                register
            }
        };
        // The dispatch, but for its time.
        self.a.load(RCX, Mem::Thread(clock.next));
        self.a.store(Mem::ThreadPlus(RCX, clock.cells), cell);
        let block = if cell == RDX { RAX } else { RDX };
        self.load_block(timing, block);
        self.a.inc(Mem::Base(block, time_offset::EXECUTIONS as i32));
        self.a.store(Mem::ThreadPlus(RCX, clock.blocks), block);
        let all = self.state(State::Segments);
        self.a.address(RDX, all);
        self.a.store(Mem::ThreadPlus(RCX, clock.all), RDX);
        // The segment that began with an earlier one.
        let back = |entries: usize| -((entries * ENTRY) as i32);
        self.a.address(RDX, Mem::Base(RCX, back(DELAY)));
        self.a.low_byte(RDX);
        self.a.address(RAX, Mem::Base(RCX, back(DELAY - 1)));
        self.a.low_byte(RAX);
        self.a.load(RAX, Mem::ThreadPlus(RAX, clock.times));
        self.a.subtract_from(RAX, Mem::ThreadPlus(RDX, clock.times));
        self.a.load(RCX, Mem::ThreadPlus(RDX, clock.all));
        self.a.inc(Mem::Base(RCX, 0));
        self.a.add_to(Mem::Base(RCX, 8), RAX);
        self.a.load(RCX, Mem::ThreadPlus(RDX, clock.cells));
        self.a.load(RDX, Mem::ThreadPlus(RDX, clock.blocks));
        self.a.inc(Mem::Base(RCX, cell_offset::SEGMENTS as i32));
        self.a.add_to(Mem::Base(RCX, cell_offset::CYCLES as i32), RAX);
        self.a.inc(Mem::Base(RDX, time_offset::SEGMENTS as i32));
        self.a.add_to(Mem::Base(RDX, time_offset::CYCLES as i32), RAX);
        // Its bucket (`opmeter_live::bucket`).
        self.a.copy(RCX, RAX);
        self.a.or(RCX, 32);
        self.a.highest_bit(RCX);
        self.a.add_value(RCX, -5);
        self.a.shift_right_by_cl(RAX);
        self.a.shift_left(RCX, 5);
        self.a.add(RAX, RCX);
        self.a.inc(Mem::Indexed(RDX, RAX, time_offset::HISTOGRAM as i32));
        // The time.
        self.a.load(RCX, Mem::Thread(clock.next));
        self.a.address(RDX, Mem::Base(RCX, ENTRY as i32));
        self.a.low_byte(RDX);
        self.a.store(Mem::Thread(clock.next), RDX);
        self.a.store_value(Mem::Thread(clock.waiting), 1);
        if self.rule.execution.leaves != Leaves::Never {
            self.a.store_value(Mem::Thread(clock.stack), 0);
        }
        self.a.read_counter();
        self.a.subtract_from(RAX, Mem::Thread(clock.paused));
        self.a.store(Mem::ThreadPlus(RCX, clock.times), RAX);
    }

    /// Loads the address of the opcode's block of times.
    fn load_block(&mut self, timing: Timing, register: Reg) {
        let offset = usize::from(self.rule.number) * opmeter_live::TIME_BLOCK_SIZE;
        match timing.blocks {
            Some(blocks) => self.a.address(register, Mem::At(blocks + offset)),
            None => {
                let blocks = self.state(State::Times);
                self.a.load(register, blocks);
                self.a.address(register, Mem::Base(register, offset as i32));
            }
        }
    }
}
