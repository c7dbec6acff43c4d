//! What each thread knows of its own time: its latest dispatches, and who waits for C code to return.
//!
//! A timing stub keeps its dispatch in a ring and accounts for the third before it: a processor that reads
//! the counter only once all earlier instructions are done would otherwise wait for the accounting. The
//! times of the latest dispatches are therefore in the ring alone, and can still be charged elsewhere.

use std::cell::{Cell, RefCell};
use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use opmeter_live::{LONG_CYCLES, TIME_BLOCK_SIZE, bucket, time_offset};
use opmeter_opcodes::Leaves;

use crate::activations::{Activations, Became, Before, Dispatch};
use crate::code_store::TIMED_CELL;

/// Entries of the ring.
const ENTRIES: usize = 8;

/// Size of an entry in bytes: the ring has 256, so that an offset in it is a byte.
pub const ENTRY: usize = 32;

/// How many entries behind the present one a stub accounts for.
pub const DELAY: usize = 3;

/// Offsets in a timed cell, in bytes.
pub mod cell_offset {
    /// Executions in timed slices.
    pub const TIMED: usize = 8;
    /// Timed segments.
    pub const SEGMENTS: usize = 16;
    /// Their cycles.
    pub const CYCLES: usize = 24;
}

/// Takes what is to be charged to nobody: as large as an opcode's block.
static NOTHING: [AtomicU64; TIME_BLOCK_SIZE / 8] = [const { AtomicU64::new(0) }; TIME_BLOCK_SIZE / 8];

/// Where is charged what is to be charged to nobody.
pub fn nothing() -> usize {
    (&raw const NOTHING) as usize
}

/// A dispatch.
#[repr(C)]
struct Entry {
    /// When it was.
    time: Cell<u64>,
    /// The instruction's cell.
    cell: Cell<*const AtomicU64>,
    /// The opcode's block of times.
    block: Cell<*const AtomicU64>,
    /// The times of all opcodes together: segments, their cycles.
    all: Cell<*const AtomicU64>,
}

impl Entry {
    const fn none() -> Self {
        Self {
            time: Cell::new(0),
            cell: Cell::new((&raw const NOTHING).cast()),
            block: Cell::new((&raw const NOTHING).cast()),
            all: Cell::new((&raw const NOTHING).cast()),
        }
    }

    fn is_none(&self) -> bool {
        std::ptr::eq(self.block.get(), (&raw const NOTHING).cast())
    }

    fn clear(&self) {
        self.cell.set((&raw const NOTHING).cast());
        self.block.set((&raw const NOTHING).cast());
        self.all.set((&raw const NOTHING).cast());
    }

    fn charged(&self) -> Charged {
        Charged {
            cell: self.cell.get() as usize,
            block: self.block.get() as usize,
            all: self.all.get() as usize,
        }
    }
}

/// A thread's clock. Stubs reach its fields at fixed offsets from the thread's segment base.
#[repr(C)]
struct Clock {
    /// Cycles that this thread has spent in the meter, out of line: its clock stood still.
    paused: Cell<u64>,
    /// The stack pointer at the last dispatch, 0 where the next one must be looked at.
    stack: Cell<u64>,
    /// Offset of the next entry in the ring.
    next: Cell<u64>,
    /// Not 0 where the last entry waits for the thread's next dispatch.
    waiting: Cell<u64>,
    ring: [Entry; ENTRIES],
}

thread_local! {
    static CLOCK: Clock = const {
        Clock {
            paused: Cell::new(0),
            stack: Cell::new(0),
            next: Cell::new(0),
            waiting: Cell::new(0),
            ring: [const { Entry::none() }; ENTRIES],
        }
    };
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen { activations: Activations::NEW, known: false }) };
}

/// What a thread's activations are, and whether it has been seen.
struct Seen {
    activations: Activations<Outer>,
    known: bool,
}

/// An instruction that waits for C code to return.
struct Outer {
    charged: Charged,
    /// Cycles that it has taken so far; none where it began unseen.
    cycles: Option<u64>,
}

/// Where cycles are charged: addresses of the instruction's cell, of the opcode's block and of the times of all
/// opcodes together.
#[derive(Clone, Copy)]
pub struct Charged {
    /// The cell.
    pub cell: usize,
    /// The block.
    pub block: usize,
    /// Segments of all opcodes, and behind them their cycles.
    pub all: usize,
}

