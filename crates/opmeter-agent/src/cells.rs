//! Where instructions are counted: finding the cells for an address that is about to be executed.

use std::ffi::c_void;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use opmeter_live::Word;
use opmeter_opcodes::OpcodeTable;

use crate::capi::{CApi, Object};
use crate::cell_index::{CellIndex, LEAF_BITS};
use crate::code_object::{CodeObject, CodeObjects};
use crate::code_store::{CELL, TIMED_CELL};
use crate::executable_memory::patch;
use crate::frames::{Caller, Frames};
use crate::guarded::Guarded;
use crate::interpreter::Interpreter;
use crate::live::Slot;
use crate::meter;
use crate::registry::{Registry, Unshared};
use crate::reserve;
use crate::sites::{Missed, Sites};
use crate::valgrind;

/// All that is needed to count by instruction.
pub struct Cells {
    /// From addresses to cells.
    pub index: CellIndex,
    objects: CodeObjects,
    /// The interpreter's frames, where they are known.
    frames: Option<Frames>,
    opcodes: OpcodeTable<'static>,
    registry: Guarded<Registry>,
    /// Bytes of a cell per byte of bytecode.
    scale: usize,
}

/// Cells that nobody reads: room for those of an instruction and its neighbours on both sides.
#[repr(align(64))]
struct Nowhere([AtomicU64; 2048]);

static NOWHERE: Nowhere = Nowhere([const { AtomicU64::new(0) }; 2048]);

/// Which of the tables of [`CellIndex`] is used, and whose cells.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The slot that counts.
    pub slot: Slot,
    /// Its two-level table, or 0 for the flat one.
    pub root: usize,
}

impl Cells {
    /// `None` where this interpreter's code objects can't be found.
    pub fn new(
        interpreter: &Interpreter,
        opcodes: OpcodeTable<'static>,
        live: &Path,
        timed: bool,
    ) -> Option<Self> {
        // From 3.14 on each thread of a build without the global lock may have its own copy of the
        // bytecode, which is no part of the code object.
        if interpreter.free_threaded && interpreter.version.1 >= 14 {
            return None;
        }
        let objects = CodeObjects::new(CApi::find()?, &opcodes, interpreter.module.span())?;
        Some(Self {
            index: CellIndex::new(
                objects.granule_bits(),
                !interpreter.free_threaded && !valgrind::is_running(),
            ),
            frames: Frames::new(
                &opcodes,
                interpreter.free_threaded,
                interpreter.thread_state,
                objects.type_offset,
            ),
            objects,
            opcodes,
            registry: Guarded::new(Registry::beside(live, timed)),
            scale: if timed { TIMED_CELL / 2 } else { CELL / 2 },
        })
    }

    /// Wraps the function that frees code objects. False where that can't be done: then instructions can't be
    /// counted by address.
    pub fn watch_deaths(&self, interpreter: &Interpreter) -> bool {
        let address = self.objects.deallocator();
        // SAFETY: a field of a static type of the interpreter, set when it was compiled.
        let original = unsafe { (address as *const usize).read() };
        if original == 0 || DEALLOCATE.set(original).is_err() {
            return false;
        }
        let wrapper = deallocate as *const () as usize;
        // SAFETY: the wrapper does what the function does, and looks the same.
        unsafe { patch(address, &[wrapper], interpreter.module.protection(address)) }.is_ok()
    }

    /// The bias for the instruction at an address, which the calling thread is about to execute. Where there is no
    /// room for its cell, it is a word that nobody reads: see [`Cells::lost`].
    pub fn find(&self, address: usize, place: Place) -> u64 {
        if reserve::is_short() {
            self.registry.insist(Registry::lose);
            return self.nowhere(address);
        }
        self.find_in_code(address, place).unwrap_or_else(|| {
            let (code, description) = self.objects.own(address);
            self.registry.insist(|registry| {
                let number = registry.code(&description);
                self.bind(registry, number, &code.bytecode, address, place)
            })
        })
    }

