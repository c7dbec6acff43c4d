//! What each thread tells of its executions, one by one: the record to be written next, and who waits for C
//! code to return.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use opmeter_live::{CHUNK_SIZE, Executed, RING_RECORD, RingRecord};
use opmeter_opcodes::Leaves;

use crate::activations::{Activations, Became, Before, Dispatch};
use crate::clock;
use crate::code_store::CELL;
use crate::meter::{self, Meter};

/// A thread's stream.
struct Stream {
    /// The address of the next record. A multiple of [`CHUNK_SIZE`] where there is no room for one. Stubs read
    /// and write it at a fixed offset from the thread's segment base.
    next: Cell<usize>,
    /// The last record of the chunk before.
    last: Cell<u64>,
    /// The thread's number, once it has one.
    thread: Cell<Option<u64>>,
}

thread_local! {
    static STREAM: Stream = const { Stream { next: Cell::new(0), last: Cell::new(0), thread: Cell::new(None) } };
    static ACTIVATIONS: RefCell<Activations<()>> = const { RefCell::new(Activations::NEW) };
    static END: Cell<Option<End>> = const { Cell::new(None) };
}

/// Gives the last chunk back when the thread ends.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        if let Some(meter) = meter::get() {
            let _ = STREAM.try_with(|stream| {
                meter.end_stream(stream.next.replace(0));
                stream.thread.set(None);
            });
        }
    }
}

/// Where stubs find the address of the next record, from the thread's segment base.
pub fn next_offset() -> Option<i32> {
    let base: usize;
    // SAFETY: the System V ABI keeps the segment base's own address at its start.
    unsafe { std::arch::asm!("mov {}, fs:0", out(reg) base, options(nostack, readonly, preserves_flags)) };
    let address = STREAM.with(|stream| stream.next.as_ptr() as usize);
    i32::try_from(address as i64 - base as i64).ok()
}

/// Gives the calling thread another chunk, and the address of the next record in it.
pub fn next_chunk(meter: &Meter) -> usize {
    STREAM.with(|stream| {
        stream.last.set(last(stream));
        let full = stream.next.replace(0);
        let thread = stream.thread.get().or_else(|| {
            let begun = meter.begin_stream()?;
            let _ = END.try_with(|end| end.set(Some(End)));
            Some(begun)
        });
        stream.thread.set(thread);
        let next = meter.next_chunk(full, thread) + RING_RECORD;
        stream.next.set(next);
        next
    })
}

/// The word of the last record.
fn last(stream: &Stream) -> u64 {
    match stream.next.get() {
        next if next == 0 || next % CHUNK_SIZE == RING_RECORD => stream.last.get(),
        // SAFETY: a record of the thread's present chunk.
        next => unsafe { ((next - RING_RECORD + 8) as *const u64).read() },
    }
}

/// Writes a record with its first word, which is not 0.
pub fn push(meter: &Meter, record: RingRecord, first: u64) {
    let next = STREAM.with(|stream| stream.next.get());
    let next = if next.is_multiple_of(CHUNK_SIZE) { next_chunk(meter) } else { next };
    // SAFETY: the next record of the thread's chunk: mapped and aligned.
    let words = unsafe { &*(next as *const [AtomicU64; 2]) };
    words[1].store(record.word(), Ordering::Relaxed);
    words[0].store(first, Ordering::Release);
    STREAM.with(|stream| stream.next.set(next + RING_RECORD));
}

/// The stack pointer is not that of the last dispatch, or the last instruction may have left the evaluation
/// loop.
pub fn look(meter: &Meter, dispatch: &Dispatch, tsc: u64) {
    let before = match RingRecord::from_word(STREAM.with(last)) {
        RingRecord::Event(Executed(0)) => None,
        RingRecord::Event(executed) => Some(Before {
            leaves: match clock::stack() {
                0 => meter.rule(executed.number()).map_or(Leaves::Never, |rule| rule.execution.leaves),
                _ => Leaves::Never,
            },
            next_cell: executed.cell() as usize + CELL,
        }),
        _ => Some(Before { leaves: Leaves::Never, next_cell: 0 }),
    };
    let record = ACTIVATIONS.try_with(|activations| {
        let mut activations = activations.try_borrow_mut().ok()?;
        let (left, entered) = match activations.go_on(dispatch, before) {
            Became::Unknown | Became::Done => return None,
            Became::Left => (true, false),
            Became::Waits(stack) => {
                activations.wait(stack, ());
                (false, true)
            }
            Became::Raised => (false, false),
        };
        let mut unwound = 0;
        activations.end_up_to(dispatch.stack, |()| unwound += 1);
        (left || entered || unwound > 0).then_some(RingRecord::Activation { left, entered, unwound })
    });
    clock::set_stack(dispatch.stack);
    if let Ok(Some(record)) = record {
        push(meter, record, clock::at(tsc));
    }
}

/// In a child that was just forked: its thread begins anew.
pub fn restart() {
    STREAM.with(|stream| {
        stream.next.set(0);
        stream.last.set(0);
        stream.thread.set(None);
    });
    // It was the parent's thread that had begun: nothing is to be ended.
    if let Ok(Some(end)) = END.try_with(Cell::take) {
        std::mem::forget(end);
    }
    let _ = ACTIVATIONS.try_with(|activations| activations.borrow_mut().forget());
    clock::forget();
}
