//! Reading a file of events.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use opmeter_files::open_regular;
use opmeter_live::Executed;

use super::block::{EndReason, HEAD, Head, Kind, MAGIC};
use super::code::{Decoder, Item};
use super::stream::UNFOLDED;

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What was executed: an index into [`EventFile::sites`].
    pub site: u32,
    /// When, in cycles of the thread's clock.
    pub start: u64,
    /// How many cycles it took, those of reading the time-stamp counter included; 0 where it has returned to C
    /// code, whose time is that of who called it, or where its end is not known.
    pub cycles: u64,
    /// Whether it is a combined opcode that has not executed what it combines.
    pub unfolded: bool,
}

/// Events of one thread, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// The thread: threads are numbered from 0 in the order in which they began to execute.
    pub thread: u32,
    /// The number of the first event in its thread.
    pub first: u64,
    /// The events.
    pub events: Vec<Event>,
}

/// A file of events, opened: what it holds is known, but not read yet.
pub struct EventFile {
    file: File,
    /// What events are of, by site.
    pub sites: Vec<Executed>,
    /// Blocks of events, with their heads and where they are.
    blocks: Vec<(u64, [u8; HEAD], Head)>,
    /// What became known later: thread, event, cycles.
    late: Vec<(u32, u64, u64)>,
    /// Why the events end, with the system's error number; none where the file has no end.
    pub end: Option<(EndReason, i32)>,
    /// Where the file is damaged, in bytes.
    pub torn: Option<u64>,
    /// The file's length in bytes.
    pub length: u64,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl EventFile {
    /// Opens a file, and reads all but the events. Whatever comes behind damage is left out.
    ///
    /// # Errors
    /// When it can't be read, or is no file of events.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = open_regular(path)?;
        let length = file.metadata()?.len();
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic).map_err(|_| not_events())?;
        if magic != MAGIC {
            return Err(not_events());
        }
        let mut events = Self {
            file,
            sites: Vec::new(),
            blocks: Vec::new(),
            late: Vec::new(),
            end: None,
            torn: None,
            length,
            decoder: Decoder::default(),
            bytes: Vec::new(),
        };
        let mut at = MAGIC.len() as u64;
        while at < length && events.end.is_none() {
            match events.read_head(at)? {
                Some(next) => at = next,
                None => {
                    events.torn = Some(at);
                    break;
                }
            }
        }
        events.late.sort_unstable();
        Ok(events)
    }

    /// Reads the block at an offset, and gives where the next one is; `None` where it is damaged.
    fn read_head(&mut self, at: u64) -> io::Result<Option<u64>> {
        let mut bytes = [0; HEAD];
        if at + HEAD as u64 > self.length {
            return Ok(None);
        }
        self.file.read_exact_at(&mut bytes, at)?;
        let Some(head) = Head::read(&bytes) else { return Ok(None) };
        let next = at + (HEAD + head.length as usize) as u64;
        if next > self.length {
            return Ok(None);
        }
        if head.kind == Kind::Events {
            self.blocks.push((at, bytes, head));
            return Ok(Some(next));
        }
        let mut body = vec![0; head.length as usize];
        self.file.read_exact_at(&mut body, at + HEAD as u64)?;
        if !Head::fits(&bytes, &body) {
            return Ok(None);
        }
        let words: Vec<u64> =
            body.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_le_bytes)).collect();
        match head.kind {
            Kind::Sites => self.sites.extend(words.into_iter().map(Executed)),
            Kind::Late => {
                self.late.extend(words.chunks_exact(2).map(|pair| (head.thread, pair[0], pair[1])));
            }
            Kind::End => {
                let reason = words.first().copied().and_then(EndReason::from_word);
                let error = words.get(1).copied().unwrap_or(0) as i32;
                self.end = Some((reason.unwrap_or(EndReason::Process), error));
            }
            Kind::Events => {}
        }
        Ok(Some(next))
    }

    /// How many events there are, as far as is known.
    pub fn events(&self) -> u64 {
        self.blocks.iter().fold(0, |sum, (_, _, head)| sum.saturating_add(u64::from(head.events)))
    }

    /// How many threads have events.
    pub fn threads(&self) -> u32 {
        self.blocks.iter().map(|(_, _, head)| head.thread.saturating_add(1)).max().unwrap_or(0)
    }

    /// How many blocks of events there are.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The time of the first event of all.
    pub fn start(&self) -> u64 {
        self.blocks.iter().map(|(_, _, head)| head.start).min().unwrap_or(0)
    }

    /// Reads a block of events. False where it is damaged: [`EventFile::torn`] says where, and what lies behind
    /// it is to be left out.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn read(&mut self, block: usize, events: &mut Events) -> io::Result<bool> {
        let (at, bytes, head) = self.blocks[block];
        self.bytes.resize(head.length as usize, 0);
        self.file.seek(SeekFrom::Start(at + HEAD as u64))?;
        self.file.read_exact(&mut self.bytes)?;
        events.thread = head.thread;
        events.first = head.first;
        events.events.clear();
        let whole = Head::fits(&bytes, &self.bytes) && self.decode(head, events);
        if !whole {
            events.events.clear();
            self.torn = Some(at);
            return Ok(false);
        }
        let from =
            self.late.partition_point(|(thread, event, _)| (*thread, *event) < (head.thread, head.first));
        let end = head.first.saturating_add(u64::from(head.events));
        for (_, event, cycles) in
            self.late[from..].iter().take_while(|(thread, event, _)| *thread == head.thread && *event < end)
        {
            let event = &mut events.events[(event - head.first) as usize];
            match *cycles {
                UNFOLDED => event.unfolded = true,
                cycles => event.cycles = event.cycles.saturating_add(cycles),
            }
        }
        Ok(true)
    }

    fn decode(&mut self, head: Head, into: &mut Events) -> bool {
        let (sites, events) = (self.sites.len(), &mut into.events);
        // Each takes a byte at least.
        if head.events as usize > self.bytes.len() {
            return false;
        }
        events.reserve(head.events as usize);
        let mut start = head.start;
        let mut last_gap = 0;
        // Those that wait, by their places in the block.
        let mut outer: Vec<usize> = Vec::new();
        let read = self.decoder.block(&self.bytes, sites, |item| match item {
            Item::Event(site, gap) => {
                events.push(Event { site, start, cycles: gap, unfolded: false });
                start = start.wrapping_add(gap);
                last_gap = gap;
            }
            Item::Waiting(waiting) => {
                if waiting.entered {
                    outer.push(events.len().saturating_sub(1));
                }
                if waiting.left {
                    if let Some(event) = events.last_mut() {
                        event.cycles = 0;
                    }
                    if let Some(event) = outer.last().and_then(|outer| events.get_mut(*outer)) {
                        event.cycles = event.cycles.saturating_add(last_gap);
                    }
                }
                let left = outer.len().saturating_sub(usize::try_from(waiting.unwound).unwrap_or(usize::MAX));
                outer.truncate(left);
            }
        });
        read.is_some() && events.len() == head.events as usize
    }
}

fn not_events() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is no file of events")
}
