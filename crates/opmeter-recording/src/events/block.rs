//! Blocks of a file of events.
//!
//! A block begins with a head of 48 bytes: u32 kind, u32 thread, u32 length of what follows the head in bytes,
//! u32 number of events, u64 number of the first event in its thread, u64 time of the first event in cycles of the
//! thread's clock, u64 zero, u64 checksum: xxHash64 of what follows, its seed that of the 40 bytes before (seed 0). All
//! little-endian.
//!
//! | kind | what follows |
//! |---|---|
//! | 1, sites | u64 for each site: [`Executed`](opmeter_live::Executed); sites are numbered from 0 in their order |
//! | 2, events | see `code.rs` |
//! | 3, late | for each event that something became known of after its block had ended: u64 its number in the thread, u64 cycles that it took besides, or all ones if it did not execute what its opcode combines |
//! | 4, end | u64 reason ([`EndReason`]), u64 the system's error number |

use twox_hash::XxHash64;

/// How a file of events begins.
pub const MAGIC: [u8; 8] = *b"OPMEVNT1";

/// Size of a block's head in bytes.
pub const HEAD: usize = 48;

/// The most bytes that a block may have behind its head. What claims to be longer is damaged.
pub const LONGEST: usize = 1 << 26;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// What events are of.
    Sites = 1,
    /// Events of a thread.
    Events = 2,
    /// What became known of events later.
    Late = 3,
    /// The end.
    End = 4,
}

/// Why the events end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum EndReason {
    /// The process has ended, or the command has: all that it executed until then is there.
    Process = 0,
    /// There are as many as were asked for.
    MaxEvents = 1,
    /// The files are as long as was asked for.
    MaxSize = 2,
    /// The disk is full, or an error has occurred in writing.
    Disk = 3,
    /// The process has told no more events, for they were not read in time.
    Unread = 4,
}

impl EndReason {
    /// The reason with this value.
    pub fn from_word(word: u64) -> Option<Self> {
        let all = [Self::Process, Self::MaxEvents, Self::MaxSize, Self::Disk, Self::Unread];
        all.into_iter().find(|one| *one as u64 == word)
    }
}

/// A block's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What the block holds.
    pub kind: Kind,
    /// The thread that its events are of.
    pub thread: u32,
    /// Bytes behind the head.
    pub length: u32,
    /// How many events it has.
    pub events: u32,
    /// The number of the first one in its thread.
    pub first: u64,
    /// The time of the first one, in cycles of the thread's clock.
    pub start: u64,
}

impl Head {
    /// The block, whole.
    pub fn block(&self, body: &[u8]) -> Vec<u8> {
        let mut block = Vec::with_capacity(HEAD + body.len());
        for half in [self.kind as u32, self.thread, body.len() as u32, self.events] {
            block.extend(half.to_le_bytes());
        }
        for word in [self.first, self.start, 0] {
            block.extend(word.to_le_bytes());
        }
        let checksum = checksum(&block, body);
        block.extend(checksum.to_le_bytes());
        block.extend(body);
        block
    }

    /// Reads a head; none where these bytes are no head.
    pub fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let half = |at: usize| bytes[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
        let word = |at: usize| bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
        let kind = match half(0) {
            1 => Kind::Sites,
            2 => Kind::Events,
            3 => Kind::Late,
            4 => Kind::End,
            _ => return None,
        };
        let head = Self {
            kind,
            thread: half(4),
            length: half(8),
            events: half(12),
            first: word(16),
            start: word(24),
        };
        (head.length as usize <= LONGEST).then_some(head)
    }

    /// Whether what follows the head is what was written.
    pub fn fits(bytes: &[u8; HEAD], body: &[u8]) -> bool {
        bytes[40..48] == checksum(&bytes[..40], body).to_le_bytes()
    }
}

fn checksum(head: &[u8], body: &[u8]) -> u64 {
    // The head's seeds the body's: neither has to be copied.
    XxHash64::oneshot(XxHash64::oneshot(0, head), body)
}
