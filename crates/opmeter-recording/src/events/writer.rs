//! Writing the events of a process while it runs.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use opmeter_files::PRIVATE;
use opmeter_live::{RING_RECORD, RingRecord};
use opmeter_opcodes::{Execution, OpcodeTable};

use super::block::{EndReason, HEAD, Head, Kind, MAGIC};
use super::code::SiteNumbers;
use super::stream::Stream;

/// Records between two looks at how much room is left.
const LOOK: usize = 256;

/// Bytes that are kept for what has to be written at the end: this, or a part of all there may be.
const FOR_THE_END: u64 = 0x1_0000;

/// How much may be recorded, by all processes together, and how much was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Events.
    pub max_events: u64,
    /// Bytes on disk.
    pub max_bytes: u64,
    /// Events so far.
    events: u64,
    /// Bytes so far, those that are to be written included.
    bytes: u64,
}

impl Budget {
    /// As many events and bytes as these; none means that there is no limit.
    pub fn new(max_events: Option<u64>, max_bytes: Option<u64>) -> Self {
        let max_bytes = max_bytes.map_or(u64::MAX, |bytes| bytes - FOR_THE_END.min(bytes / 8));
        Self { max_events: max_events.unwrap_or(u64::MAX), max_bytes, events: 0, bytes: 0 }
    }

    /// Why no more can be recorded, if so.
    fn full(&self) -> Result<(), Full> {
        match () {
            () if self.events >= self.max_events => Err(Full::Events),
            () if self.bytes >= self.max_bytes => Err(Full::Size),
            () => Ok(()),
        }
    }
}

/// Why no more events can be recorded.
#[derive(Debug)]
pub enum Full {
    /// There are as many as were asked for.
    Events,
    /// The files are as long as was asked for.
    Size,
    /// They can't be written.
    Disk(io::Error),
}

impl Full {
    /// The same, as it is recorded.
    pub fn reason(&self) -> EndReason {
        match self {
            Self::Events => EndReason::MaxEvents,
            Self::Size => EndReason::MaxSize,
            Self::Disk(_) => EndReason::Disk,
        }
    }
}

/// Writes the events of a process.
pub struct EventWriter {
    file: File,
    /// Its length as far as it is whole.
    length: u64,
    sites: SiteNumbers,
    /// By thread.
    streams: BTreeMap<u32, Stream>,
    guarded: [bool; 256],
    /// Since when there is something that is not written.
    waits: Option<Instant>,
    /// Blocks that could not be written.
    unwritten: Vec<Vec<u8>>,
}

