//! Sets of stubs: making them, and pointing the interpreter's tables to one.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering;

use opmeter_live::State;

use super::{GATE_LENGTH, Meter, SET_LENGTH};
use crate::assembler::Assembler;
use crate::dispatch_table::ENTRIES;
use crate::executable_memory::{install_code, patch, patch_some};
use crate::stub::{Biases, Counters, PairCells, Slice, StubSet};
use crate::switch_table::Form;
use crate::{gate, pairs, rare, thread};

#[derive(Default)]
pub(super) struct Installed {
    /// Stub addresses by set: dispatch table entries, then those of the switch.
    sets: HashMap<Set, (Vec<usize>, Vec<usize>)>,
    present: Option<Set>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Set {
    Discovering,
    Counting {
        traced: bool,
        per_thread: bool,
        placed: bool,
        /// Whether places are found in the flat table.
        flat: bool,
        slice: Option<Slice>,
    },
}

impl Meter {
    pub(super) fn gate_address(&self) -> usize {
        self.code
    }

    pub(super) fn install_gate(&self) -> io::Result<()> {
        let mut assembler = Assembler::new(self.gate_address());
        gate::gate(&mut assembler, rare::enter as *const () as usize);
        let code = assembler.finish().ok_or_else(out_of_reach)?;
        install_code(self.gate_address(), &code)
    }

    /// Points the tables to the set of stubs that fits what is known now. Once it returns, they are.
    pub(super) fn update(&self) -> io::Result<()> {
        // What is known is asked for under the lock: who comes last knows most.
        self.installed.insist(|installed| self.go_over_to(self.fitting(), installed))
    }

    fn fitting(&self) -> Set {
        if self.registers.get().is_none() {
            return Set::Discovering;
        }
        let per_thread = self.parallel.load(Ordering::Relaxed);
        let placed = self.places();
        let has_flat = self.cells.as_ref().is_some_and(|cells| cells.index.flat().is_some());
        Set::Counting {
            traced: self.traced.load(Ordering::Relaxed),
            per_thread,
            placed,
            flat: has_flat && placed && !per_thread,
            slice: self.slice(),
        }
    }

    fn go_over_to(&self, set: Set, installed: &mut Installed) -> io::Result<()> {
        if installed.present == Some(set) {
            return Ok(());
        }
        if !installed.sets.contains_key(&set) {
            let address = self.code + GATE_LENGTH + installed.sets.len() * SET_LENGTH;
            let made = self.make(set, address)?;
            installed.sets.insert(set, made);
        }
        if let Some((entries, cases)) = installed.sets.get(&set) {
            self.point_to(entries, cases)?;
            installed.present = Some(set);
        }
        Ok(())
    }

    pub(super) fn make(&self, set: Set, address: usize) -> io::Result<(Vec<usize>, Vec<usize>)> {
        let mut assembler = Assembler::new(address);
        let registers = self.registers.get().copied();
        let counters = match set {
            Set::Counting { per_thread: true, .. } => {
                Counters::PerThread(thread::slot_offset().ok_or_else(out_of_reach)?)
            }
            _ => Counters::Shared(self.first_slot.0),
        };
        let stubs = StubSet {
            counters,
            traced: matches!(set, Set::Counting { traced: true, .. }),
            next_instr: registers.and_then(|registers| registers.next_instr),
            pairs: if self.pairs { Some(self.pair_cells(set).ok_or_else(out_of_reach)?) } else { None },
            biases: self.biases(set),
            timing: match set {
                Set::Counting { slice: Some(slice), per_thread, .. } => {
                    Some(self.timing(slice, per_thread).ok_or_else(out_of_reach)?)
                }
                _ => None,
            },
            granule_bits: self.cells.as_ref().map_or(0, |cells| cells.index.granule_bits),
            free: registers.map_or([None; 2], |registers| registers.free),
            gate: self.gate_address(),
        };
        let mut stub = |number: u8, target: usize| match &self.rules[usize::from(number)] {
            None => target,
            Some(_) if set == Set::Discovering => {
                gate::reporting_stub(&mut assembler, number, self.gate_address(), target)
            }
            Some(rule) => stubs.stub(&mut assembler, rule, target),
        };
        let entries = (0..=255u8).map(|n| stub(n, self.dispatch.targets[usize::from(n)])).collect();
        let cases =
            self.switch.iter().flat_map(|switch| &switch.targets).map(|(n, target)| stub(*n, *target));
        let cases = cases.collect();
        let code = assembler.finish().filter(|code| code.len() <= SET_LENGTH).ok_or_else(out_of_reach)?;
        install_code(address, &code)?;
        Ok((entries, cases))
    }

    pub(super) fn pair_cells(&self, set: Set) -> Option<PairCells> {
        let row = pairs::row_offset()?;
        let shared = !matches!(set, Set::Counting { per_thread: true, .. });
        let matrix = self.first_slot.state(State::Pairs).load(Ordering::Relaxed) as usize;
        Some(PairCells { row, matrix: shared.then_some(matrix) })
    }

    pub(super) fn biases(&self, set: Set) -> Biases {
        let Some(cells) = &self.cells else { return Biases::None };
        match (set, cells.index.flat()) {
            (Set::Counting { placed: false, .. }, _) => Biases::None,
            (Set::Counting { per_thread: true, .. }, _) => {
                self.give_biases(self.first_slot);
                let given = self.first_slot.state(State::Biases).load(Ordering::Relaxed) != 0;
                if given { Biases::OfSlot } else { Biases::None }
            }
            (Set::Counting { flat: true, .. }, Some(table)) => Biases::Flat(table),
            _ => self.shared_root.get().map_or(Biases::None, |root| Biases::TwoLevel(*root)),
        }
    }

    pub(super) fn point_to(&self, entries: &[usize], cases: &[usize]) -> io::Result<()> {
        debug_assert_eq!(entries.len(), ENTRIES);
        let protection = |address| self.interpreter.module.protection(address);
        // SAFETY: every entry, old or new, ends at the handler of its opcode.
        unsafe { patch(self.dispatch.address, entries, protection(self.dispatch.address))? };
        let Some(switch) = &self.switch else { return Ok(()) };
        let targets = switch.targets.iter().map(|(number, _)| *number).zip(cases.iter().copied());
        let places = targets.map(|(number, target)| (usize::from(number - switch.first), target));
        let protection = protection(switch.address);
        match switch.form {
            Form::Offsets => {
                let offset = |target| i32::try_from(target as i128 - switch.address as i128);
                let places: Result<Vec<_>, _> =
                    places.map(|(index, target)| offset(target).map(|offset| (index, offset))).collect();
                // SAFETY: as above.
                unsafe { patch_some(switch.address, &places.map_err(|_| out_of_reach())?, protection) }
            }
            Form::Addresses => {
                // SAFETY: as above.
                unsafe { patch_some(switch.address, &places.collect::<Vec<_>>(), protection) }
            }
        }
    }
}

fn out_of_reach() -> io::Error {
    io::Error::other("no free memory within 2 GiB of the interpreter")
}