/// Who called the C code that has returned, or called Python code again.
pub struct OuterCaller {
    /// What its instruction is charged to.
    pub charged: Charged,
    /// Whether the C code goes on.
    pub goes_on: bool,
}

impl Charged {
    /// Charges a segment.
    fn segment(self, cycles: u64) {
        add(self.all, 1);
        add(self.all + 8, cycles);
        add(self.cell + cell_offset::SEGMENTS, 1);
        add(self.cell + cell_offset::CYCLES, cycles);
        add(self.block + time_offset::SEGMENTS, 1);
        add(self.block + time_offset::CYCLES, cycles);
    }

    /// Adds a part of an execution that began unseen to the distribution, if it is long.
    fn part(self, cycles: u64) {
        if cycles >= LONG_CYCLES {
            self.execution(cycles);
        }
    }

    /// Adds an execution to the distribution.
    fn execution(self, cycles: u64) {
        add(self.block + time_offset::HISTOGRAM + bucket(cycles) * 8, 1);
    }
}

fn add(address: usize, value: u64) {
    // SAFETY: a word of a cell or a block that is mapped, or of `NOTHING`.
    let word = unsafe { &*(address as *const AtomicU64) };
    word.store(word.load(Relaxed).wrapping_add(value), Relaxed);
}

/// The calling thread's last dispatch was no execution of the opcode `first`, but part of one of `second`; the
/// times are at this address.
pub fn rename_last(blocks: usize, first: u8, second: u8) {
    let block = |number: u8| blocks + usize::from(number) * TIME_BLOCK_SIZE;
    add(block(first) + time_offset::EXECUTIONS, u64::MAX);
    CLOCK.with(|clock| {
        let last = clock.last(1);
        if last.block.get() as usize == block(first) {
            last.block.set(block(second) as *const AtomicU64);
        }
    });
}

/// Offsets of a clock's fields from the thread's segment base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffsets {
    /// Cycles during which the clock stood still.
    pub paused: i32,
    /// The stack pointer at the last dispatch.
    pub stack: i32,
    /// Offset of the next entry in the ring.
    pub next: i32,
    /// Whether the last entry waits.
    pub waiting: i32,
    /// The ring: its entries' times.
    pub times: i32,
    /// Its entries' cells.
    pub cells: i32,
    /// Its entries' blocks.
    pub blocks: i32,
    /// Its entries' times of all opcodes together.
    pub all: i32,
}

/// Where stubs find the clock.
pub fn offsets() -> Option<ClockOffsets> {
    let base: usize;
    // SAFETY: the System V ABI keeps the segment base's own address at its start.
    unsafe { std::arch::asm!("mov {}, fs:0", out(reg) base, options(nostack, readonly, preserves_flags)) };
    let address = CLOCK.with(|clock| &raw const *clock as usize);
    let start = i32::try_from(address as i64 - base as i64).ok()?;
    let at = |offset: usize| start + offset as i32;
    let ring = offset_of!(Clock, ring);
    Some(ClockOffsets {
        paused: at(offset_of!(Clock, paused)),
        stack: at(offset_of!(Clock, stack)),
        next: at(offset_of!(Clock, next)),
        waiting: at(offset_of!(Clock, waiting)),
        times: at(ring + offset_of!(Entry, time)),
        cells: at(ring + offset_of!(Entry, cell)),
        blocks: at(ring + offset_of!(Entry, block)),
        all: at(ring + offset_of!(Entry, all)),
    })
}

/// What the calling thread's clock says at a time.
pub fn at(tsc: u64) -> u64 {
    CLOCK.with(|clock| tsc.wrapping_sub(clock.paused.get()))
}

/// The stack pointer at the calling thread's last dispatch; 0 where that may have left its activation.
pub fn stack() -> usize {
    CLOCK.with(|clock| clock.stack.get() as usize)
}

/// The calling thread has dispatched with this stack pointer.
pub fn set_stack(stack: usize) {
    CLOCK.with(|clock| clock.stack.set(stack as u64));
}

/// The calling thread's clock has stood still for so many cycles.
pub fn pause(cycles: u64) {
    CLOCK.with(|clock| clock.paused.set(clock.paused.get().wrapping_add(cycles)));
}

