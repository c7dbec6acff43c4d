//! The installed meter: which stubs the interpreter's tables point to.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use opmeter_live::{State, Status, Word, offset};
use opmeter_opcodes::{Execution, Folding, OpcodeTable};

use crate::assembler::Assembler;
use crate::cells::{Cells, Place};
use crate::control::ControlFile;
use crate::discovery::Registers;
use crate::dispatch_table::{DispatchTable, ENTRIES};
use crate::executable_memory::{install_code, patch};
use crate::guarded::Guarded;
use crate::interpreter::Interpreter;
use crate::live::{Live, Slot};
use crate::pairs;
use crate::phase;
use crate::rare;
use crate::sites::{Missed, Sites};
use crate::stub::{self, Biases, Counters, NextInstr, PairCells, Rule, StubSet};
use crate::switch_table::{Form, SwitchTable};
use crate::thread;

/// Address space for the gate and all sets of stubs, in bytes.
pub const CODE_LENGTH: usize = GATE_LENGTH + SETS * SET_LENGTH;
const GATE_LENGTH: usize = 4096;
const SET_LENGTH: usize = 0x4_0000;
/// One for discovery, and one for each combination of traced, per-thread and placed.
const SETS: usize = 9;

static METER: OnceLock<Meter> = OnceLock::new();

/// The meter of this process, once it is set up.
pub fn get() -> Option<&'static Meter> {
    METER.get()
}

/// The meter of this process.
pub struct Meter {
    interpreter: Interpreter,
    opcodes: OpcodeTable<'static>,
    dispatch: DispatchTable,
    switch: Option<SwitchTable>,
    rules: Vec<Option<Rule>>,
    control: ControlFile,
    live: Guarded<Live>,
    first_slot: Slot,
    code: usize,
    registers: OnceLock<Registers>,
    begun: AtomicBool,
    first_interpreter: OnceLock<usize>,
    parallel: AtomicBool,
    traced: AtomicBool,
    /// Set when there is no room for more cells.
    unplaced: AtomicBool,
    installed: Guarded<Installed>,
    sites: Guarded<Sites>,
    cells: Option<Cells>,
    pairs: bool,
    /// The two-level table of biases that all threads share, where the flat one is not to be had.
    shared_root: OnceLock<usize>,
}

/// What is needed to set up a meter.
pub struct Parts {
    /// The interpreter.
    pub interpreter: Interpreter,
    /// Its opcodes.
    pub opcodes: OpcodeTable<'static>,
    /// Its dispatch table.
    pub dispatch: DispatchTable,
    /// Its switch's jump table, up to 3.10.
    pub switch: Option<SwitchTable>,
    /// The command's control file.
    pub control: ControlFile,
    /// This process's live file.
    pub live: Live,
    /// Whether pairs are counted.
    pub pairs: bool,
    /// Reserved address space of [`CODE_LENGTH`] bytes, near the interpreter and the live file.
    pub code: usize,
}

