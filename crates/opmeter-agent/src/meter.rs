//! The installed meter: which stubs the interpreter's tables point to.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use opmeter_live::{State, Status, Word, offset};
use opmeter_opcodes::OpcodeTable;

use crate::cells::Cells;
use crate::control::ControlFile;
use crate::discovery::Registers;
use crate::dispatch_table::DispatchTable;
use crate::guarded::Guarded;
use crate::interpreter::Interpreter;
use crate::live::{Live, Slot};
use crate::pairs;
use crate::phase;
use crate::ring::Ring;
use crate::sites::{Missed, Sites};
use crate::stub::{NextInstr, Rule};
use crate::switch_table::SwitchTable;
use crate::thread;

/// Address space for the gate and all sets of stubs, in bytes.
pub const CODE_LENGTH: usize = GATE_LENGTH + SETS * SET_LENGTH;
const GATE_LENGTH: usize = 4096;
const SET_LENGTH: usize = 0x4_0000;
/// One for discovery, and one for each combination of traced, per-thread and placed with the kinds of slices; shared
/// places may be found in the flat table, and later in another.
const SETS: usize = 1 + (8 + 2) * 3;
const _: () =
    assert!(SETS > 10 * 2, "where events are told, there are two kinds: while they are, and afterwards");

mod events;
mod installed;
mod places;
mod timing;

use events::EventTelling;
use installed::Installed;
use timing::TimeKeeping;

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
    /// Threads run bytecode at the same time: each is to have counters of its own.
    parallel: AtomicBool,
    /// Each thread has counters of its own.
    apart: AtomicBool,
    traced: AtomicBool,
    /// Set when there is no room for more cells.
    unplaced: AtomicBool,
    installed: Guarded<Installed>,
    sites: Guarded<Sites>,
    cells: Option<Cells>,
    pairs: bool,
    /// Times, if they are taken.
    times: Option<TimeKeeping>,
    /// Events, if they are told.
    events: Option<EventTelling>,
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
    /// The share of the run that is timed, in 65536ths; 0 where it is not.
    pub time_share: u64,
    /// Where executions are told one by one, if they are.
    pub ring: Option<Ring>,
    /// Reserved address space of [`CODE_LENGTH`] bytes, near the interpreter and the live file.
    pub code: usize,
}

impl Meter {
    /// Sets up the meter and points the interpreter's tables to its stubs.
    ///
    /// # Errors
    /// When the system does not allow to install code, or to write to the tables.
    pub fn install(parts: Parts) -> io::Result<()> {
        let first_slot = parts.live.slot(0);
        let rules = Rule::all(&parts.opcodes);
        let cells = parts
            .live
            .path()
            .and_then(|live| {
                Cells::new(&parts.interpreter, parts.opcodes.clone(), live, parts.time_share > 0)
            })
            .filter(|cells| cells.watch_deaths(&parts.interpreter));
        let meter = Self {
            cells,
            pairs: parts.pairs,
            times: (parts.time_share > 0).then(|| TimeKeeping::new(parts.time_share)),
            events: parts.ring.map(EventTelling::new),
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
            apart: AtomicBool::new(parts.interpreter.free_threaded),
            traced: AtomicBool::new(false),
            unplaced: AtomicBool::new(false),
            installed: Guarded::new(Installed::default()),
            sites: Guarded::new(Sites::default()),
            interpreter: parts.interpreter,
        };
        let meter = METER.get_or_init(|| meter);
        if let Some(cells) = &meter.cells
            && cells.index.flat().is_none()
            && let Ok(root) = cells.index.add_root()
        {
            let _ = meter.shared_root.set(root);
        }
        meter.install_gate()?;
        meter.update()?;
        meter.with_live(|live| live.set_status(Status::Metered, ""));
        Ok(())
    }

    /// The address of the word with the phase that the process is in.
    fn phase_address(&self) -> Option<usize> {
        self.with_live(|live| live.word(Word::Phase).as_ptr() as usize)
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
        if self.apart.load(Ordering::Acquire) {
            return;
        }
        let Some(present) = self.interpreter.present_state() else { return };
        if *self.first_interpreter.get_or_init(|| present) != present {
            self.interpreters_run_apart();
        }
    }

    /// There is, or is going to be, a second interpreter. Returns once each thread has counters of its own, also
    /// where another thread is about to bring that about: no interpreter may run on counters that another has.
    pub fn interpreters_run_apart(&self) {
        if self.interpreter.version.1 < 12 || self.apart.load(Ordering::Acquire) {
            return;
        }
        self.parallel.store(true, Ordering::Relaxed);
        let _ = self.update();
        self.apart.store(true, Ordering::Release);
    }

    /// Code is going to be traced, profiled or monitored.
    pub fn tracing_begins(&self) {
        if self.interpreter.version.1 >= 12 {
            self.traced.store(true, Ordering::Relaxed);
            let _ = self.update();
        }
    }
}
