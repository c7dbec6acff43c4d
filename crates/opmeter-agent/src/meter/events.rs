//! Telling every execution: the meter's side of [`crate::ring`] and [`crate::event_stream`].

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use opmeter_live::{CHUNK_SIZE, Control, RING_RECORD, RingRecord, RingWord, Word};

use super::Meter;
use crate::event_stream;
use crate::guarded::Guarded;
use crate::ring::Ring;

/// From one look for a free chunk to the next, where there is none.
const WAIT: Duration = Duration::from_micros(50);

/// So many looks without a sign of the reader mean that it is gone: some seconds.
const PATIENCE: u32 = 200_000;

/// Looks between two at whether the reader is there.
const CHECK: u32 = 200;

/// The state of the control file's word where no more events are taken.
const ENDED: u64 = 2;

/// What the meter keeps of events.
pub(super) struct EventTelling {
    ring: Guarded<Option<Ring>>,
    /// No more events are told.
    ended: AtomicBool,
    /// A chunk that nobody reads.
    nowhere: AtomicUsize,
}

impl EventTelling {
    pub fn new(ring: Ring) -> Self {
        let ended = AtomicBool::new(false);
        Self { ring: Guarded::new(Some(ring)), ended, nowhere: AtomicUsize::new(0) }
    }
}

impl Meter {
    /// Whether executions are told one by one.
    pub fn tells_events(&self) -> bool {
        self.events.as_ref().is_some_and(|events| !events.ended.load(Relaxed))
    }

    /// Writes a record to the calling thread's stream, if there is one.
    pub fn tell(&self, record: RingRecord, first: u64) {
        if self.tells_events() {
            event_stream::push(self, record, first);
        }
    }

    /// A number for a thread's stream; none where there is no room for it.
    pub fn begin_stream(&self) -> Option<u64> {
        let begin = |ring: &mut Option<Ring>| {
            let ring = ring.as_mut()?;
            let thread = ring.add_thread();
            if ring.suffices() {
                return Some(thread);
            }
            ring.end_thread();
            ring.word(RingWord::Lost).fetch_add(1, Relaxed);
            None
        };
        self.events.as_ref()?.ring.with(begin).flatten()
    }

    /// A thread ends with its next record here.
    pub fn end_stream(&self, next: usize) {
        let Some(events) = self.events.as_ref() else { return };
        events.ring.with(|ring| {
            let Some(ring) = ring.as_mut() else { return };
            if next != 0 && !events.is_nowhere(next) {
                ring.give(next - RING_RECORD);
            }
            ring.end_thread();
        });
    }

    /// The address of a chunk for the calling thread, whose last chunk ended at `full` (0 for none). Waits until
    /// there is one; where nobody reads events any more, it is one that nobody reads.
    pub fn next_chunk(&self, full: usize, thread: Option<u64>) -> usize {
        let Some(events) = self.events.as_ref() else { return nowhere() };
        if full != 0 && !events.is_nowhere(full) {
            events.ring.with(|ring| ring.iter().for_each(|ring| ring.give(full - RING_RECORD)));
        }
        let Some(thread) = thread else { return events.nowhere() };
        let mut beat = self.control.word(Control::EventBeat).load(Relaxed);
        let (mut looks, mut silent) = (0u32, 0);
        loop {
            if events.ended.load(Relaxed) || self.control.word(Control::Events).load(Relaxed) == ENDED {
                break;
            }
            let taken = events.ring.with(|ring| ring.as_mut().map(|ring| ring.take(thread)));
            match taken {
                Some(Some(Some(chunk))) => return chunk,
                Some(None) => break,
                Some(Some(None)) | None => std::thread::sleep(WAIT),
            }
            looks += 1;
            silent += 1;
            if looks % CHECK == 0 {
                let now = self.control.word(Control::EventBeat).load(Relaxed);
                if std::mem::replace(&mut beat, now) != now {
                    silent = 0;
                }
                if silent > PATIENCE || self.reader_is_gone() {
                    break;
                }
            }
        }
        self.end_events();
        events.nowhere()
    }

    fn reader_is_gone(&self) -> bool {
        let reader = self.control.word(Control::EventReader).load(Relaxed) as libc::pid_t;
        // SAFETY: sends no signal.
        let sent = unsafe { libc::kill(reader, 0) };
        sent != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
    }

    /// No more events are told; everything is counted on.
    fn end_events(&self) {
        let Some(events) = self.events.as_ref() else { return };
        if !events.ended.swap(true, Relaxed) {
            events.ring.with(|ring| {
                ring.iter().for_each(|ring| ring.word(RingWord::Ended).store(1, Relaxed));
            });
            let _ = self.update();
        }
    }

    /// What was dispatched before the registers were known: when, which opcode, and its cell if it has one.
    pub fn tell_discovered(&self, dispatches: &[(u64, u8, Option<u64>)]) {
        for (time, number, cell) in dispatches {
            let hook = self.rule(*number).is_none_or(|rule| !rule.execution.is_instruction);
            let record = match hook {
                true => RingRecord::Hook,
                false => RingRecord::Event(opmeter_live::Executed::new(cell.unwrap_or(0), *number)),
            };
            self.tell(record, *time);
        }
    }

    /// In a child that was just forked: tells in a ring of its own.
    pub fn restart_events(&self) {
        let Some(events) = self.events.as_ref() else { return };
        events.ring.break_lock();
        event_stream::restart();
        let path = self.with_live(|live| live.path().map(Path::to_owned)).flatten();
        let ring = path.map(|live| Ring::create(&live));
        let failed = match &ring {
            Some(Err(error)) => error.raw_os_error().map(|error| error as u64 + 2),
            _ => None,
        };
        let ring = ring.and_then(Result::ok);
        let none = ring.is_none();
        let before = events.ring.with(|present| std::mem::replace(present, ring)).flatten();
        before.into_iter().for_each(Ring::unmap);
        self.with_live(|live| live.set(Word::Events, failed.unwrap_or(1)));
        if none {
            self.end_events();
        }
    }
}

impl EventTelling {
    /// The chunk that nobody reads.
    fn nowhere(&self) -> usize {
        let known = self.nowhere.load(Relaxed);
        if known != 0 {
            return known;
        }
        let made = nowhere();
        self.nowhere.store(made, Relaxed);
        made
    }

    /// Whether a record's address lies in (or right behind) the chunk that nobody reads.
    fn is_nowhere(&self, next: usize) -> bool {
        let nowhere = self.nowhere.load(Relaxed);
        nowhere != 0 && (nowhere..=nowhere + CHUNK_SIZE).contains(&next)
    }
}

/// Makes a chunk that nobody reads.
fn nowhere() -> usize {
    let room = Box::leak(vec![0u64; 2 * CHUNK_SIZE / 8].into_boxed_slice());
    (room.as_ptr() as usize).next_multiple_of(CHUNK_SIZE)
}