#[derive(Default)]
struct Installed {
    /// Stub addresses by set: dispatch table entries, then those of the switch.
    sets: HashMap<Set, (Vec<usize>, Vec<usize>)>,
    present: Option<Set>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Set {
    Discovering,
    Counting { traced: bool, per_thread: bool, placed: bool },
}

impl Meter {
    /// Sets up the meter and points the interpreter's tables to its stubs.
    ///
    /// # Errors
    /// When the system does not allow to install code, or to write to the tables.
    pub fn install(parts: Parts) -> io::Result<()> {
        let first_slot = parts.live.slot(0);
        let mut next_arrays = 0;
        let rules = (0..=255u8)
            .map(|number| {
                let opcode = parts.opcodes.get(number)?;
                let execution = Execution::of(opcode, &parts.opcodes);
                let next_array = next_arrays;
                next_arrays += usize::from(execution.folding == Folding::Next);
                let folded = folded(opcode.caches, execution.folding, &parts.opcodes);
                let derived = opcode.is_derived();
                Some(Rule { number, execution, caches: opcode.caches, next_array, derived, folded })
            })
            .collect();
        let cells =
            parts.live.path().and_then(|live| Cells::new(&parts.interpreter, parts.opcodes.clone(), live));
        let meter = Self {
            cells,
            pairs: parts.pairs,
            shared_root: OnceLock::new(),
            opcodes: parts.opcodes,
            rules,
            dispatch: parts.dispatch,
            switch: parts.switch,
            control: parts.control,
            live: Guarded::new(parts.live),
            first_slot,
            code: parts.code,
            registers: OnceLock::new(),
            begun: AtomicBool::new(false),
            first_interpreter: OnceLock::new(),
            parallel: AtomicBool::new(parts.interpreter.free_threaded),
            traced: AtomicBool::new(false),
            unplaced: AtomicBool::new(false),
            installed: Guarded::new(Installed::default()),
            sites: Guarded::new(Sites::default()),
            interpreter: parts.interpreter,
        };
        let meter = METER.get_or_init(|| meter);
        if let Some(cells) = &meter.cells {
            cells.watch_deaths(&meter.interpreter);
            if cells.index.flat.is_none()
                && let Ok(root) = cells.index.add_root()
            {
                let _ = meter.shared_root.set(root);
            }
        }
        meter.install_gate()?;
        meter.update()?;
        meter.with_live(|live| live.set_status(Status::Metered, ""));
        Ok(())
    }

    /// Access to the live file.
    pub fn with_live<R>(&self, use_it: impl FnOnce(&mut Live) -> R) -> Option<R> {
        self.live.with(use_it)
    }

    /// The instructions that have specialised themselves.
    pub fn sites(&self) -> &Guarded<Sites> {
        &self.sites
    }

    /// Where instructions are counted by address, if they are.
    pub fn cells(&self) -> Option<&Cells> {
        self.cells.as_ref()
    }

    /// The guard of the instruction at an address has failed so many times.
    pub fn missed(&self, missed: Missed) {
        if let Some(cells) = &self.cells {
            cells.missed(&self.sites, missed);
        }
    }

    /// Whether instructions are counted by address now.
    pub fn places(&self) -> bool {
        !self.unplaced.load(Ordering::Relaxed)
    }

    /// Which table of biases serves a slot.
    pub fn place(&self, slot: Slot) -> Place {
        let root = match self.parallel.load(Ordering::Relaxed) {
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
            // The disk is full. Opcodes are counted alone from now on.
            self.with_live(|live| live.set(Word::LostCode, lost));
            self.unplaced.store(true, Ordering::Relaxed);
            let _ = self.update();
            // This one counts in a cell that nobody reads.
            let offset = usize::from(number) * 8;
            slot.add(offset::UNPLACED + offset, 1);
            if self.rule(number).is_some_and(|rule| rule.derived) {
                slot.add(offset::EXECUTIONS + offset, u64::MAX);
            }
        }
        bias
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

    /// In a child that was just forked: frees the locks that threads of the parent may have held.
    pub fn break_locks(&self) {
        self.live.break_lock();
        self.installed.break_lock();
        if self.sites.break_lock() {
            // Half changed; what it has lost is found again when the instructions specialise anew.
            self.sites.insist(|sites| std::mem::forget(std::mem::take(sites)));
        }
    }

    /// Whether pairs are counted.
    pub fn counts_pairs(&self) -> bool {
        self.pairs
    }

    /// The control file.
    pub fn control(&self) -> &ControlFile {
        &self.control
    }

    /// The slot that is always there.
    pub fn first_slot(&self) -> Slot {
        self.first_slot
    }

    /// The register with the address of the instruction that is being dispatched, if known.
    pub fn next_instr(&self) -> Option<NextInstr> {
        self.registers.get()?.next_instr
    }

    /// The rule for an opcode number that is defined.
    pub fn rule(&self, number: u8) -> Option<&Rule> {
        self.rules[usize::from(number)].as_ref()
    }

    /// The interpreter's opcodes.
    pub fn opcodes(&self) -> &OpcodeTable<'static> {
        &self.opcodes
    }

