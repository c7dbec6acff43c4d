//! Counting instructions in their cells, and pairs of opcodes.

use opmeter_live::{ROW_SIZE, State, offset};
use opmeter_opcodes::Folding;

use super::writer::{Step, Stub};
use super::{Biases, Cell, NextInstr, PairCells};
use crate::assembler::{Condition, Mem, RAX, RCX, RDX, Reg};
use crate::cell_index::LEAF_BITS;
use crate::clock::cell_offset::TIMED;
use crate::gate::report;
use crate::rare::Event;

impl Stub<'_> {
    /// Counts that this opcode has followed the last one.
    pub(super) fn count_pair(&mut self, pairs: PairCells) {
        // Where the counter is read, the first register still holds the cell.
        let spare = &self.scratch[usize::from(self.set.reads_counter())..];
        let (row, folded) = (spare[0], spare.get(1).copied());
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
        match (self.rule.execution.folding, self.set.next_instr, folded) {
            (Folding::Next, Some(next), Some(folded)) => {
                // The one that is executed besides comes before it.
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
    pub(super) fn count_cell(&mut self, next: NextInstr) -> Cell {
        let bias = self.load_bias(next);
        self.a.test(bias);
        self.out_of_line(Condition::Equal, vec![Step::Report(Event::NewPlace, bias)], None);
        let cell = self.cell(next, bias);
        let timed = self.set.takes_times();
        let count = |stub: &mut Self, offset: i32| {
            stub.a.inc(if timed { cell.at(offset).plus(TIMED as i32) } else { cell.at(offset) });
        };
        count(self, 0);
        if self.rule.execution.generic {
            self.a.inc(cell.at(2));
        }
        for distance in self.rule.folded.into_iter().filter(|distance| *distance > 0) {
            count(self, i32::from(distance));
        }
        cell
    }

    /// The cells around the instruction, given their bias.
    fn cell(&mut self, next: NextInstr, bias: Reg) -> Cell {
        let timed = self.set.timing.is_some() && !self.set.tells_events();
        if timed {
            self.a.address(bias, Mem::Indexed(bias, next.reg, 0));
        }
        Cell { next, bias, timed }
    }

    /// Counts that the guard of the instruction has failed, in the cell of its second inline cache entry.
    pub(super) fn count_miss(&mut self, next: NextInstr) {
        let (unknown, counted) = (self.a.label(), self.a.label());
        let bias = self.load_bias(next);
        self.a.test(bias);
        self.a.jump_if(Condition::Equal, unknown);
        let cell = self.cell(next, bias);
        self.a.inc(cell.at(4));
        self.a.jump(counted);
        self.a.place(unknown);
        report(self.a, self.set.gate, Event::Miss, self.rule.number, RAX);
        self.a.place(counted);
    }

    /// Loads the bias of the instruction's cell, 0 where there is none, into a register.
    fn load_bias(&mut self, next: NextInstr) -> Reg {
        let bias = self.scratch[0];
        let bits = self.set.granule_bits as u8;
        match self.set.biases {
            Biases::None => self.a.small_value(bias, 0),
            Biases::Flat(table) => {
                match (i32::try_from(table), next.ahead) {
                    (Ok(_), 0) => self.a.copy(bias, next.reg),
                    (Ok(_), _) => self.a.address(bias, next.at(0)),
                    (Err(_), ahead) => {
                        // [8 * ((16 * table + address) >> 7)], for granules of 7 bits.
                        let base = ((table as u64 / 8) << bits).wrapping_sub(u64::from(ahead));
                        self.a.value(bias, base);
                        self.a.add(bias, next.reg);
                    }
                }
                self.a.shift_right(bias, bits);
                self.a.load(bias, Mem::Scaled(bias, i32::try_from(table).unwrap_or(0)));
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
        bias
    }

    /// Counts the instruction behind this one, by its number in memory.
    pub(super) fn count_next(&mut self, address: NextInstr) {
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
}
