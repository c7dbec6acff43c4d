//! Telling dispatches that repeat an instruction from new executions; see `opmeter_opcodes::Execution`.

use opmeter_live::State;
use opmeter_opcodes::{Folding, Specialising};

use super::NextInstr;
use super::writer::{Step, Stub};
use crate::assembler::{Condition, Label, RAX};
use crate::rare::Event;

impl Stub<'_> {
    /// Everything that needs to know which instruction it is.
    pub(super) fn follow_instruction(&mut self, address: NextInstr, end: Label) {
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

    pub(super) fn follow_resumption(&mut self, address: NextInstr, end: Label) {
        let last = self.state(State::LastTraced);
        if self.rule.execution.resumes {
            self.a.compare(last, address.reg);
            self.out_of_line(Condition::Equal, vec![Step::Report(Event::Resumed, RAX), Step::End(end)], None);
        }
        if self.rule.execution.is_instruction {
            self.a.store(last, address.reg);
        }
    }

    pub(super) fn follow_miss(&mut self, address: NextInstr, end: Label) {
        let rule = self.rule;
        if rule.execution.follows_miss {
            self.a.compare_byte(address.at(0), rule.number);
            let count = match rule.execution.misses_in_cell && self.has_cell() {
                true => Step::CountMiss(address),
                false => Step::Report(Event::Miss, RAX),
            };
            let steps =
                vec![Step::UnlessState(State::Last, address.reg), Step::Repeated, count, Step::End(end)];
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

    pub(super) fn follow_specialisation(&mut self, address: NextInstr) {
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
}