    /// Counts one dispatch, while stubs only report.
    pub fn count(&self, number: u8) {
        let placed =
            self.rule(number).is_some_and(|rule| rule.execution.is_instruction && rule.execution.has_place);
        let array = if placed { offset::UNPLACED } else { offset::EXECUTIONS };
        thread::slot(self).add(array + usize::from(number) * 8, 1);
    }

    /// An instruction that was counted while stubs only reported has been counted in its cell.
    pub fn placed(&self, rule: &Rule) {
        let number = usize::from(rule.number) * 8;
        self.first_slot.add(offset::UNPLACED + number, u64::MAX);
        if rule.derived {
            self.first_slot.add(offset::EXECUTIONS + number, 1);
        }
    }

    /// Counts that an opcode has followed the last one, while stubs only report.
    pub fn count_pair(&self, number: u8) {
        let counts = self.rule(number).is_some_and(|rule| rule.execution.is_instruction);
        if self.pairs && counts {
            pairs::add(pairs::last_row(), number, 1);
            let matrix = thread::slot(self).state(State::Pairs).load(Ordering::Relaxed) as usize;
            pairs::set_last_row(pairs::row(matrix, number));
        }
    }

    /// Whether an address is that of one of our stubs.
    pub fn is_stub(&self, address: usize) -> bool {
        (self.code..self.code + CODE_LENGTH).contains(&address)
    }

