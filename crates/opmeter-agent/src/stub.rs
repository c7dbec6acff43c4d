//! Generating the stubs: the code that runs at every dispatch.
//!
//! A stub counts its opcode and jumps to where the table's entry pointed before. Most are two
//! instructions. The opcodes that `opmeter_opcodes::Execution` has rules for get a few comparisons more;
//! whatever happens seldom is done out of line, in [`crate::rare`].
//!
//! At a dispatch the flags are dead, as at every indirect jump between a compiler's blocks; all registers
//! are kept. Nothing lies below the stack pointer: the loop calls functions, so that it has no red zone.

use opmeter_live::{ROW_SIZE, State, offset};
use opmeter_opcodes::{Execution, Folding, Specialising};

use crate::assembler::{Assembler, Condition, Label, Mem, RAX, RCX, RDX, Reg};
use crate::cell_index::LEAF_BITS;
use crate::live::state_offset;
use crate::rare::Event;

/// What a stub needs to know of an opcode.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The opcode's number.
    pub number: u8,
    /// How its dispatches count.
    pub execution: Execution,
    /// Inline cache entries behind it.
    pub caches: u8,
    /// Which of the arrays for [`Folding::Next`] is its own.
    pub next_array: usize,
    /// Whether it is a form of another opcode, its base.
    pub derived: bool,
    /// How far behind it the instructions stand that it executes besides, in bytes; 0 for none.
    pub folded: [u8; 2],
}

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
    /// Bits of an address within a granule of the tables of biases.
    pub granule_bits: u32,
    /// Registers that need not be saved.
    pub free: [Option<Free>; 2],
    /// The address of the routine that saves all registers and calls [`crate::rare::enter`].
    pub gate: usize,
}

/// Writes the gate: saves every register, and calls `enter` with a pointer to them.
pub fn gate(a: &mut Assembler, enter: usize) {
    for number in (0..16).rev() {
        a.push(Reg(number));
    }
    a.raw(&[0x48, 0x89, 0xe7]); // mov rdi, rsp
    a.raw(&[0x48, 0x89, 0xe3]); // mov rbx, rsp
    a.raw(&[0x48, 0x83, 0xe4, 0xf0]); // and rsp, -16
    a.move_stack(-256);
    for number in 0..16 {
        vector_move(a, 0x11, number); // movups [rsp + 16 * number], xmm
    }
    a.raw(&[0xfc]); // cld
    a.raw(&[0x48, 0xb8]); // mov rax, enter
    a.raw(&enter.to_le_bytes());
    a.raw(&[0xff, 0xd0]); // call rax
    for number in 0..16 {
        vector_move(a, 0x10, number);
    }
    a.raw(&[0x48, 0x89, 0xdc]); // mov rsp, rbx
    for number in 0..16 {
        // The stack pointer's own value is passed over.
        if number == 4 { a.move_stack(8) } else { a.pop(Reg(number)) }
    }
    a.raw(&[0xc3]); // ret
}

fn vector_move(a: &mut Assembler, opcode: u8, number: u8) {
    if number >= 8 {
        a.raw(&[0x44]);
    }
    a.raw(&[0x0f, opcode, 0x84 | (number & 7) << 3, 0x24]);
    a.raw(&(i32::from(number) * 16).to_le_bytes());
}

/// Writes a stub that only reports its dispatch, for the time before the registers are known.
pub fn reporting_stub(a: &mut Assembler, number: u8, gate: usize, target: usize) -> usize {
    a.align();
    let start = a.here();
    report(a, gate, Event::Discover, number, RAX);
    a.jump_to(target);
    start
}

/// Calls [`crate::rare::enter`]. `reg` is the register that receives an answer, if the event has one.
fn report(a: &mut Assembler, gate: usize, event: Event, number: u8, reg: Reg) {
    a.push_value(i32::from(reg.0) << 16 | (event as i32) << 8 | i32::from(number));
    a.call(gate);
    a.move_stack(8);
}

