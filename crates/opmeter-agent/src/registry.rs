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
    /// An empty registry, whose files lie beside the live file. Cells are `timed` or only counted in.
    pub fn beside(live: &Path, timed: bool) -> Self {
        Self {
            store: CodeStore::beside(live, timed),
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
        let mut old = std::mem::replace(self, Self::beside(live, self.store.is_timed()));
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

    /// The address of a code object's cells in the present phase, for a slot; made if need be. `None` where there is no
    /// room for them, and [`Registry::lost`] says so.
    pub fn block(&mut self, code: Option<u32>, slot: usize, units: usize) -> Option<usize> {
        let made = code.and_then(|code| {
            if let Some(known) = self.blocks.get(&(code, slot)) {
                return Some(*known);
            }
            let block = self.store.add_block(code, self.phase, units).ok()?;
            self.blocks.insert((code, slot), block);
            Some(block)
        });
        if made.is_none() {
            self.lost += 1;
        }
        made
    }

    /// There is no memory for another code object.
    pub fn lose(&mut self) {
        self.lost += 1;
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

    /// The system's error number for what could not be recorded; 0 where there was none.
    pub fn refusal(&self) -> i32 {
        self.store.refusal()
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use opmeter_live::{Block, CELLS_EXTENSION, CODE_EXTENSION, CodeLog, Misses};

    use super::*;

    fn description(function: &str, units: usize) -> Description {
        Description {
            file: b"prog.py".to_vec(),
            function: function.as_bytes().to_vec(),
            first_line: 3,
            bytecode: vec![9; 2 * units],
            line_table: vec![1, 2, 3],
            own: false,
        }
    }

    fn count(block: usize, unit: usize, executions: u64) {
        // SAFETY: a cell of a block that the registry has made.
        unsafe { &*((block + 8 * unit) as *const AtomicU64) }.fetch_add(executions, Relaxed);
    }

    #[test]
    fn what_is_counted_stands_in_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("7-0.live");
        let mut registry = Registry::beside(&live, false);
        let first = registry.code(&description("f", 4)).unwrap();
        let second = registry.code(&description("g", 9)).unwrap();
        assert_eq!(registry.code(&description("f", 4)), Some(first), "alike, and the same");
        let block = registry.block(Some(second), 0, 9).unwrap();
        assert_eq!(registry.block(Some(second), 0, 9), Some(block));
        let other_slot = registry.block(Some(second), 1, 9).unwrap();
        assert_ne!(other_slot, block);
        count(block, 8, 5);
        registry.add(&CodeObject { object: 1, bytecode: 0x1000..0x1012 }, second);
        let misses = registry.misses(0x1006).unwrap();
        count(misses, 0, 2);
        registry.enter_phase(1, &CellIndex::new(7, false));
        let main = registry.block(Some(second), 0, 9).unwrap();
        assert_ne!(main, block);
        count(main, 0, 6);

        let (log, torn) = CodeLog::read(&fs::read(live.with_extension(CODE_EXTENSION)).unwrap());
        assert_eq!(torn, None);
        let functions: Vec<&str> = log.codes.iter().map(|code| &*log.texts[code.function as usize]).collect();
        assert_eq!(functions, ["f", "g"]);
        assert_eq!(log.codes[1].bytecode.len(), 18);
        assert_eq!(log.misses, [Misses { code: second, phase: 0, unit: 3, count: 2 }]);
        let phases: Vec<u32> = log.blocks.iter().map(|block| block.phase).collect();
        assert_eq!(phases, [0, 0, 1]);
        let cells = fs::read(live.with_extension(CELLS_EXTENSION)).unwrap();
        let cell = |block: &Block, unit: usize| {
            let at = block.offset as usize + 8 * unit;
            u64::from_le_bytes(cells[at..at + 8].try_into().unwrap())
        };
        assert_eq!((cell(&log.blocks[0], 8), cell(&log.blocks[1], 8), cell(&log.blocks[2], 0)), (5, 0, 6));
        assert_eq!(registry.lost(), 0);
    }

    #[test]
    fn files_grow_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("7-0.live");
        let mut registry = Registry::beside(&live, false);
        for number in 0..3000 {
            let units = 1 + number % 700;
            let code = registry.code(&description(&format!("f{number}"), units)).unwrap();
            count(registry.block(Some(code), 0, units).unwrap(), units - 1, number as u64 + 1);
        }
        let (log, torn) = CodeLog::read(&fs::read(live.with_extension(CODE_EXTENSION)).unwrap());
        assert_eq!((torn, log.codes.len(), log.blocks.len()), (None, 3000, 3000));
        let cells = fs::read(live.with_extension(CELLS_EXTENSION)).unwrap();
        for (number, block) in log.blocks.iter().enumerate() {
            let at = block.offset as usize + 8 * (number % 700);
            assert_eq!(cells[at..at + 8], (number as u64 + 1).to_le_bytes(), "{number}");
        }
    }

    #[test]
    fn a_place_is_that_of_the_newest_code_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = Registry::beside(&folder.path().join("7-0.live"), false);
        registry.add(&CodeObject { object: 1, bytecode: 0x1000..0x1040 }, 0);
        registry.add(&CodeObject { object: 2, bytecode: 0x1100..0x1140 }, 1);
        assert_eq!(registry.place(0x103e), Some((0, 0x1000..0x1040)));
        assert_eq!(registry.place(0x1040), None);
        // The first two ended unseen, and this lies where both have been.
        registry.add(&CodeObject { object: 3, bytecode: 0x1020..0x1120 }, 2);
        assert_eq!((registry.place(0x1010), registry.place(0x1130)), (None, None));
        assert_eq!(registry.place(0x1100), Some((2, 0x1020..0x1120)));
        assert_eq!(registry.place_of(1), None);
        // That the first dies only now does not concern the third.
        assert!(registry.remove(1).is_none());
        assert_eq!(registry.place_of(3), Some(0x1020..0x1120));
        assert!(registry.remove(3).is_none());
        assert_eq!(registry.place(0x1100), None);
    }

    #[test]
    fn without_room_there_are_no_cells() {
        let mut registry = Registry::beside(Path::new("/dev/null/none.live"), false);
        assert_eq!(registry.code(&description("f", 4)), None);
        assert_eq!((registry.block(None, 0, 4), registry.lost()), (None, 1));
        // The log had room, the cells have not.
        assert_eq!((registry.block(Some(0), 0, 4), registry.lost()), (None, 2));
        registry.add(&CodeObject { object: 1, bytecode: 0x1000..0x1040 }, 0);
        assert_eq!(registry.misses(0x1000), None);
    }

    #[test]
    fn a_forked_child_begins_anew_in_the_same_phase() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = Registry::beside(&folder.path().join("7-0.live"), false);
        let code = registry.code(&description("f", 4)).unwrap();
        registry.enter_phase(1, &CellIndex::new(7, false));
        registry.block(Some(code), 0, 4).unwrap();
        registry.add(&CodeObject { object: 1, bytecode: 0x1000..0x1008 }, code);
        let child = folder.path().join("8-0.live");
        registry.restart(&child, true);
        assert_eq!(registry.place(0x1000), None);
        let code = registry.code(&description("g", 4)).unwrap();
        assert_eq!(code, 0);
        let address = registry.block(Some(code), 0, 4).unwrap() as u64;
        let (log, _) = CodeLog::read(&fs::read(child.with_extension(CODE_EXTENSION)).unwrap());
        assert_eq!(log.blocks, [Block { code: 0, phase: 1, offset: 0, timed: false, address }]);
    }
}