impl EventWriter {
    /// Makes the file; `version` is the interpreter's.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn create(path: &Path, version: (u8, u8)) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
        file.write_all(&MAGIC)?;
        Ok(Self {
            file,
            length: MAGIC.len() as u64,
            sites: SiteNumbers::default(),
            streams: BTreeMap::new(),
            guarded: guarded(version),
            waits: None,
            unwritten: Vec::new(),
        })
    }

    /// Takes records of a thread, as they stand in a ring.
    ///
    /// # Errors
    /// Why not all of them could be taken.
    pub fn take(&mut self, thread: u64, records: &[u8], budget: &mut Budget) -> Result<(), Full> {
        // What has no such number is no thread, but a damaged ring.
        let Ok(thread) = u32::try_from(thread) else { return Ok(()) };
        self.streams.entry(thread).or_insert_with(Stream::begin);
        if !records.is_empty() {
            self.waits.get_or_insert_with(Instant::now);
        }
        for records in records.chunks(LOOK * RING_RECORD) {
            let Some(stream) = self.streams.get_mut(&thread) else { break };
            let before = (stream.events(), stream.bytes() + self.sites.new.len() * 8);
            let few = budget.max_events.saturating_sub(budget.events) <= LOOK as u64;
            for record in records.chunks_exact(RING_RECORD) {
                let word = |at: usize| record[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
                if few && stream.events() - before.0 + budget.events >= budget.max_events {
                    break;
                }
                stream.take(word(0), RingRecord::from_word(word(8)), &mut self.sites, &self.guarded);
            }
            budget.events += stream.events() - before.0;
            let after = stream.bytes() + self.sites.new.len() * 8;
            budget.bytes += after.saturating_sub(before.1) as u64;
            if stream.is_full() {
                self.write_stream(thread, budget)?;
            }
            budget.full()?;
        }
        Ok(())
    }

    /// Writes what has waited for so long.
    ///
    /// # Errors
    /// When that can't be done.
    pub fn flush(&mut self, waited: Duration, budget: &mut Budget) -> Result<(), Full> {
        if self.waits.is_some_and(|since| since.elapsed() >= waited) {
            for thread in self.threads() {
                self.write_stream(thread, budget)?;
            }
            self.waits = None;
        }
        Ok(())
    }

    /// No more events come: writes what is left, and what could not be written before.
    ///
    /// # Errors
    /// When that can't be done. It may be tried again.
    pub fn finish(&mut self, budget: &mut Budget) -> Result<(), Full> {
        let unwritten = std::mem::take(&mut self.unwritten);
        unwritten.into_iter().map(|block| self.write(block)).fold(Ok(()), Result::and)?;
        for thread in self.threads() {
            let Some(stream) = self.streams.get_mut(&thread) else { continue };
            let before = stream.events();
            stream.end(budget.events < budget.max_events, &mut self.sites, &self.guarded);
            budget.events += stream.events() - before;
            self.write_stream(thread, budget)?;
        }
        Ok(())
    }

    /// Marks the end: why there are no more events, with the system's error number. What could not be written is
    /// given up.
    ///
    /// # Errors
    /// When the mark can't be written.
    pub fn mark_end(&mut self, reason: EndReason, error: i32) -> Result<(), Full> {
        self.unwritten.clear();
        let head = Head { kind: Kind::End, thread: 0, length: 0, events: 0, first: 0, start: 0 };
        let body = [(reason as u64).to_le_bytes(), i64::from(error).to_le_bytes()].concat();
        self.write(head.block(&body))
    }

    fn threads(&self) -> Vec<u32> {
        self.streams.keys().copied().collect()
    }

    fn write_stream(&mut self, thread: u32, budget: &mut Budget) -> Result<(), Full> {
        let Some(stream) = self.streams.get_mut(&thread).filter(|stream| stream.has_block()) else {
            return Ok(());
        };
        let blocks = stream.blocks(thread);
        let mut sites_written = Ok(());
        if !self.sites.new.is_empty() {
            let sites = std::mem::take(&mut self.sites.new);
            let body: Vec<u8> = sites.into_iter().flat_map(u64::to_le_bytes).collect();
            let head = Head { kind: Kind::Sites, thread: 0, length: 0, events: 0, first: 0, start: 0 };
            budget.bytes += HEAD as u64;
            sites_written = self.write(head.block(&body));
        }
        budget.bytes += (blocks.len() * HEAD) as u64;
        blocks.into_iter().map(|block| self.write(block)).fold(sites_written, Result::and)
    }

    /// Writes a block whole or not at all. Behind one that could not be written there is none.
    fn write(&mut self, block: Vec<u8>) -> Result<(), Full> {
        if !self.unwritten.is_empty() {
            self.unwritten.push(block);
            return Err(Full::Disk(io::ErrorKind::StorageFull.into()));
        }
        match self.file.write_all(&block) {
            Ok(()) => {
                self.length += block.len() as u64;
                Ok(())
            }
            Err(error) => {
                // The next block, if there is room for it, comes where this one would have been.
                let _ = self.file.set_len(self.length);
                let _ = io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.length));
                self.unwritten.push(block);
                Err(Full::Disk(error))
            }
        }
    }
}

/// The combined opcodes of a version whose guards may fail unseen.
fn guarded((major, minor): (u8, u8)) -> [bool; 256] {
    let mut guarded = [false; 256];
    if let Some(table) = OpcodeTable::built_in(major, minor) {
        for opcode in table.iter() {
            if let Some((_, combined)) = Execution::of(opcode, &table).unfolds {
                guarded[usize::from(combined)] = true;
            }
        }
    }
    guarded
}

#[cfg(test)]
mod tests {
    use opmeter_live::Executed;

    use super::super::{EventFile, Events};
    use super::*;

    /// Records as they stand in a ring.
    fn records(events: impl Iterator<Item = (u64, RingRecord)>) -> Vec<u8> {
        events.flat_map(|(first, record)| [first, record.word()]).flat_map(u64::to_le_bytes).collect()
    }

    /// A loop of so many events, one every 30 cycles from a time on.
    fn turns(start: u64, count: u64) -> Vec<u8> {
        let event = |n: u64| RingRecord::Event(Executed::new(4096 + n % 7 * 8, (n % 7) as u8));
        records((0..count).map(|n| (start + n * 30, event(n))))
    }

    fn written(max_events: Option<u64>, max_bytes: Option<u64>) -> (tempfile::TempDir, Full, EventFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events/1-0.events");
        let mut budget = Budget::new(max_events, max_bytes);
        let mut writer = EventWriter::create(&path, (3, 11)).unwrap();
        let full = loop {
            if let Err(full) = writer.take(0, &turns(1000, 4095), &mut budget) {
                break full;
            }
        };
        writer.finish(&mut budget).unwrap();
        writer.mark_end(full.reason(), 0).unwrap();
        let file = EventFile::open(&path).unwrap();
        assert_eq!(file.torn, None);
        (folder, full, file)
    }

