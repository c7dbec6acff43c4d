//! Generating the stubs: the code that runs at every dispatch.
//!
//! A stub counts and jumps to where the table's entry pointed before. Most count in the cell of their
//! instruction alone; forms of other opcodes also in a counter of their own. The opcodes that
//! `opmeter_opcodes::Execution` has rules for get a few comparisons more; whatever happens seldom is done out
//! of line, in [`crate::rare`].
//!
//! At a dispatch the flags are dead, as at every indirect jump between a compiler's blocks; all registers
//! are kept. Nothing lies below the stack pointer: the loop calls functions, so that it has no red zone.

mod counting;
mod events;
#[cfg(test)]
mod kept_registers;
mod repetition;
mod rule;
mod timing;
mod writer;

use crate::assembler::{Assembler, Mem, Reg};
use writer::Stub;

pub use events::EventCells;
pub use rule::Rule;
pub use timing::{Slice, Timing};

/// The register with the address of the instruction that is being dispatched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextInstr {
    /// The register.
    pub reg: Reg,
    /// How far ahead of the instruction it points, in bytes.
    pub ahead: u8,
}

/// A register that a stub may use without saving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// The register.
    pub reg: Reg,
    /// Whether handlers may expect the opcode's number in it; otherwise they expect nothing.
    pub holds_number: bool,
}

/// Where a stub finds the bias of an instruction's cell; see [`crate::cell_index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Biases {
    /// Nowhere: instructions are not counted by address.
    None,
    /// In the flat table at this address.
    Flat(usize),
    /// In the two-level table at this address.
    TwoLevel(usize),
    /// In the two-level table whose address stands in the slot.
    OfSlot,
}

/// Where a set of stubs counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counters {
    /// In the slot at this address: one thread at a time runs bytecode.
    Shared(usize),
    /// In the slot whose address stands at this offset from the thread's segment base, 0 where the
    /// thread has none yet.
    PerThread(i32),
}

/// Where a stub counts pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairCells {
    /// Where the row of the last opcode stands, from the thread's segment base.
    pub row: i32,
    /// The matrix that all threads share; none where it is that of the slot.
    pub matrix: Option<usize>,
}

/// A set of stubs.
#[derive(Debug, Clone, Copy)]
pub struct StubSet {
    /// Where it counts.
    pub counters: Counters,
    /// Whether code is being traced or monitored, so that a frame's first instruction may be repeated.
    pub traced: bool,
    /// The register that holds the instruction's address at a dispatch, if known.
    pub next_instr: Option<NextInstr>,
    /// Where it counts pairs, if it does.
    pub pairs: Option<PairCells>,
    /// Where it finds the instruction's cell.
    pub biases: Biases,
    /// How it takes part in timing, where times are taken.
    pub timing: Option<Timing>,
    /// Bits of an address within a granule of the tables of biases.
    pub granule_bits: u32,
    /// Registers that need not be saved.
    pub free: [Option<Free>; 2],
    /// The address of the routine that saves all registers and calls [`crate::rare::enter`].
    pub gate: usize,
}

impl StubSet {
    /// Writes the stub for one opcode and returns its address.
    pub fn stub(&self, a: &mut Assembler, rule: &Rule, target: usize) -> usize {
        a.align();
        let start = a.here();
        let mut stub = Stub { set: self, a, rule, slot: None, scratch: Vec::new(), later: Vec::new() };
        stub.look_at_dispatch();
        let (mut pushed, mut renewed) = stub.take_registers();
        if self.reads_counter() {
            stub.save_for_counter(&mut pushed, &mut renewed);
        }
        stub.find_slot();
        let end = stub.a.label();
        if let Some(next) = self.next_instr {
            stub.follow_instruction(next, end);
        }
        // The cell first: that it must be found may take long, and the process may end meanwhile.
        if !self.takes_times() {
            stub.count_step();
        }
        let cell = self.next_instr.filter(|_| stub.has_cell()).map(|next| stub.count_cell(next));
        if let Some(array) = stub.array() {
            let executions = stub.counter(array + usize::from(rule.number) * 8);
            stub.a.inc(executions);
        }
        if let Some(pairs) = self.pairs.filter(|_| rule.execution.is_instruction) {
            stub.count_pair(pairs);
        }
        if let Some(timing) = self.timing.filter(|_| self.takes_times()) {
            stub.take_time(timing, cell);
            stub.count_step();
        }
        if let Some(timing) = self.timing
            && let Some(events) = timing.events
        {
            stub.tell_event(timing, events, cell);
        }
        stub.a.place(end);
        for register in pushed.into_iter().rev() {
            stub.a.pop(register);
        }
        for register in renewed {
            stub.a.small_value(register, u32::from(rule.number));
        }
        stub.a.jump_to(target);
        stub.write_later();
        start
    }
}

/// The cells around an instruction, as a stub finds them.
#[derive(Debug, Clone, Copy)]
struct Cell {
    next: NextInstr,
    /// The register with the bias; where cells have times, with eight times the instruction's address added.
    bias: Reg,
    /// Whether cells have times.
    timed: bool,
}

impl Cell {
    /// The cell of the code unit at an offset from the instruction.
    fn at(self, offset: i32) -> Mem {
        let offset = offset - i32::from(self.next.ahead);
        match self.timed {
            false => Mem::Quadrupled(self.bias, self.next.reg, 4 * offset),
            true => Mem::Indexed(self.bias, self.next.reg, 16 * offset),
        }
    }
}

impl NextInstr {
    /// Memory at an offset from the instruction.
    fn at(self, offset: i32) -> Mem {
        Mem::Base(self.reg, offset - i32::from(self.ahead))
    }
}