    /// Called at the first dispatch of all: asks for audit events. Not earlier, because the interpreter
    /// frees what it keeps of a hook with the allocator that is chosen when it starts (`-X dev`,
    /// `PYTHONMALLOC`), whichever it was allocated with.
    pub fn begin(&self) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.interpreter.add_audit_hook(phase::audit_hook);
        }
    }

    /// Takes note of the registers, and goes over to counting.
    pub fn discovered(&self, registers: Registers) {
        if self.registers.set(registers).is_ok() {
            let found = registers.next_instr.map_or(0, |next| u64::from(next.reg.0) + 1);
            let by_instruction = found != 0 && self.cells.is_some();
            self.with_live(|live| {
                live.set(Word::Register, found);
                live.set(Word::RepeatsKnown, u64::from(found != 0 || !self.opcodes.repeats()));
                live.set(Word::ByInstruction, u64::from(by_instruction));
            });

            let _ = self.update();
        }
    }

    /// Goes over to counters for each thread when there is a second interpreter: it may have a lock of its
    /// own and run in parallel with the first (3.12 and later). Asked at every audit event; the first that
    /// a new interpreter raises comes before its first bytecode, when it loads `importlib`.
    pub fn watch_interpreters(&self) {
        if self.interpreter.version.1 < 12 || self.parallel.load(Ordering::Relaxed) {
            return;
        }
        let Some(present) = self.interpreter.present_state() else { return };
        let first = self.first_interpreter.get_or_init(|| present);
        if *first != present {
            self.parallel.store(true, Ordering::Relaxed);
            let _ = self.update();
        }
    }

    /// Code is going to be traced, profiled or monitored.
    pub fn tracing_begins(&self) {
        if self.interpreter.version.1 >= 12 {
            self.traced.store(true, Ordering::Relaxed);
            let _ = self.update();
        }
    }

    fn gate_address(&self) -> usize {
        self.code
    }

    fn install_gate(&self) -> io::Result<()> {
        let mut assembler = Assembler::new(self.gate_address());
        stub::gate(&mut assembler, rare::enter as *const () as usize);
        let code = assembler.finish().ok_or_else(out_of_reach)?;
        install_code(self.gate_address(), &code)
    }

    /// Points the tables to the set of stubs that fits what is known now.
    fn update(&self) -> io::Result<()> {
        let set = if self.registers.get().is_none() {
            Set::Discovering
        } else {
            Set::Counting {
                traced: self.traced.load(Ordering::Relaxed),
                per_thread: self.parallel.load(Ordering::Relaxed),
                placed: !self.unplaced.load(Ordering::Relaxed),
            }
        };
        self.installed.with(|installed| self.go_over_to(set, installed)).unwrap_or(Ok(()))
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

    fn make(&self, set: Set, address: usize) -> io::Result<(Vec<usize>, Vec<usize>)> {
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
            granule_bits: self.cells.as_ref().map_or(0, |cells| cells.index.granule_bits),
            free: registers.map_or([None; 2], |registers| registers.free),
            gate: self.gate_address(),
        };
        let mut stub = |number: u8, target: usize| match &self.rules[usize::from(number)] {
            None => target,
            Some(_) if set == Set::Discovering => {
                stub::reporting_stub(&mut assembler, number, self.gate_address(), target)
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

    fn pair_cells(&self, set: Set) -> Option<PairCells> {
        let row = pairs::row_offset()?;
        let shared = !matches!(set, Set::Counting { per_thread: true, .. });
        let matrix = self.first_slot.state(State::Pairs).load(Ordering::Relaxed) as usize;
        Some(PairCells { row, matrix: shared.then_some(matrix) })
    }

    fn biases(&self, set: Set) -> Biases {
        let Some(cells) = &self.cells else { return Biases::None };
        match (set, cells.index.flat) {
            (Set::Counting { placed: false, .. }, _) => Biases::None,
            (Set::Counting { per_thread: true, .. }, _) => {
                self.give_biases(self.first_slot);
                let given = self.first_slot.state(State::Biases).load(Ordering::Relaxed) != 0;
                if given { Biases::OfSlot } else { Biases::None }
            }
            (_, Some(table)) => Biases::Flat(table),
            (_, None) => self.shared_root.get().map_or(Biases::None, |root| Biases::TwoLevel(*root)),
        }
    }

    fn point_to(&self, entries: &[usize], cases: &[usize]) -> io::Result<()> {
        debug_assert_eq!(entries.len(), ENTRIES);
        let protection = |address| self.interpreter.module.protection(address);
        // SAFETY: every entry, old or new, ends at the handler of its opcode.
        unsafe { patch(self.dispatch.address, entries, protection(self.dispatch.address))? };
        let Some(switch) = &self.switch else { return Ok(()) };
        for ((number, _), target) in switch.targets.iter().zip(cases) {
            let index = usize::from(number - switch.first);
            match switch.form {
                Form::Offsets => {
                    let entry = i32::try_from(*target as i128 - switch.address as i128);
                    let entry = entry.map_err(|_| out_of_reach())?;
                    let at = switch.address + index * 4;
                    // SAFETY: as above.
                    unsafe { patch(at, &[entry], protection(at))? };
                }
                Form::Addresses => {
                    let at = switch.address + index * 8;
                    // SAFETY: as above.
                    unsafe { patch(at, &[*target], protection(at))? };
                }
            }
        }
        Ok(())
    }
}

/// How far behind an opcode the instructions stand that it executes besides, in bytes.
fn folded(caches: u8, folding: Folding, opcodes: &OpcodeTable<'_>) -> [u8; 2] {
    let mut folded = [0; 2];
    let mut distance = 2 * (1 + caches);
    let names = match folding {
        Folding::None => return folded,
        Folding::Next => &[""][..],
        Folding::Always(names) => names,
    };
    for (place, name) in folded.iter_mut().zip(names) {
        *place = distance;
        distance += 2 * (1 + opcodes.named(name).map_or(0, |opcode| opcode.caches));
    }
    folded
}

fn out_of_reach() -> io::Error {
    io::Error::other("no free memory within 2 GiB of the interpreter")
}
