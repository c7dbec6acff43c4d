//! Writing one stub: its registers, its slot, and what it does out of line.

use opmeter_live::{State, offset};

use super::{Biases, Counters, NextInstr, Rule, StubSet};
use crate::assembler::{Assembler, Condition, Label, Mem, RAX, RCX, RDX, Reg};
use crate::gate::report;
use crate::live::state_offset;
use crate::rare::Event;
use opmeter_opcodes::Folding;

/// Code that a stub needs seldom, written behind it.
pub(super) struct Later {
    pub(super) from: Label,
    pub(super) steps: Vec<Step>,
    pub(super) back: Label,
}

pub(super) enum Step {
    /// Go back at once where the slot's word is not the register.
    UnlessState(State, Reg),
    /// Go back at once where the counter would specialise (again).
    UnlessCounterAbove(Mem, u16),
    /// Count a repetition, and forget what it repeated (3.11).
    Repeated,
    /// Call out; the register receives an answer, if there is one.
    Report(Event, Reg),
    /// Count a miss in the cell of the instruction's second inline cache entry.
    CountMiss(NextInstr),
    /// Skip the count.
    End(Label),
    Remember(Reg),
}

pub(super) struct Stub<'s> {
    pub(super) set: &'s StubSet,
    pub(super) a: &'s mut Assembler,
    pub(super) rule: &'s Rule,
    /// The register with the slot's address, where each thread has its own.
    pub(super) slot: Option<Reg>,
    /// Registers that may be overwritten.
    pub(super) scratch: Vec<Reg>,
    pub(super) later: Vec<Later>,
}

impl Stub<'_> {
    pub(super) fn counter(&self, offset: usize) -> Mem {
        match (self.set.counters, self.slot) {
            (Counters::Shared(slot), _) => Mem::At(slot + offset),
            (Counters::PerThread(_), register) => Mem::Base(register.unwrap_or(RAX), offset as i32),
        }
    }

    pub(super) fn state(&self, state: State) -> Mem {
        self.counter(state_offset(state))
    }

    /// The array that counts the opcode. A base opcode's executions stand in its instructions' cells.
    pub(super) fn array(&self) -> Option<usize> {
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
    pub(super) fn has_cell(&self) -> bool {
        let execution = &self.rule.execution;
        self.set.biases != Biases::None
            && self.set.next_instr.is_some()
            && execution.is_instruction
            && execution.has_place
    }

    /// Finds registers to work with: free ones, and others that are pushed. Returns those that were pushed,
    /// and those that must hold the opcode's number again.
    pub(super) fn take_registers(&mut self) -> (Vec<Reg>, Vec<Reg>) {
        let for_slot = usize::from(matches!(self.set.counters, Counters::PerThread(_)));
        let for_cell = match self.set.biases {
            _ if !self.has_cell() => 0,
            Biases::None => 0,
            Biases::Flat(_) => 1,
            Biases::TwoLevel(_) | Biases::OfSlot => 2,
        };
        // Where the counter is read, the cell is needed to the end.
        let kept = usize::from(self.set.reads_counter());
        let for_cell = for_cell.max(match self.set.pairs {
            None => 0,
            Some(_) if self.rule.execution.folding == Folding::Next => kept + 2,
            Some(_) => kept + 1,
        });
        let next = self.set.next_instr.map(|next| next.reg);
        let free = |register: Reg| self.set.free.into_iter().flatten().find(|free| free.reg == register);
        let others =
            [RAX, RCX, RDX, Reg(6), Reg(7)].into_iter().filter(|r| Some(*r) != next && free(*r).is_none());
        let registers = self.set.free.into_iter().flatten().map(|free| free.reg).chain(others);
        if for_slot > 0 && self.set.reads_counter() {
            // Its register is needed to the end.
            self.scratch = [Reg(6), Reg(7)].into_iter().filter(|r| Some(*r) != next).take(1).collect();
        }
        let needed = for_slot + for_cell - self.scratch.len();
        let taken = self.scratch.first().copied();
        self.scratch.extend(registers.filter(|register| Some(*register) != taken).take(needed));
        let renewed = self.scratch.iter().filter(|r| free(**r).is_some_and(|free| free.holds_number));
        let renewed = renewed.copied().collect();
        let pushed: Vec<Reg> = self.scratch.iter().copied().filter(|r| free(*r).is_none()).collect();
        for register in &pushed {
            self.a.push(*register);
        }
        (pushed, renewed)
    }

    pub(super) fn find_slot(&mut self) {
        let Counters::PerThread(thread) = self.set.counters else { return };
        let register = self.scratch.remove(0);
        self.slot = Some(register);
        let again = self.a.label();
        self.a.place(again);
        self.a.load(register, Mem::Thread(thread));
        self.a.test(register);
        self.out_of_line(Condition::Equal, vec![Step::Report(Event::NewThread, register)], Some(again));
    }

    /// Goes out of line on a condition, and comes back to `back`, or to the next instruction.
    pub(super) fn out_of_line(&mut self, condition: Condition, steps: Vec<Step>, back: Option<Label>) {
        let from = self.a.label();
        self.a.jump_if(condition, from);
        let back = back.unwrap_or_else(|| {
            let here = self.a.label();
            self.a.place(here);
            here
        });
        self.later.push(Later { from, steps, back });
    }

    pub(super) fn write_later(mut self) {
        for later in std::mem::take(&mut self.later) {
            self.a.place(later.from);
            for step in later.steps {
                self.write_step(step, later.back);
            }
            self.a.jump(later.back);
        }
    }

    fn write_step(&mut self, step: Step, back: Label) {
        match step {
            Step::UnlessState(state, register) => {
                let word = self.state(state);
                self.a.compare(word, register);
                self.a.jump_if(Condition::NotEqual, back);
            }
            Step::UnlessCounterAbove(counter, trigger) => {
                self.a.compare_word(counter, trigger);
                self.a.jump_if(Condition::Below, back);
            }
            Step::Repeated => {
                let (repeated, last) = (self.counter(offset::REDISPATCHES), self.state(State::Last));
                self.a.inc(repeated);
                self.a.store_value(last, 0);
            }
            Step::CountMiss(address) => self.count_miss(address),
            Step::Report(event, register) => {
                report(self.a, self.set.gate, event, self.rule.number, register);
            }
            Step::End(end) => self.a.jump(end),
            Step::Remember(register) => {
                let (pending, opcode) = (self.state(State::Pending), self.state(State::PendingOpcode));
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
}