    /// As [`Cells::find`], but `None` where the address lies in no code object.
    pub fn find_in_code(&self, address: usize, place: Place) -> Option<u64> {
        let known = self.registry.insist(|registry| {
            let (code, range) = registry.place(address)?;
            Some(self.bind(registry, Some(code), &range, address, place))
        });
        if known.is_some() {
            return known;
        }
        let mut code = self.objects.containing(address)?;
        if !code.bytecode.contains(&address) {
            return self.find_before_unsharing(address, &code, place);
        }
        let before = code.bytecode.clone();
        let mut old = None;
        if self.opcodes.version().1 <= 10 && self.objects.shares_bytecode(&code) {
            old = self.objects.unshare(&mut code);
        }
        let description = self.objects.describe(&code);
        Some(self.registry.insist(|registry| {
            let number = registry.code(&description);
            if let Some(number) = number {
                registry.add(&code, number);
            }
            let Some(bytes) = old else {
                return self.bind(registry, number, &code.bytecode, address, place);
            };
            // This frame goes on in the bytecode that it began with, and is counted one by one.
            let unshared = Unshared { bytes, bytecode: before.clone(), code: number };
            registry.keep_unshared(code.object, unshared);
            self.bias(registry.block(number, place.slot.0, before.len() / 2), &before, address)
        }))
    }

    fn find_before_unsharing(&self, address: usize, code: &CodeObject, place: Place) -> Option<u64> {
        let (before, number) = self.registry.insist(|registry| {
            let unshared = registry.unshared(code.object)?;
            let here = unshared.bytecode.contains(&address);
            here.then(|| (unshared.bytecode.clone(), unshared.code))
        })?;
        let description = number.is_none().then(|| self.objects.describe(code));
        Some(self.registry.insist(|registry| {
            let number = number.or_else(|| registry.code(description.as_ref()?));
            self.bias(registry.block(number, place.slot.0, before.len() / 2), &before, address)
        }))
    }

    fn bind(
        &self,
        registry: &mut Registry,
        code: Option<u32>,
        range: &Range<usize>,
        address: usize,
        place: Place,
    ) -> u64 {
        let block = registry.block(code, place.slot.0, range.len() / 2);
        let bias = self.bias(block, range, address);
        if block.is_some() && !self.index.set(place.root, range.clone(), bias) {
            registry.lose();
            return self.nowhere(address);
        }
        bias
    }

    /// The bias of the code object with bytecode in a range, whose cells begin at `block`; if there are none, one
    /// that serves the instruction at an address in it alone.
    fn bias(&self, block: Option<usize>, range: &Range<usize>, address: usize) -> u64 {
        let Some(block) = block else { return self.nowhere(address) };
        (block as u64).wrapping_sub((self.scale * range.start) as u64)
    }

    /// A bias with which the instruction at an address, and those that it executes besides, count where nobody reads.
    fn nowhere(&self, address: usize) -> u64 {
        let middle = NOWHERE.0.as_ptr() as usize + size_of::<Nowhere>() / 2;
        (middle as u64).wrapping_sub((self.scale * address) as u64)
    }

    /// The cell of the code unit at an address, if it has one.
    pub fn cell(&self, address: usize, place: Place) -> Option<&AtomicU64> {
        match self.index.bias(place.root, address) {
            0 => None,
            bias => Some(self.with_bias(bias, address)),
        }
    }

    /// The cell at an address, given the bias of its code object.
    pub fn with_bias(&self, bias: u64, address: usize) -> &AtomicU64 {
        let at = bias.wrapping_add((self.scale * address) as u64);
        // SAFETY: inside the block of cells whose bias it is; blocks stay mapped.
        unsafe { &*(at as *const AtomicU64) }
    }

    /// How the calling thread's present frame is found from outside, and what it says of its instruction; the
    /// thread is about to execute the one at an address.
    pub fn frame_pointer(&self, address: usize, place: Place) -> Option<Vec<(Word, usize)>> {
        let (table, leaf_bits) = match self.index.flat() {
            Some(table) if place.root == 0 => (table, 0),
            _ => (place.root, LEAF_BITS as usize),
        };
        let running = self.objects.containing(address)?;
        let mut words = self.frames.as_ref()?.pointer(&self.objects, &running)?;
        let granule_bits = self.index.granule_bits as usize;
        words.extend([
            (Word::BiasTable, table),
            (Word::LeafBits, leaf_bits),
            (Word::GranuleBits, granule_bits),
        ]);
        Some(words)
    }