/// The stack pointer is not that of the last dispatch, or the last instruction may have left the evaluation
/// loop. `leaves` tells what an opcode does, given the address of its block; `caller` tells who called the C
/// code that ran since, where that began unseen. Returns true the first time that a thread is seen.
pub fn look(
    dispatch: &Dispatch,
    tsc: u64,
    leaves: impl Fn(usize) -> Leaves,
    caller: impl Fn() -> Option<OuterCaller>,
) -> bool {
    let seen = CLOCK.with(|clock| {
        let now = tsc.wrapping_sub(clock.paused.get());
        SEEN.try_with(|seen| {
            let Ok(mut seen) = seen.try_borrow_mut() else { return false };
            seen.activations.look(clock, dispatch, now, &leaves, &caller);
            clock.stack.set(dispatch.stack as u64);
            !std::mem::replace(&mut seen.known, true)
        })
    });
    seen.unwrap_or(false)
}

impl Activations<Outer> {
    fn look(
        &mut self,
        clock: &Clock,
        dispatch: &Dispatch,
        now: u64,
        leaves: &dyn Fn(usize) -> Leaves,
        caller: &dyn Fn() -> Option<OuterCaller>,
    ) {
        let last = clock.last(1);
        let charged = last.charged();
        let before = (!last.is_none()).then(|| Before {
            leaves: if clock.stack.get() == 0 { leaves(charged.block) } else { Leaves::Never },
            next_cell: charged.cell + TIMED_CELL,
        });
        let cycles = now.wrapping_sub(last.time.get());
        match self.go_on(dispatch, before) {
            Became::Unknown | Became::Done => return,
            Became::Left => {
                // What C code did since then is the business of who called it.
                last.clear();
                if let Some(outer) = self.innermost() {
                    outer.charged.segment(cycles);
                    outer.cycles = outer.cycles.map(|before| before.wrapping_add(cycles));
                    if outer.cycles.is_none() {
                        outer.charged.part(cycles);
                    }
                } else if let Some(outer) = caller() {
                    outer.charged.segment(cycles);
                    outer.charged.part(cycles);
                    if outer.goes_on {
                        self.wait(dispatch.stack + 1, Outer { charged: outer.charged, cycles: None });
                    }
                }
            }
            Became::Waits(stack) => {
                last.clear();
                charged.segment(cycles);
                self.wait(stack, Outer { charged, cycles: Some(cycles) });
                return;
            }
            Became::Raised => {}
        }
        self.end_up_to(dispatch.stack, |outer| {
            if let Some(cycles) = outer.cycles {
                outer.charged.execution(cycles);
            }
        });
    }
}

impl Clock {
    /// The entry so many before the next.
    fn last(&self, back: usize) -> &Entry {
        &self.ring[(self.next.get() as usize / ENTRY + ENTRIES - back) % ENTRIES]
    }

    /// Accounts for all dispatches but the latest `but`, and forgets them.
    fn settle(&self, end: u64, but: usize) {
        for back in (but + 1..=DELAY + but).rev() {
            let entry = self.last(back);
            if !entry.is_none() {
                let next = if back == 1 { end } else { self.last(back - 1).time.get() };
                let cycles = next.wrapping_sub(entry.time.get());
                entry.charged().segment(cycles);
                entry.charged().execution(cycles);
                entry.clear();
            }
        }
    }
}

/// The thread's next dispatch, at the time `tsc`, is not timed: accounts for what came before.
pub fn stop(tsc: u64) {
    CLOCK.with(|clock| {
        clock.settle(tsc.wrapping_sub(clock.paused.get()), 0);
        clock.forget();
    });
}

/// As [`stop`], but the latest dispatch was taken for a timed one already: it becomes one that was only counted.
pub fn stop_before_latest() {
    CLOCK.with(|clock| {
        let latest = clock.last(1);
        clock.settle(latest.time.get(), 1);
        if !latest.is_none() {
            let Charged { cell, block, .. } = latest.charged();
            add(cell + cell_offset::TIMED, u64::MAX);
            add(cell, 1);
            add(block + time_offset::EXECUTIONS, u64::MAX);
        }
        clock.forget();
    });
}

/// Forgets everything, as a thread that has just begun.
pub fn forget() {
    CLOCK.with(Clock::forget);
}

impl Clock {
    fn forget(&self) {
        self.ring.iter().for_each(Entry::clear);
        self.stack.set(0);
        self.waiting.set(0);
        let _ = SEEN.try_with(|seen| {
            if let Ok(mut seen) = seen.try_borrow_mut() {
                seen.activations.forget();
            }
        });
    }
}
