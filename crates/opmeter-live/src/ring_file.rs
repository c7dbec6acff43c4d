//! Reading a ring of events while its process writes to it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use opmeter_files::open_regular;

use crate::{
    CHUNK_ROW, CHUNK_SIZE, CHUNK_TABLE, CHUNKS_OFFSET, ChunkState, MAX_CHUNKS, RING_RECORD, RingWord,
};

/// A ring, from the reader's side.
pub struct RingFile {
    file: File,
    /// How much of each chunk was read, in bytes, the empty place at its beginning included.
    read: Vec<usize>,
    buffer: Vec<u8>,
}

/// A chunk that has something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Its number in the process, in the order in which chunks were taken.
    pub number: u64,
    /// Its thread.
    pub thread: u64,
    /// Where it is.
    place: usize,
    /// Whether nobody writes to it any more.
    full: bool,
}

impl Chunk {
    /// Whether nobody writes to it any more.
    pub fn is_full(&self) -> bool {
        self.full
    }
}

impl RingFile {
    /// Opens a ring.
    ///
    /// # Errors
    /// When the file can't be opened, or is no regular one.
    pub fn open(path: &Path) -> io::Result<Self> {
        open_regular(path)?;
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self { file, read: Vec::new(), buffer: vec![0; CHUNK_SIZE] })
    }

    /// A word of the head; 0 where it can't be read.
    pub fn word(&self, word: RingWord) -> u64 {
        let mut bytes = [0; 8];
        match self.file.read_exact_at(&mut bytes, word as u64 * 8) {
            Ok(()) => u64::from_le_bytes(bytes),
            Err(_) => 0,
        }
    }

    /// The chunks that are being filled or are full, in the order in which they were taken.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn chunks(&mut self) -> io::Result<Vec<Chunk>> {
        let count = (self.word(RingWord::Chunks) as usize).min(MAX_CHUNKS);
        self.read.resize(count.max(self.read.len()), RING_RECORD);
        let mut table = vec![0; count * CHUNK_ROW];
        self.file.read_exact_at(&mut table, CHUNK_TABLE as u64)?;
        let mut chunks: Vec<Chunk> = table
            .chunks_exact(CHUNK_ROW)
            .enumerate()
            .filter_map(|(place, row)| {
                let word = |at: usize| row[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
                let full = match ChunkState::from_word(word(0)) {
                    ChunkState::Free | ChunkState::Taken => return None,
                    ChunkState::Filling => false,
                    ChunkState::Full => true,
                };
                Some(Chunk { number: word(16), thread: word(8), place, full })
            })
            .collect();
        chunks.sort_unstable_by_key(|chunk| chunk.number);
        Ok(chunks)
    }

    /// Reads what was written to a chunk since the last time: whole records. `settled` says that its process
    /// writes no more.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(&mut self, chunk: &Chunk, settled: bool) -> io::Result<&[u8]> {
        let from = self.read[chunk.place];
        let start = (CHUNKS_OFFSET + chunk.place * CHUNK_SIZE) as u64;
        let length = CHUNK_SIZE - from;
        self.file.read_exact_at(&mut self.buffer[..length], start + from as u64)?;
        let mut records = self.buffer[..length].chunks_exact(RING_RECORD);
        let written = records.position(|record| record[..8] == [0; 8]).unwrap_or(length / RING_RECORD);
        let written = written * RING_RECORD;
        if !chunk.full && !settled && written > 0 {
            // It may have been read while it was written, in whatever order: what was there then is whole now.
            self.file.read_exact_at(&mut self.buffer[..written], start + from as u64)?;
        }
        self.read[chunk.place] = from + written;
        Ok(&self.buffer[..written])
    }

    /// Lets the process fill a chunk anew, which is full and was read.
    ///
    /// # Errors
    /// When the file can't be written to.
    pub fn free(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.read[chunk.place] = RING_RECORD;
        let at = (CHUNK_TABLE + chunk.place * CHUNK_ROW) as u64;
        self.file.write_all_at(&(ChunkState::Free as u64).to_le_bytes(), at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_read_in_order_as_far_as_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1-0.ring");
        let file = File::create(&path).unwrap();
        file.set_len((CHUNKS_OFFSET + 4 * CHUNK_SIZE) as u64).unwrap();
        let word = |at: usize, word: u64| file.write_all_at(&word.to_le_bytes(), at as u64).unwrap();
        word(RingWord::Chunks as usize * 8, 4);
        let chunk = |place: usize, state: ChunkState, number: u64| {
            let row = CHUNK_TABLE + place * CHUNK_ROW;
            [state as u64, 5, number].into_iter().enumerate().for_each(|(i, value)| word(row + i * 8, value));
        };
        let record = |place: usize, index: usize, time: u64| {
            let at = CHUNKS_OFFSET + place * CHUNK_SIZE + (index + 1) * RING_RECORD;
            word(at, time);
            word(at + 8, time + 100);
        };
        chunk(0, ChunkState::Full, 9);
        chunk(1, ChunkState::Taken, 11);
        chunk(2, ChunkState::Filling, 8);
        (0..3).for_each(|index| record(2, index, index as u64 + 1));
        (0..CHUNK_SIZE / RING_RECORD - 1).for_each(|index| record(0, index, 7));
        let mut ring = RingFile::open(&path).unwrap();
        let chunks = ring.chunks().unwrap();
        assert_eq!(
            chunks.iter().map(|one| (one.number, one.thread, one.full)).collect::<Vec<_>>(),
            [(8, 5, false), (9, 5, true)]
        );
        let read = ring.read(&chunks[0], false).unwrap();
        let words: Vec<u64> =
            read.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words, [1, 101, 2, 102, 3, 103]);
        assert!(ring.read(&chunks[0], false).unwrap().is_empty());
        record(2, 3, 4);
        assert_eq!(ring.read(&chunks[0], false).unwrap().len(), RING_RECORD);
        assert_eq!(ring.read(&chunks[1], false).unwrap().len(), CHUNK_SIZE - RING_RECORD);
        ring.free(&chunks[1]).unwrap();
        assert_eq!(ring.chunks().unwrap().len(), 1);
    }
}
