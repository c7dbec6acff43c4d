//! What interpreters have in memory around their tables, for tests: made with `tools/memory-image.py`.

use std::ops::Range;

use crate::dispatch_table::ENTRIES;

/// How far before the jump table its image begins, in bytes.
const BEFORE_SWITCH: usize = 1024;

/// The images, as files.
const FILES: [&[u8]; 8] = [
    include_bytes!("images/cpython-3.8.image"),
    include_bytes!("images/cpython-3.9.image"),
    include_bytes!("images/cpython-3.10.image"),
    include_bytes!("images/cpython-3.11.image"),
    include_bytes!("images/cpython-3.12.image"),
    include_bytes!("images/cpython-3.13.image"),
    include_bytes!("images/cpython-3.14.image"),
    include_bytes!("images/cpython-3.15.image"),
];

/// Memory of an interpreter. Addresses are offsets from the beginning of its module.
pub struct MemoryImage {
    /// The interpreter's version.
    pub version: (u8, u8),
    /// Where the memory around the dispatch table begins.
    pub start: usize,
    /// The module's code.
    pub code: Range<usize>,
    /// The dispatch table.
    pub table: usize,
    /// The jump table of the loop's `switch`; 0 where there is none.
    pub switch: usize,
    /// The memory around the dispatch table.
    pub around_table: Vec<u8>,
    /// The memory around the jump table.
    pub around_switch: Vec<u8>,
}

impl MemoryImage {
    /// All that there are.
    pub fn all() -> Vec<Self> {
        FILES.iter().map(|file| Self::read(file)).collect()
    }

    fn read(file: &[u8]) -> Self {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap();
        let line = std::str::from_utf8(&file[..end]).unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let number = |place: usize| usize::from_str_radix(&words[place][2..], 16).unwrap();
        let (major, minor) = words[0].split_once('.').unwrap();
        let memory = &file[end + 1..];
        let (around_table, around_switch) = memory.split_at(memory.len() - number(6));
        Self {
            version: (major.parse().unwrap(), minor.parse().unwrap()),
            start: number(1),
            code: number(2)..number(3),
            table: number(4),
            switch: number(5),
            around_table: around_table.to_vec(),
            around_switch: around_switch.to_vec(),
        }
    }

    /// Where the memory around the jump table begins.
    pub fn switch_start(&self) -> usize {
        self.switch - BEFORE_SWITCH
    }

    /// The entries of the dispatch table.
    pub fn targets(&self) -> Vec<usize> {
        let table = &self.around_table[self.table - self.start..][..ENTRIES * 8];
        table.chunks_exact(8).map(|word| usize::from_le_bytes(word.try_into().unwrap())).collect()
    }
}
