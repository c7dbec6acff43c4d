//! Which code objects ran, where their bytecode lies, and where it is counted.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::path::Path;

use crate::capi::Object;
use crate::cell_index::CellIndex;
use crate::code_object::CodeObject;
use crate::code_store::{CodeStore, Description};

/// Code objects alike in all that is recorded of them share cells, so that a program that makes the same
/// code again and again needs no more memory for it.
type Content = (u64, usize, usize);

/// The registry of code objects.
pub struct Registry {
    store: CodeStore,
    phase: u32,
    codes: HashMap<Content, u32>,
    /// Where a code object is counted in this phase: bias-free address of its cells, by its number and the
    /// slot that counts.
    blocks: HashMap<(u32, usize), usize>,
    /// Bytecode in memory, by its start.
    places: BTreeMap<usize, Place>,
    /// Starts of places, by code object.
    by_object: HashMap<usize, usize>,
    /// Up to 3.10: code objects that were given bytecode of their own, with what they had before.
    unshared: HashMap<usize, Unshared>,
    /// Code objects that could not be given cells in the file.
    lost: u64,
}

struct Place {
    end: usize,
    code: u32,
    object: usize,
}

/// What a code object had before it was given bytecode of its own.
pub struct Unshared {
    /// The `bytes` object, with a reference.
    pub bytes: Object,
    /// Its content's place.
    pub bytecode: Range<usize>,
    /// The code object's number, if it is in the log yet.
    pub code: Option<u32>,
}

// SAFETY: the pointers are used under the registry's lock, by a thread that holds the interpreter.
unsafe impl Send for Registry {}

impl Registry {
    /// An empty registry, whose files lie beside the live file.
    pub fn beside(live: &Path) -> Self {
        Self {
            store: CodeStore::beside(live),
            phase: 0,
            codes: HashMap::new(),
            blocks: HashMap::new(),
            places: BTreeMap::new(),
            by_object: HashMap::new(),
            unshared: HashMap::new(),
            lost: 0,
        }
    }

    /// In a forked child: begins anew, beside another live file and in the same phase. Frames that run
    /// bytecode which their code object no longer has still do.
    pub fn restart(&mut self, live: &Path, whole: bool) {
        let phase = self.phase;
        let mut old = std::mem::replace(self, Self::beside(live));
        self.phase = phase;
        old.store.unmap();
        if !whole {
            // A thread of the parent was changing it. What it holds is left alone.
            std::mem::forget(old);
            return;
        }
        for (object, unshared) in std::mem::take(&mut old.unshared) {
            self.unshared.insert(object, Unshared { code: None, ..unshared });
        }
    }

    /// Begins a phase: executions go to new cells from now on.
    pub fn enter_phase(&mut self, phase: usize, index: &CellIndex) {
        if self.phase < phase as u32 {
            self.phase = phase as u32;
            self.blocks.clear();
            index.clear_all();
        }
    }

    /// The number of the code object with bytecode at an address, and all of its bytecode's place.
    pub fn place(&self, address: usize) -> Option<(u32, Range<usize>)> {
        let (start, place) = self.places.range(..=address).next_back()?;
        (address < place.end).then_some((place.code, *start..place.end))
    }

    /// Up to 3.10: the number of a code object that was given bytecode of its own, and what it had before.
    pub fn unshared(&self, object: usize) -> Option<&Unshared> {
        self.unshared.get(&object)
    }

    /// Keeps what a code object had before it was given bytecode of its own.
    pub fn keep_unshared(&mut self, object: usize, unshared: Unshared) {
        self.unshared.insert(object, unshared);
    }

    /// The number for what a code object says; `None` where it can't be logged.
    pub fn code(&mut self, description: &Description) -> Option<u32> {
        let content = content(description);
        if let Some(known) = self.codes.get(&content) {
            return Some(*known);
        }
        let code = self.store.add_code(description).ok()?;
        self.codes.insert(content, code);
        Some(code)
    }

    /// Takes note of where the bytecode of a code object lies.
    pub fn add(&mut self, code: &CodeObject, number: u32) {
        let Range { start, end } = code.bytecode;
        // What lay there before is gone, or its end was not seen.
        let stale: Vec<usize> =
            self.places.range(..end).rev().take_while(|(_, p)| p.end > start).map(|(s, _)| *s).collect();
        for stale in stale {
            self.places.remove(&stale);
        }
        self.places.insert(start, Place { end, code: number, object: code.object });
        if code.object != 0 {
            self.by_object.insert(code.object, start);
        }
    }

    /// The address of a code object's cells in the present phase, for a slot; made if need be. Where there
    /// is no room for them, they are made in memory that nobody reads, and [`Registry::lost`] says so.
    pub fn block(&mut self, code: Option<u32>, slot: usize, units: usize) -> usize {
        if let Some(code) = code {
            if let Some(known) = self.blocks.get(&(code, slot)) {
                return *known;
            }
            if let Ok(block) = self.store.add_block(code, self.phase, units) {
                self.blocks.insert((code, slot), block);
                return block;
            }
        }
        self.lost += 1;
        let block = Box::leak(vec![0u64; units].into_boxed_slice()).as_ptr() as usize;
        if let Some(code) = code {
            self.blocks.insert((code, slot), block);
        }
        block
    }

    /// Makes a count of failed guards for an instruction in the present phase, and gives its address.
    pub fn misses(&mut self, address: usize) -> Option<usize> {
        let (code, range) = self.place(address)?;
        self.store.add_misses(code, self.phase, ((address - range.start) / 2) as u32).ok()
    }

    /// How many code objects could not be given cells that are recorded.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Where the bytecode of a code object lies, if it ever ran.
    pub fn place_of(&self, object: usize) -> Option<Range<usize>> {
        let start = *self.by_object.get(&object)?;
        let place = self.places.get(&start).filter(|place| place.object == object)?;
        Some(start..place.end)
    }

    /// A code object dies. Gives what it had before it was given bytecode of its own.
    pub fn remove(&mut self, object: usize) -> Option<Unshared> {
        if let Some(range) = self.place_of(object) {
            self.places.remove(&range.start);
        }
        self.by_object.remove(&object);
        self.unshared.remove(&object)
    }

    /// Forgets the place at an address, for its bytecode is going to be shared. Gives its range.
    pub fn forget_place(&mut self, address: usize) -> Option<Range<usize>> {
        let (_, range) = self.place(address)?;
        self.places.remove(&range.start);
        Some(range)
    }
}

fn content(description: &Description) -> Content {
    let mut hasher = DefaultHasher::new();
    description.hash(&mut hasher);
    (hasher.finish(), description.bytecode.len(), description.line_table.len())
}
