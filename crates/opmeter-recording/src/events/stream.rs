//! A thread's records as they come from the ring, and the events that they make up.

use opmeter_live::{Executed, RingRecord};
use rustc_hash::FxHashMap;

use super::block::{Head, Kind};
use super::code::{Encoder, SiteNumbers, Waiting};

/// Events that a block has at most.
const BLOCK_EVENTS: u32 = 1 << 17;

/// Bytes after which a block ends.
const BLOCK_BYTES: usize = 1 << 20;

/// How many of the latest events at a place of a combined opcode with a guard are remembered.
const REMEMBERED: usize = 8;

/// In a block of what became known later: the event did not execute what its opcode combines.
pub const UNFOLDED: u64 = u64::MAX;

/// An event that is not written yet, for its end is not known.
struct Pending {
    executed: Executed,
    start: u64,
    waiting: Waiting,
}

/// An event that waits for C code to return.
struct Outer {
    /// Its number in the thread.
    event: u64,
    /// The block that it is in.
    block: u64,
    /// Cycles that it took after that block.
    later: u64,
}

/// The events of a thread.
#[derive(Default)]
pub struct Stream {
    encoder: Encoder,
    /// Time of the first event of the present block.
    start: u64,
    /// Number of blocks so far, and of events in them.
    blocks: u64,
    first: u64,
    pending: Option<Pending>,
    /// The next event began when a hook, or a dispatch that was repeated, did.
    begun: Option<u64>,
    outer: Vec<Outer>,
    /// The latest events of combined opcodes whose guard may fail unseen.
    guarded: FxHashMap<Executed, Vec<u64>>,
    late: Vec<[u64; 2]>,
}

impl Stream {
    /// A stream with nothing in it.
    pub fn begin() -> Self {
        let mut stream = Self::default();
        stream.encoder.begin();
        stream
    }

    /// Events so far, but for one whose end is not known.
    pub fn events(&self) -> u64 {
        self.first + u64::from(self.encoder.events)
    }

    /// Whether there is anything to be written.
    pub fn has_block(&self) -> bool {
        self.encoder.events > 0 || !self.late.is_empty()
    }

    /// Whether the present block is long enough to be written.
    pub fn is_full(&self) -> bool {
        self.encoder.events >= BLOCK_EVENTS || self.encoder.bytes.len() >= BLOCK_BYTES
    }

    /// Bytes of the present block so far.
    pub fn bytes(&self) -> usize {
        self.encoder.bytes.len() + self.late.len() * 16
    }

    /// Takes a record: its first word, and what it tells. `guarded` says for each opcode whether it is a combined
    /// one whose guard may fail unseen.
    #[inline]
    pub fn take(&mut self, first: u64, record: RingRecord, sites: &mut SiteNumbers, guarded: &[bool; 256]) {
        match record {
            RingRecord::Event(executed) => {
                self.end_pending(first, sites, guarded);
                let start = self.begun.take().unwrap_or(first);
                self.pending = Some(Pending { executed, start, waiting: Waiting::default() });
            }
            RingRecord::Hook => {
                self.end_pending(first, sites, guarded);
                self.begun.get_or_insert(first);
            }
            RingRecord::Repeated => {
                if let Some(pending) = self.pending.take() {
                    self.begun.get_or_insert(pending.start);
                }
            }
            RingRecord::Unfolded { number, count } => self.unfold(Executed::new(first, number), count),
            RingRecord::Activation { left, entered, unwound } => {
                if let Some(pending) = &mut self.pending {
                    pending.waiting = Waiting { left, entered, unwound };
                }
            }
        }
    }

    /// No more records come. The last event's end is not known, and will not be: it is written all the same, without
    /// cycles, if `with_last` says so.
    pub fn end(&mut self, with_last: bool, sites: &mut SiteNumbers, guarded: &[bool; 256]) {
        if let Some(start) = self.pending.as_ref().map(|pending| pending.start).filter(|_| with_last) {
            self.end_pending(start, sites, guarded);
        }
        self.pending = None;
        while let Some(outer) = self.outer.pop() {
            self.end_outer(&outer);
        }
    }

    #[inline]
    fn end_pending(&mut self, end: u64, sites: &mut SiteNumbers, guarded: &[bool; 256]) {
        let Some(pending) = self.pending.take() else { return };
        if self.encoder.events == 0 {
            self.start = pending.start;
        }
        let gap = end.saturating_sub(pending.start);
        if guarded[usize::from(pending.executed.number())] {
            let latest = self.guarded.entry(pending.executed).or_default();
            if latest.len() == REMEMBERED {
                latest.remove(0);
            }
            latest.push(self.first + u64::from(self.encoder.events));
        }
        self.encoder.event(pending.executed.0, gap, sites);
        if pending.waiting != Waiting::default() {
            self.encoder.waiting(pending.waiting);
            self.note_waiting(pending.waiting, gap);
        }
    }

