//! Where instructions are counted: the meter's side of [`crate::cells`].

use std::path::Path;
use std::sync::atomic::Ordering;

use opmeter_live::{State, Word, offset};

use super::Meter;
use crate::cell_index::LEAF_BITS;
use crate::cells::Place;
use crate::live::Slot;
use crate::sites::Sites;
use crate::thread;

impl Meter {
    /// Whether instructions are counted by address now.
    pub fn places(&self) -> bool {
        !self.unplaced.load(Ordering::Relaxed)
    }

    /// Which table of biases serves the slot of the calling thread: the one that its stubs look in. While
    /// threads are about to get counters of their own, those that have none yet run on in the shared ones.
    pub fn place(&self, slot: Slot) -> Place {
        let root = match thread::counts_apart() {
            true => slot.state(State::Biases).load(Ordering::Relaxed) as usize,
            false => self.shared_root.get().copied().unwrap_or(0),
        };
        Place { slot, root }
    }

    /// The bias for an instruction that is about to be executed and has none yet.
    ///
    /// `number` is the opcode that is being dispatched, which counts in the cell next.
    pub fn new_place(&self, address: usize, slot: Slot, number: u8) -> u64 {
        let Some(cells) = &self.cells else { return 0 };
        let bias = cells.find(address, self.place(slot));
        let lost = cells.lost();
        if lost > 0 {
            // The disk is full, or memory is used up. Opcodes are counted alone from now on; where there is no room for
            // the stubs that do that, each execution comes here.
            self.with_live(|live| {
                live.set(Word::LostCode, lost);
                live.set(Word::LostCodeError, cells.refusal() as u64);
            });
            self.unplaced.store(true, Ordering::Relaxed);
            if self.update().is_err() {
                self.unplaced.store(false, Ordering::Relaxed);
            }
            // This one counts in a cell that nobody reads.
            let offset = usize::from(number) * 8;
            slot.add(offset::UNPLACED + offset, 1);
            if self.rule(number).is_some_and(|rule| rule.derived) {
                slot.add(offset::EXECUTIONS + offset, u64::MAX);
            }
        }
        bias
    }

    /// Leaves the flat table for one of two levels, which takes little address space. The calling thread holds the
    /// interpreter's lock, so that no other thread is in a stub.
    ///
    /// Entries are not taken over: the next execution of an instruction finds its place again.
    pub fn leave_flat(&self) {
        let Some(cells) = &self.cells else { return };
        let Some(flat) = cells.index.take_flat() else { return };
        let root = self.shared_root.get().copied().or_else(|| cells.index.add_root().ok());
        let has_root = root.is_some_and(|root| *self.shared_root.get_or_init(|| root) == root);
        if !has_root || self.update().is_err() {
            cells.index.put_flat(&flat);
            let _ = self.update();
            return;
        }
        self.with_live(|live| {
            // Where it was told from outside where the table is.
            if live.word(Word::BiasTable).load(Ordering::Relaxed) == flat.start as u64 {
                live.set(Word::BiasTable, root.unwrap_or(0) as u64);
                live.set(Word::LeafBits, u64::from(LEAF_BITS));
            }
        });
        // SAFETY: the range of the table, which nobody reads any more.
        unsafe { libc::munmap(flat.start as *mut libc::c_void, flat.len()) };
    }

    /// Gives a slot its own table of biases, where threads run in parallel.
    pub fn give_biases(&self, slot: Slot) {
        let word = slot.state(State::Biases);
        let Some(cells) = &self.cells else { return };
        if word.load(Ordering::Relaxed) != 0 {
            return;
        }
        match cells.index.add_root() {
            Ok(root) => word.store(root as u64, Ordering::Relaxed),
            Err(_) => {
                // It counts in the cells of the first thread: increments may be lost.
                let first = self.first_slot.state(State::Biases).load(Ordering::Relaxed);
                word.store(first, Ordering::Relaxed);
                self.with_live(|live| live.word(Word::SharedSlots).fetch_add(1, Ordering::Relaxed));
            }
        }
    }

    /// In a child that was just forked: counts instructions in files of its own.
    pub fn restart_cells(&self) {
        let Some(cells) = &self.cells else { return };
        let path = self.with_live(|live| live.path().map(Path::to_owned)).flatten();
        cells.restart(&path.unwrap_or_else(|| Path::new("/dev/null/none").to_owned()));
        if self.parallel.load(Ordering::Relaxed) {
            self.give_biases(self.first_slot);
        }
        self.sites.insist(Sites::enter_phase);
    }
}