impl StubSet {
    /// Writes the stub for one opcode and returns its address.
    pub fn stub(&self, a: &mut Assembler, rule: &Rule, target: usize) -> usize {
        a.align();
        let start = a.here();
        let mut stub = Stub { set: self, a, rule, slot: None, scratch: Vec::new(), later: Vec::new() };
        let (pushed, renewed) = stub.take_registers();
        stub.find_slot();
        let end = stub.a.label();
        if let Some(next) = self.next_instr {
            stub.follow_instruction(next, end);
        }
        if let Some(array) = stub.array() {
            let executions = stub.counter(array + usize::from(rule.number) * 8);
            stub.a.inc(executions);
        }
        if let Some(next) = self.next_instr.filter(|_| stub.has_cell()) {
            stub.count_cell(next);
        }
        if let Some(pairs) = self.pairs.filter(|_| rule.execution.is_instruction) {
            stub.count_pair(pairs);
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

impl NextInstr {
    /// Memory at an offset from the instruction.
    fn at(self, offset: i32) -> Mem {
        Mem::Base(self.reg, offset - i32::from(self.ahead))
    }

    /// The cell of the code unit at an offset from the instruction, given the bias.
    fn cell(self, bias: Reg, offset: i32) -> Mem {
        Mem::Quadrupled(bias, self.reg, 4 * (offset - i32::from(self.ahead)))
    }
}

/// Code that a stub needs seldom, written behind it.
struct Later {
    from: Label,
    steps: Vec<Step>,
    back: Label,
}

enum Step {
    /// Go back at once where the slot's word is not the register.
    UnlessState(State, Reg),
    /// Go back at once where the counter would specialise (again).
    UnlessCounterAbove(Mem, u16),
    /// Count a repetition, and forget what it repeated (3.11).
    Repeated,
    /// Call out; the register receives an answer, if there is one.
    Report(Event, Reg),
    /// Skip the count.
    End(Label),
    Remember(Reg),
}

struct Stub<'s> {
    set: &'s StubSet,
    a: &'s mut Assembler,
    rule: &'s Rule,
    /// The register with the slot's address, where each thread has its own.
    slot: Option<Reg>,
    /// Registers that may be overwritten.
    scratch: Vec<Reg>,
    later: Vec<Later>,
}

impl Stub<'_> {
    fn counter(&self, offset: usize) -> Mem {
        match (self.set.counters, self.slot) {
            (Counters::Shared(slot), _) => Mem::At(slot + offset),
            (Counters::PerThread(_), register) => Mem::Base(register.unwrap_or(RAX), offset as i32),
        }
    }

    fn state(&self, state: State) -> Mem {
        self.counter(state_offset(state))
    }

    /// The array that counts the opcode. A base opcode's executions stand in its instructions' cells.
    fn array(&self) -> Option<usize> {
        let execution = &self.rule.execution;
        if self.has_cell() {
            self.rule.derived.then_some(offset::EXECUTIONS)
        } else if execution.is_instruction && execution.has_place {
            Some(offset::UNPLACED)
        } else {
            Some(offset::EXECUTIONS)
        }
    }

    /// Whether the instruction is counted by its address.
    fn has_cell(&self) -> bool {
        let execution = &self.rule.execution;
        self.set.biases != Biases::None
            && self.set.next_instr.is_some()
            && execution.is_instruction
            && execution.has_place
    }

    /// Finds registers to work with: free ones, and others that are pushed. Returns those that were pushed,
    /// and those that must hold the opcode's number again.
    fn take_registers(&mut self) -> (Vec<Reg>, Vec<Reg>) {
        let for_slot = usize::from(matches!(self.set.counters, Counters::PerThread(_)));
        let for_cell = match self.set.biases {
            _ if !self.has_cell() => 0,
            Biases::None => 0,
            Biases::Flat(_) => 1,
            Biases::TwoLevel(_) | Biases::OfSlot => 2,
        };
        let for_cell = for_cell.max(match self.set.pairs {
            None => 0,
            Some(_) if self.rule.execution.folding == Folding::Next => 2,
            Some(_) => 1,
        });
        let next = self.set.next_instr.map(|next| next.reg);
        let free = |register: Reg| self.set.free.into_iter().flatten().find(|free| free.reg == register);
        let others = [RAX, RCX, RDX, Reg(6)].into_iter().filter(|r| Some(*r) != next && free(*r).is_none());
        let registers = self.set.free.into_iter().flatten().map(|free| free.reg).chain(others);
        self.scratch = registers.take(for_slot + for_cell).collect();
        let renewed = self.scratch.iter().filter(|r| free(**r).is_some_and(|free| free.holds_number));
        let renewed = renewed.copied().collect();
        let pushed: Vec<Reg> = self.scratch.iter().copied().filter(|r| free(*r).is_none()).collect();
        for register in &pushed {
            self.a.push(*register);
        }
        (pushed, renewed)
    }

    fn find_slot(&mut self) {
        let Counters::PerThread(thread) = self.set.counters else { return };
        let register = self.scratch.remove(0);
        self.slot = Some(register);
        let again = self.a.label();
        self.a.place(again);
        self.a.load(register, Mem::Thread(thread));
        self.a.test(register);
        self.out_of_line(Condition::Equal, vec![Step::Report(Event::NewThread, register)], Some(again));
    }

    /// Counts that this opcode has followed the last one.
    fn count_pair(&mut self, pairs: PairCells) {
        let row = self.scratch[0];
        let number = i32::from(self.rule.number);
        self.a.load(row, Mem::Thread(pairs.row));
        self.a.inc(Mem::Base(row, number * 8));
        // The row of a matrix for what is dispatched next.
        let next_row = |stub: &mut Self, row, number: i32| {
            let offset = number * ROW_SIZE as i32;
            match pairs.matrix {
                Some(matrix) => stub.a.address(row, Mem::At(matrix + offset as usize)),
                None => {
                    let matrix = stub.state(State::Pairs);
                    stub.a.load(row, matrix);
                    stub.a.address(row, Mem::Base(row, offset));
                }
            }
        };
        match (self.rule.execution.folding, self.set.next_instr) {
            (Folding::Next, Some(next)) => {
                // The one that is executed besides comes before it.
                let folded = self.scratch[1];
                self.a.load_byte(folded, next.at(i32::from(self.rule.folded[0])));
                self.a.shift_left(folded, ROW_SIZE.ilog2() as u8);
                next_row(self, row, 256);
                self.a.add(row, folded);
            }
            _ => next_row(self, row, number),
        }
        self.a.store(Mem::Thread(pairs.row), row);
    }

    /// Counts the instruction in its own cell, and those that it executes besides in theirs.
    fn count_cell(&mut self, next: NextInstr) {
        let bias = self.scratch[0];
        let bits = self.set.granule_bits as u8;
        match self.set.biases {
            Biases::None => return,
            Biases::Flat(table) => {
                // bias = [8 * ((16 * table + address) >> 7)], for granules of 7 bits.
                let base = ((table as u64 / 8) << bits).wrapping_sub(u64::from(next.ahead));
                self.a.value(bias, base);
                self.a.add(bias, next.reg);
                self.a.shift_right(bias, bits);
                self.a.load(bias, Mem::Scaled(bias));
            }
            Biases::TwoLevel(_) | Biases::OfSlot => {
                let other = self.scratch[1];
                match self.set.biases {
                    Biases::TwoLevel(root) => self.a.value(other, root as u64),
                    _ => {
                        let root = self.state(State::Biases);
                        self.a.load(other, root);
                    }
                }
                self.a.address(bias, next.at(0));
                self.a.shift_right(bias, LEAF_BITS as u8);
                self.a.load(bias, Mem::Indexed(other, bias, 0));
                self.a.test(bias);
                let found = self.a.label();
                self.a.jump_if(Condition::Equal, found);
                self.a.address(other, next.at(0));
                self.a.shift_right(other, bits);
                self.a.and(other, (1 << (LEAF_BITS - u32::from(bits))) - 1);
                self.a.load(bias, Mem::Indexed(bias, other, 0));
                self.a.place(found);
            }
        }
        self.a.test(bias);
        self.out_of_line(Condition::Equal, vec![Step::Report(Event::NewPlace, bias)], None);
        self.a.inc(next.cell(bias, 0));
        if self.rule.execution.generic {
            self.a.inc(next.cell(bias, 2));
        }
        for distance in self.rule.folded.into_iter().filter(|distance| *distance > 0) {
            self.a.inc(next.cell(bias, i32::from(distance)));
        }
    }

    /// Goes out of line on a condition, and comes back to `back`, or to the next instruction.
    fn out_of_line(&mut self, condition: Condition, steps: Vec<Step>, back: Option<Label>) {
        let from = self.a.label();
        self.a.jump_if(condition, from);
        let back = back.unwrap_or_else(|| {
            let here = self.a.label();
            self.a.place(here);
            here
        });
        self.later.push(Later { from, steps, back });
    }

    /// Everything that needs to know which instruction it is.
    fn follow_instruction(&mut self, address: NextInstr, end: Label) {
        let rule = *self.rule;
        if self.set.traced {
            self.follow_resumption(address, end);
        }
        self.follow_miss(address, end);
        self.follow_specialisation(address);
        if let Some((distance, combined)) = rule.execution.unfolds {
            self.a.compare_byte(address.at(-i32::from(distance)), combined);
            self.out_of_line(Condition::Equal, vec![Step::Report(Event::Unfold, RAX)], None);
        }
        if rule.execution.folding == Folding::Next {
            self.count_next(address);
        }
    }

    fn follow_resumption(&mut self, address: NextInstr, end: Label) {
        let last = self.state(State::LastTraced);
        if self.rule.execution.resumes {
            self.a.compare(last, address.reg);
            self.out_of_line(Condition::Equal, vec![Step::Report(Event::Resumed, RAX), Step::End(end)], None);
        }
        if self.rule.execution.is_instruction {
            self.a.store(last, address.reg);
        }
    }

    fn follow_miss(&mut self, address: NextInstr, end: Label) {
        let rule = self.rule;
        if rule.execution.follows_miss {
            self.a.compare_byte(address.at(0), rule.number);
            let steps = vec![
                Step::UnlessState(State::Last, address.reg),
                Step::Repeated,
                Step::Report(Event::Miss, RAX),
                Step::End(end),
            ];
            self.out_of_line(Condition::NotEqual, steps, None);
        }
        if rule.execution.parts {
            let last = self.state(State::Last);
            self.a.store_value(last, 0);
        }
        if rule.execution.can_miss {
            let (last, combined) = (self.state(State::Last), self.state(State::LastCombined));
            self.a.store(last, address.reg);
            if rule.execution.folding != Folding::None {
                self.a.store(combined, address.reg);
                let opcode = self.state(State::LastCombinedOpcode);
                self.a.store_value(opcode, i32::from(rule.number));
            } else if rule.execution.among_combined {
                // What is remembered of this address may be of code that is gone.
                self.a.store_value(combined, 0);
            }
        }
    }

    fn follow_specialisation(&mut self, address: NextInstr) {
        let pending = self.state(State::Pending);
        match self.rule.execution.specialising {
            Specialising::No => {}
            Specialising::Counter { trigger, looks } => {
                let counter = address.at(2);
                self.a.compare(pending, address.reg);
                let steps =
                    vec![Step::UnlessCounterAbove(counter, trigger), Step::Report(Event::Repeat, RAX)];
                self.out_of_line(Condition::Equal, steps, None);
                if looks {
                    self.a.compare_word(counter, trigger);
                    self.out_of_line(Condition::Below, vec![Step::Remember(address.reg)], None);
                }
            }
            Specialising::Once => {
                self.a.compare_byte(address.at(0), self.rule.number);
                self.out_of_line(Condition::Equal, vec![Step::Remember(address.reg)], None);
            }
            Specialising::Repetition => {
                self.a.compare(pending, address.reg);
                self.out_of_line(Condition::Equal, vec![Step::Report(Event::Repeat, RAX)], None);
            }
        }
    }

    /// Counts the instruction behind this one, by its number in memory.
    fn count_next(&mut self, address: NextInstr) {
        let array = self.counter(offset::NEXT + self.rule.next_array * 256 * 8);
        let mut free = [RAX, RCX, RDX].into_iter().filter(|r| *r != address.reg && Some(*r) != self.slot);
        let (Some(base), Some(index)) = (free.next(), free.next()) else { return };
        self.a.push(base);
        self.a.push(index);
        self.a.load_byte(index, address.at(2 * (1 + i32::from(self.rule.caches))));
        self.a.address(base, array);
        self.a.inc(Mem::Indexed(base, index, 0));
        self.a.pop(index);
        self.a.pop(base);
    }

    fn write_later(mut self) {
        for later in std::mem::take(&mut self.later) {
            self.a.place(later.from);
            for step in later.steps {
                match step {
                    Step::UnlessState(state, register) => {
                        let word = self.state(state);
                        self.a.compare(word, register);
                        self.a.jump_if(Condition::NotEqual, later.back);
                    }
                    Step::UnlessCounterAbove(counter, trigger) => {
                        self.a.compare_word(counter, trigger);
                        self.a.jump_if(Condition::Below, later.back);
                    }
                    Step::Repeated => {
                        let (repeated, last) = (self.counter(offset::REDISPATCHES), self.state(State::Last));
                        self.a.inc(repeated);
                        self.a.store_value(last, 0);
                    }
                    Step::Report(event, register) => {
                        report(self.a, self.set.gate, event, self.rule.number, register);
                    }
                    Step::End(end) => self.a.jump(end),
                    Step::Remember(register) => {
                        let (pending, opcode) =
                            (self.state(State::Pending), self.state(State::PendingOpcode));
                        self.a.store(pending, register);
                        self.a.store_value(opcode, i32::from(self.rule.number));
                        if let Some(pairs) = self.set.pairs {
                            let (row, word) = (self.scratch[0], self.state(State::PendingRow));
                            self.a.load(row, Mem::Thread(pairs.row));
                            self.a.store(word, row);
                        }
                    }
                }
            }
            self.a.jump(later.back);
        }
    }
}