    fn note_waiting(&mut self, waiting: Waiting, gap: u64) {
        if waiting.entered {
            let event = self.events() - 1;
            self.outer.push(Outer { event, block: self.blocks, later: 0 });
        }
        if waiting.left
            && let Some(outer) = self.outer.last_mut()
            && outer.block != self.blocks
        {
            outer.later = outer.later.saturating_add(gap);
        }
        let left = self.outer.len().saturating_sub(usize::try_from(waiting.unwound).unwrap_or(usize::MAX));
        while self.outer.len() > left {
            if let Some(outer) = self.outer.pop() {
                self.end_outer(&outer);
            }
        }
    }

    fn end_outer(&mut self, outer: &Outer) {
        if outer.later > 0 {
            self.late.push([outer.event, outer.later]);
        }
    }

    fn unfold(&mut self, executed: Executed, count: u32) {
        let mut count = count as usize;
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.executed == executed) {
            pending.executed = executed.unfolded();
            count = count.saturating_sub(1);
        }
        let Some(latest) = self.guarded.get_mut(&executed) else { return };
        for event in latest.drain(latest.len().saturating_sub(count)..) {
            self.late.push([event, UNFOLDED]);
        }
    }

    /// The blocks of what there is so far: events, and what became known of earlier ones.
    pub fn blocks(&mut self, thread: u32) -> Vec<Vec<u8>> {
        let mut blocks = Vec::new();
        let head = |kind, events, first, start| Head { kind, thread, length: 0, events, first, start };
        if self.encoder.events > 0 {
            let head = head(Kind::Events, self.encoder.events, self.first, self.start);
            blocks.push(head.block(&self.encoder.bytes));
            self.first += u64::from(self.encoder.events);
            self.blocks += 1;
            self.encoder.begin();
        }
        if !self.late.is_empty() {
            let body: Vec<u8> = self.late.drain(..).flatten().flat_map(u64::to_le_bytes).collect();
            blocks.push(head(Kind::Late, 0, 0, 0).block(&body));
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNGUARDED: [bool; 256] = [false; 256];

    fn event(number: u8) -> RingRecord {
        RingRecord::Event(Executed::new(4096, number))
    }

    fn take(stream: &mut Stream, records: &[(u64, RingRecord)], guarded: &[bool; 256]) {
        let mut sites = SiteNumbers::default();
        records.iter().for_each(|(first, record)| stream.take(*first, *record, &mut sites, guarded));
        stream.end(true, &mut sites, guarded);
    }

    #[test]
    fn hooks_and_repeated_dispatches_are_part_of_what_follows() {
        let mut stream = Stream::begin();
        let records = [
            (100, event(1)),
            (130, RingRecord::Hook),
            (150, event(2)),
            (190, event(3)),
            (1, RingRecord::Repeated),
            (200, event(4)),
            (260, event(5)),
        ];
        take(&mut stream, &records, &UNGUARDED);
        // Gaps of 30, 60 (from the hook on), 70 (from the repeated dispatch on), and an end that is not known.
        assert_eq!(stream.encoder.bytes, [242, 0, 30, 242, 1, 60, 242, 2, 70, 242, 3, 0]);
        assert_eq!((stream.events(), stream.start), (4, 100));
    }

    #[test]
    fn what_becomes_known_in_a_later_block_is_written_later() {
        let mut stream = Stream::begin();
        let mut sites = SiteNumbers::default();
        let mut go = |stream: &mut Stream, first, record| stream.take(first, record, &mut sites, &UNGUARDED);
        let activation = |left, entered, unwound| RingRecord::Activation { left, entered, unwound };
        go(&mut stream, 100, event(1));
        go(&mut stream, 1, activation(false, true, 0));
        go(&mut stream, 150, event(2));
        go(&mut stream, 170, event(3));
        assert_eq!(stream.blocks(0).len(), 1);
        // The callback returns in another block, and takes 40 cycles for that.
        go(&mut stream, 190, event(4));
        go(&mut stream, 1, activation(true, false, 1));
        go(&mut stream, 230, event(5));
        assert_eq!(stream.late, [[0, 40]]);
        assert_eq!(stream.outer.len(), 0);
        assert_eq!(stream.blocks(0).len(), 2);
    }

    #[test]
    fn a_combined_opcode_that_did_not_combine_is_found_even_if_it_is_not_the_last() {
        let mut guarded = UNGUARDED;
        guarded[9] = true;
        let unfolded = |count| (4096, RingRecord::Unfolded { number: 9, count });
        let mut stream = Stream::begin();
        let records =
            [(1, event(9)), (2, event(1)), (3, event(9)), (4, event(2)), (5, event(9)), unfolded(2)];
        take(&mut stream, &records, &guarded);
        // The last one by its site, the one before in hindsight.
        assert_eq!(stream.late, [[2, UNFOLDED]]);
        assert_eq!(stream.events(), 5);
    }
}
