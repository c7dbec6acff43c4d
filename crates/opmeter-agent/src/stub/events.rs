//! Telling every execution as an event.

use opmeter_live::{CHUNK_SIZE, Executed, RING_RECORD, RingRecord};
use opmeter_opcodes::Leaves;

use super::Cell;
use super::timing::Timing;
use super::writer::{Step, Stub};
use crate::assembler::{Condition, Mem, RAX, RCX};
use crate::rare::Event;

/// Where stubs tell events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventCells {
    /// Where the address of the next record is, from the thread's segment base.
    pub next: i32,
    /// The address of the word with the process's phase.
    pub phase: usize,
}

const _: () = assert!(CHUNK_SIZE == 1 << 16, "the lower half of a half word tells where a chunk is full");

impl Stub<'_> {
    /// Writes the record of this dispatch.
    pub(super) fn tell_event(&mut self, timing: Timing, cells: EventCells, cell: Option<Cell>) {
        let executed = match cell {
            Some(cell) => {
                let register = if cell.bias == RCX { RAX } else { cell.bias };
                self.a.address(register, cell.at(0));
                register
            }
            None => RAX,
        };
        match (self.rule.execution.is_instruction, cell) {
            (false, _) => self.a.value(RAX, RingRecord::Hook.word()),
            (true, None) => self.a.load(RAX, Mem::At(cells.phase)),
            (true, Some(_)) => {}
        }
        self.a.load(RCX, Mem::Thread(cells.next));
        self.a.test_word(RCX);
        self.out_of_line(Condition::Equal, vec![Step::Report(Event::Chunk, RCX)], None);
        let word = Mem::Base(RCX, 8);
        self.a.store(word, executed);
        if self.rule.execution.is_instruction {
            debug_assert_eq!(Executed::new(0, 1).0, 1 << 56);
            self.a.store_byte(word.plus(7), self.rule.number);
        }
        if self.rule.execution.leaves != Leaves::Never {
            self.a.store_value(Mem::Thread(timing.clock.stack), 0);
        }
        self.a.read_counter();
        self.a.subtract_from(RAX, Mem::Thread(timing.clock.paused));
        // The time last: now the record is whole.
        self.a.store(Mem::Base(RCX, 0), RAX);
        self.a.add_value(RCX, RING_RECORD as i8);
        self.a.store(Mem::Thread(cells.next), RCX);
    }
}
