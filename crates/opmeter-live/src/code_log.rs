//! The code log and the cells: which code objects ran, and how often each of their code units.
//!
//! Beside a live file `NAME.live` lie `NAME.code`, a log of records that only grows, and `NAME.cells`, the
//! counters that its records point to. Both are made longer as need be, by whole pages with zeros.
//!
//! A record begins with a 64-bit word: its length in bytes (this word included, a multiple of 8) times
//! 256, plus its [`Kind`]. The word is written last, so that what stands behind a word of zero is not
//! yet valid. Everything is little-endian. The records' bodies:
//!
//! | kind | body |
//! |---|---|
//! | `Padding` | nothing of interest |
//! | `Text` | u64 length, then the bytes; texts are numbered from 0 in their order; the first is the folder that the process started in |
//! | `Code` | u32 text of the file's name, u32 text of the function's name, u32 first line, u32 length of the bytecode, u32 length of the line table, u32 [`CodeFlags`], then the bytecode (in base terms) and the line table; code objects are numbered from 0 in their order |
//! | `Block` | u32 code object, u32 phase, u64 offset of its cells in the cells file (a 64-bit word for each code unit), u64 their address in the process |
//! | `TimedBlock` | as `Block`, but with four words for each code unit |
//! | `Misses` | u32 code object, u32 phase, u32 code unit, u32 zero, u64 failed guards, counted in place |
//!
//! An instruction's executions stand in the cell of its first code unit. The cell behind it, if it has
//! inline caches, counts those executions in which it ran in its generic form; the one behind that, in some
//! families of 3.11 (`OpcodeTable::misses_in_cell`), failed guards. A code object may have
//! several blocks and several counts of misses in a phase: they are to be added up.
//!
//! Of the four words of a timed cell the first counts executions outside of timed slices (or whatever else the
//! cell counts), the second those within, the third timed segments (see [`Times`](crate::Times)), the fourth
//! their cycles.

use std::fmt;

/// File name extension of the code log.
pub const CODE_EXTENSION: &str = "code";

/// File name extension of the cells.
pub const CELLS_EXTENSION: &str = "cells";

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The rest of a part of the file.
    Padding = 1,
    /// A text.
    Text,
    /// A code object.
    Code,
    /// Cells of a code object in a phase.
    Block,
    /// Failed guards of an instruction in a phase.
    Misses,
    /// Cells with times of a code object in a phase.
    TimedBlock,
}

/// Bits that say what is special about a code object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeFlags;

impl CodeFlags {
    /// Instructions of the interpreter's own that belong to no code object: what lies between them is no
    /// bytecode.
    pub const OWN: u32 = 1;
}

/// The first word of a record.
pub const fn record_word(kind: Kind, length: usize) -> u64 {
    (length as u64) << 8 | kind as u64
}

/// A code object, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCode {
    /// The file's name, by its number in [`CodeLog::texts`].
    pub file: u32,
    /// The function's name, by its number.
    pub function: u32,
    /// The first line.
    pub first_line: u32,
    /// The bytecode in base terms.
    pub bytecode: Vec<u8>,
    /// The line table, in the format of the interpreter's version.
    pub line_table: Vec<u8>,
    /// Whether it stands for instructions that belong to no code object.
    pub own: bool,
}

/// Where a code object's executions in a phase are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The code object's number.
    pub code: u32,
    /// The phase, 0 to 2.
    pub phase: u32,
    /// Offset of the first cell, in bytes.
    pub offset: u64,
    /// Whether its cells have times.
    pub timed: bool,
    /// Where its cells were in the process's memory.
    pub address: u64,
}

/// Failed guards of an instruction in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misses {
    /// The code object's number.
    pub code: u32,
    /// The phase, 0 to 2.
    pub phase: u32,
    /// The code unit.
    pub unit: u32,
    /// How often its guard failed.
    pub count: u64,
}

/// A code log, read out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeLog {
    /// The texts; bytes that are not UTF-8 are replaced.
    pub texts: Vec<String>,
    /// The code objects.
    pub codes: Vec<LoggedCode>,
    /// Their cells.
    pub blocks: Vec<Block>,
    /// Failed guards.
    pub misses: Vec<Misses>,
}

/// A code log that is damaged: what comes behind the damage is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornLog {
    /// Where the damage is, in bytes.
    pub offset: usize,
}

impl fmt::Display for TornLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the log of its code objects is torn at byte {}", self.offset)
    }
}