    /// The instruction that called the C code which has called, or returned to, the code about to execute the
    /// instruction at an address: see [`Frames::caller`]. With its cell.
    pub fn caller(&self, address: usize, begins: Option<bool>, place: Place) -> Option<(Caller, &AtomicU64)> {
        let running = self.objects.containing(address)?;
        let caller = self.frames.as_ref()?.caller(&self.objects, &running, address, begins)?;
        let (Caller::Here(address) | Caller::Below(address)) = caller;
        Some((caller, self.cell(address, place)?))
    }

    /// Up to 3.10: another code object is about to be made with this `bytes` for its bytecode.
    pub fn bytecode_is_shared(&self, arguments: *mut c_void) {
        let api = &self.objects.api;
        let span = api.aside(|| api.bytes_span(api.first_item(arguments)?));
        let Some((start, _)) = span else { return };
        if let Some(range) = self.registry.insist(|registry| registry.forget_place(start)) {
            self.index.clear(&range);
        }
    }

    /// Ends a phase: whatever runs from now on is counted anew.
    pub fn enter_phase(&self, phase: usize, sites: &Guarded<Sites>) {
        self.settle(sites, Sites::all);
        self.registry.insist(|registry| registry.enter_phase(phase, &self.index));
        sites.insist(Sites::enter_phase);
    }

    /// In a forked child: begins anew, beside another live file.
    pub fn restart(&self, live: &Path) {
        self.index.break_lock();
        let whole = !self.registry.break_lock();
        self.registry.insist(|registry| registry.restart(live, whole));
        self.index.clear_all();
    }

    /// Code objects whose counts have no room.
    pub fn lost(&self) -> u64 {
        self.registry.insist(|registry| registry.lost())
    }

    /// See [`Registry::refusal`].
    pub fn refusal(&self) -> i32 {
        self.registry.insist(|registry| registry.refusal())
    }

    /// The guard of the instruction at an address has failed so many times.
    pub fn missed(&self, sites: &Guarded<Sites>, (address, failures): Missed) {
        if failures == 0 {
            return;
        }
        let make = || self.registry.insist(|registry| registry.misses(address));
        if let Some(count) = sites.insist(|sites| sites.count(address, make)) {
            // SAFETY: a word of the code log, mapped and aligned.
            unsafe { &*(count as *const AtomicU64) }.fetch_add(failures, Relaxed);
        }
    }

    /// Accounts for the failures that no instruction has told of yet.
    pub fn settle(&self, sites: &Guarded<Sites>, which: impl Fn(&Sites) -> Vec<usize>) {
        let shift = self.opcodes.counter_shift();
        let missed = sites.insist(|sites| {
            let addresses = which(sites);
            self.registry.insist(|registry| {
                // Code that has a place is alive: the death of every code object is watched.
                sites.settle(&addresses, shift, |address| registry.place(address).map(|_| counter(address)))
            })
        });
        missed.into_iter().for_each(|missed| self.missed(sites, missed));
    }

    /// A code object dies: whatever comes to lie in its place is not it.
    fn dies(&self, object: usize, sites: &Guarded<Sites>) {
        if let Some(range) = self.registry.insist(|registry| registry.place_of(object)) {
            if self.opcodes.unfolds() {
                self.settle(sites, |sites| sites.within(&range));
            }
            sites.insist(|sites| sites.remove(&range));
            self.index.clear(&range);
        }
        self.release(object);
    }

    fn release(&self, object: usize) {
        if let Some(unshared) = self.registry.insist(|registry| registry.remove(object)) {
            self.objects.api.release(unshared.bytes);
        }
    }
}

/// The adaptive counter of an instruction of a code object that is alive: its first inline cache entry.
pub fn counter(address: usize) -> u16 {
    // SAFETY: an instruction that has specialised itself has inline caches, as long as its code lives.
    unsafe { ((address + 2) as *const u16).read_volatile() }
}

/// The function that frees code objects.
static DEALLOCATE: OnceLock<usize> = OnceLock::new();

extern "C" fn deallocate(object: Object) {
    let _ = std::panic::catch_unwind(|| {
        if let Some(meter) = meter::get()
            && let Some(cells) = meter.cells()
        {
            cells.dies(object as usize, meter.sites());
        }
    });
    if let Some(original) = DEALLOCATE.get() {
        // SAFETY: `void (*destructor)(PyObject *)`, called as the interpreter would have called it.
        unsafe {
            let original: extern "C" fn(Object) = std::mem::transmute(*original);
            original(object);
        }
    }
}