    #[test]
    fn threads_are_written_each_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events/1-0.events");
        let mut budget = Budget::new(None, None);
        let mut writer = EventWriter::create(&path, (3, 12)).unwrap();
        for part in 0..100 {
            writer.take(0, &turns(10_000 + part * 4095 * 30, 4095), &mut budget).unwrap();
            writer.take(2, &turns(500_000 + part * 300 * 30, 300), &mut budget).unwrap();
            writer.flush(Duration::ZERO, &mut budget).unwrap();
        }
        writer.finish(&mut budget).unwrap();
        writer.mark_end(EndReason::Process, 0).unwrap();
        let mut file = EventFile::open(&path).unwrap();
        assert_eq!((file.events(), file.threads(), file.sites.len()), (439_500, 3, 7));
        assert_eq!((file.start(), file.end, file.torn), (10_000, Some((EndReason::Process, 0)), None));
        let mut events = Events::default();
        let mut next = [0; 3];
        for block in 0..file.blocks() {
            assert!(file.read(block, &mut events).unwrap());
            let thread = events.thread as usize;
            assert_eq!(events.first, next[thread]);
            for (event, number) in events.events.iter().zip(events.first..) {
                assert_eq!(
                    file.sites[event.site as usize].number(),
                    (number % [4095, 1, 300][thread] % 7) as u8
                );
                assert_eq!(event.start, [10_000, 0, 500_000][thread] + number * 30);
                let last = number + 1 == [409_500, 0, 30_000][thread];
                assert_eq!(event.cycles, if last { 0 } else { 30 });
            }
            next[thread] += events.events.len() as u64;
        }
        assert_eq!(next, [409_500, 0, 30_000]);
        assert!((file.length as f64) < 439_500.0 * 1.1, "{}", file.length);
    }

    #[test]
    fn as_many_are_written_as_there_may_be() {
        for max in [1, 255, 256, 257, 4095, 10_000] {
            let (_folder, full, file) = written(Some(max), None);
            assert!(matches!(full, Full::Events));
            assert_eq!((file.events(), file.end), (max, Some((EndReason::MaxEvents, 0))));
        }
    }

    #[test]
    fn files_are_no_longer_than_they_may_be() {
        for max in [20_000, 1 << 20, 3_000_000] {
            let (_folder, full, file) = written(None, Some(max));
            assert!(matches!(full, Full::Size));
            assert!(file.length <= max && file.length > max * 3 / 4, "{max}: {}", file.length);
            assert!(file.events() > max / 2);
        }
    }

    #[test]
    fn what_is_known_later_is_added_where_it_belongs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events/1-0.events");
        let mut budget = Budget::new(None, None);
        let mut writer = EventWriter::create(&path, (3, 11)).unwrap();
        let mut take =
            |writer: &mut EventWriter, records: &[u8]| writer.take(0, records, &mut budget).unwrap();
        let event = |number| RingRecord::Event(Executed::new(4096, number));
        let activation = |left, entered, unwound| RingRecord::Activation { left, entered, unwound };
        let called = [(100, event(1)), (7, activation(false, true, 0)), (150, event(2)), (160, event(3))];
        take(&mut writer, &records(called.into_iter()));
        // Within the block, and again after it.
        take(
            &mut writer,
            &records([(7, activation(true, false, 0)), (200, event(2)), (210, event(3))].into_iter()),
        );
        let mut budget = Budget::new(None, None);
        writer.flush(Duration::ZERO, &mut budget).unwrap();
        let rest = [(7, activation(true, false, 1)), (270, event(4)), (280, event(5))];
        writer.take(0, &records(rest.into_iter()), &mut budget).unwrap();
        writer.finish(&mut budget).unwrap();
        let mut file = EventFile::open(&path).unwrap();
        let mut found = Vec::new();
        let mut events = Events::default();
        for block in 0..file.blocks() {
            assert!(file.read(block, &mut events).unwrap());
            found.extend(events.events.iter().map(|event| (event.start, event.cycles)));
        }
        // The call takes 50 cycles, then 40 and 60 of those that passed after its callbacks had returned.
        let expected = [(100, 150), (150, 10), (160, 0), (200, 10), (210, 0), (270, 10), (280, 0)];
        assert_eq!(found, expected);
        // It has no end: the recording was interrupted.
        assert_eq!(file.end, None);
    }
}