impl CodeLog {
    /// Reads a log. What comes before any damage is read in any case.
    pub fn read(bytes: &[u8]) -> (Self, Option<TornLog>) {
        let mut log = Self::default();
        let mut at = 0;
        while let Some(word) = word_at(bytes, at) {
            if word == 0 {
                break;
            }
            let length = (word >> 8) as usize;
            let body = at.checked_add(length).and_then(|end| bytes.get(at + 8..end));
            let taken = body.and_then(|body| log.take(word as u8, body));
            if taken.is_none() || !length.is_multiple_of(8) {
                return (log, Some(TornLog { offset: at }));
            }
            at += length;
        }
        (log, None)
    }

    fn take(&mut self, kind: u8, body: &[u8]) -> Option<()> {
        let half =
            |index: usize| Some(u32::from_le_bytes(body.get(index * 4..index * 4 + 4)?.try_into().ok()?));
        match kind {
            kind if kind == Kind::Padding as u8 => {}
            kind if kind == Kind::Text as u8 => {
                let length = word_at(body, 0)? as usize;
                let text = body.get(8..)?.get(..length)?;
                self.texts.push(String::from_utf8_lossy(text).into_owned());
            }
            kind if kind == Kind::Code as u8 => {
                let (bytecode, table) = (half(3)? as usize, half(4)? as usize);
                let rest = body.get(24..)?;
                self.codes.push(LoggedCode {
                    file: half(0)?,
                    function: half(1)?,
                    first_line: half(2)?,
                    bytecode: rest.get(..bytecode)?.to_vec(),
                    line_table: rest.get(bytecode..)?.get(..table)?.to_vec(),
                    own: half(5)? & CodeFlags::OWN != 0,
                });
            }
            kind if kind == Kind::Block as u8 || kind == Kind::TimedBlock as u8 => {
                let (offset, address) = (word_at(body, 8)?, word_at(body, 16)?);
                let timed = kind == Kind::TimedBlock as u8;
                self.blocks.push(Block { code: half(0)?, phase: half(1)?, offset, timed, address });
            }
            kind if kind == Kind::Misses as u8 => {
                let count = word_at(body, 16)?;
                self.misses.push(Misses { code: half(0)?, phase: half(1)?, unit: half(2)?, count });
            }
            _ => return None,
        }
        Some(())
    }
}

fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: Kind, body: &[u8]) -> Vec<u8> {
        let length = 8 + body.len().next_multiple_of(8);
        let mut bytes = record_word(kind, length).to_le_bytes().to_vec();
        bytes.extend(body);
        bytes.resize(length, 0);
        bytes
    }

    fn halves(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn text(text: &str) -> Vec<u8> {
        record(Kind::Text, &[&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat())
    }

    fn code() -> Vec<u8> {
        record(Kind::Code, &[halves(&[1, 0, 7, 4, 3, 0]), vec![9, 0, 83, 0], vec![1, 2, 3]].concat())
    }

    #[test]
    fn records_are_read_in_order() {
        let block = record(Kind::Block, &halves(&[0, 1, 64, 0, 4096, 0]));
        let misses = record(Kind::Misses, &halves(&[0, 2, 1, 0, 5, 0]));
        let padding = record(Kind::Padding, &[0; 40]);
        let bytes = [text("f"), text("a.py"), code(), block, padding, misses, vec![0; 64]].concat();
        let (log, torn) = CodeLog::read(&bytes);
        assert_eq!(torn, None);
        assert_eq!(log.texts, ["f", "a.py"]);
        let expected = LoggedCode {
            file: 1,
            function: 0,
            first_line: 7,
            bytecode: vec![9, 0, 83, 0],
            line_table: vec![1, 2, 3],
            own: false,
        };
        assert_eq!(log.codes, [expected]);
        assert_eq!(log.blocks, [Block { code: 0, phase: 1, offset: 64, timed: false, address: 4096 }]);
        assert_eq!(log.misses, [Misses { code: 0, phase: 2, unit: 1, count: 5 }]);
    }

    #[test]
    fn what_comes_before_damage_is_read() {
        let mut bytes = [text("f"), code()].concat();
        let end = bytes.len();
        bytes.extend(record_word(Kind::Code, 1 << 40).to_le_bytes());
        let (log, torn) = CodeLog::read(&bytes);
        assert_eq!((log.texts.len(), log.codes.len()), (1, 1));
        assert_eq!(torn, Some(TornLog { offset: end }));
        for end in 0..bytes.len() {
            let _ = CodeLog::read(&bytes[..end]);
        }
    }
}
