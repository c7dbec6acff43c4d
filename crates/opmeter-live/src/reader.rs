//! Reading a live file.

use std::fmt;
use std::path::{Path, PathBuf};

use opmeter_files::read_whole;

use crate::{
    CELLS_EXTENSION, CODE_EXTENSION, Counts, LAYOUT, LONG_EXTENSION, MAGIC, MAX_PAIRS_SLOTS, MAX_SLOTS,
    MAX_TIMES_SLOTS, PAIRS_EXTENSION, PHASES, Status, TEXT_SIZE, TIMES_EXTENSION, Text, Word,
    pairs_slot_offset, slot_offset, snapshot_offset, times_slot_offset,
};

/// A live file, read at one moment.
#[derive(Debug, Clone)]
pub struct LiveFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Why a live file can't be read.
#[derive(Debug)]
pub enum ReadError {
    /// The system refused.
    Io(PathBuf, std::io::Error),
    /// The process ended while it made the file: it has run no bytecode.
    NotBegun(PathBuf),
    /// The file is no live file, is torn, or is of another layout.
    Format(PathBuf, &'static str),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "can't read {}: {error}", path.display()),
            Self::NotBegun(path) => write!(f, "{} was never begun", path.display()),
            Self::Format(path, problem) => write!(f, "{} {problem}", path.display()),
        }
    }
}

impl std::error::Error for ReadError {}

impl LiveFile {
    /// Reads a file as it is now.
    ///
    /// # Errors
    /// When it can't be read, was never begun, is no live file, or ends before its first slot does.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = read_whole(path, slot_offset(MAX_SLOTS) as u64)
            .map_err(|error| ReadError::Io(path.to_owned(), error))?;
        Self::from_bytes(path, bytes)
    }

    fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, ReadError> {
        let error = |problem| ReadError::Format(path.to_owned(), problem);
        // This word is written last.
        if bytes.iter().take(8).all(|byte| *byte == 0) {
            return Err(ReadError::NotBegun(path.to_owned()));
        }
        let file = Self { path: path.to_owned(), bytes };
        if file.bytes.len() < slot_offset(1) {
            return Err(error("is torn: it ends before its first counters do"));
        }
        if file.word(Word::Magic) != MAGIC {
            return Err(error("is no live counter file"));
        }
        if file.word(Word::Layout) != LAYOUT {
            return Err(error("was written by another version of Opmeter; use that one to read it"));
        }
        Ok(file)
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One word of the header.
    pub fn word(&self, word: Word) -> u64 {
        let offset = word as usize * 8;
        self.bytes[offset..offset + 8].try_into().map_or(0, u64::from_le_bytes)
    }

    /// One text of the header.
    pub fn text(&self, text: Text) -> String {
        let offset = crate::text_offset(text);
        let field = &self.bytes[offset..offset + TEXT_SIZE];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(TEXT_SIZE);
        String::from_utf8_lossy(&field[..end]).into_owned()
    }

    /// What became of the process.
    pub fn status(&self) -> Status {
        Status::from_word(self.word(Word::Status))
    }

    /// Counters of a phase (0 to 2), all threads together; zeros for a phase that was not reached.
    pub fn phase(&self, phase: usize) -> Counts {
        let current = (self.word(Word::Phase) as usize).min(PHASES - 1);
        if phase > current {
            return Counts::zero();
        }
        let mut counts = if phase == current {
            self.total()
        } else {
            Counts::read(&self.bytes, snapshot_offset(phase)).unwrap_or_else(Counts::zero)
        };
        if phase > 0 {
            let before = Counts::read(&self.bytes, snapshot_offset(phase - 1));
            counts.subtract(&before.unwrap_or_else(Counts::zero));
        }
        counts
    }

    fn total(&self) -> Counts {
        let slots = (self.word(Word::Slots) as usize).clamp(1, MAX_SLOTS);
        let mut total = Counts::zero();
        for counts in (0..slots).map_while(|slot| Counts::read(&self.bytes, slot_offset(slot))) {
            total.add(&counts);
        }
        total
    }
}

/// The longest code log, cells and long executions that are read, in bytes: there is no most of these.
const LONGEST: u64 = 1 << 30;

/// What the file with this extension beside a live file holds; nothing where there is no such file.
///
/// # Errors
/// When it can't be read, is no regular file, or is longer than any is.
pub fn read_companion(live: &Path, extension: &str) -> Result<Vec<u8>, ReadError> {
    let longest = match extension {
        PAIRS_EXTENSION => pairs_slot_offset(MAX_PAIRS_SLOTS) as u64,
        TIMES_EXTENSION => times_slot_offset(MAX_TIMES_SLOTS) as u64,
        // Cells with times take sixteen times the bytes that the log has of a code unit.
        CELLS_EXTENSION => 4 * LONGEST,
        CODE_EXTENSION | LONG_EXTENSION => LONGEST,
        _ => return Ok(Vec::new()),
    };
    let path = live.with_extension(extension);
    match read_whole(&path, longest) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(|error| ReadError::Io(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HEADER_SIZE, offset};

    fn file(slots: usize, phase: u64) -> Vec<u8> {
        let mut bytes = vec![0; slot_offset(slots)];
        let mut word = |word: Word, value: u64| {
            bytes[word as usize * 8..word as usize * 8 + 8].copy_from_slice(&value.to_le_bytes());
        };
        word(Word::Magic, MAGIC);
        word(Word::Layout, LAYOUT);
        word(Word::Slots, slots as u64);
        word(Word::Phase, phase);
        bytes
    }

    fn set(bytes: &mut [u8], offset: usize, value: u64) {
        bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    }

    #[test]
    fn phases_are_differences_of_snapshots() {
        let mut bytes = file(2, 2);
        let opcode = offset::EXECUTIONS + 100 * 8;
        set(&mut bytes, snapshot_offset(0) + opcode, 10);
        set(&mut bytes, snapshot_offset(1) + opcode, 25);
        set(&mut bytes, slot_offset(0) + opcode, 20);
        set(&mut bytes, slot_offset(1) + opcode, 12);
        let live = LiveFile::from_bytes(Path::new("x"), bytes).unwrap();
        let executions: Vec<u64> = (0..3).map(|phase| live.phase(phase).executions[100]).collect();
        assert_eq!(executions, [10, 15, 7]);
    }

    #[test]
    fn a_phase_that_was_not_reached_is_zero() {
        let mut bytes = file(1, 0);
        set(&mut bytes, slot_offset(0) + offset::REDISPATCHES, 3);
        let live = LiveFile::from_bytes(Path::new("x"), bytes).unwrap();
        assert_eq!(live.phase(0).redispatches, 3);
        assert_eq!(live.phase(1), Counts::zero());
    }

    #[test]
    fn torn_and_foreign_files_are_refused() {
        let torn = LiveFile::from_bytes(Path::new("x"), file(1, 0)[..HEADER_SIZE].to_vec()).unwrap_err();
        assert!(torn.to_string().contains("torn"), "{torn}");
        for length in [0, 5, HEADER_SIZE, slot_offset(1)] {
            let empty = LiveFile::from_bytes(Path::new("x"), vec![0; length]).unwrap_err();
            assert!(matches!(empty, ReadError::NotBegun(_)), "{empty}");
        }
        let foreign = LiveFile::from_bytes(Path::new("x"), vec![7; slot_offset(1)]).unwrap_err();
        assert!(foreign.to_string().contains("no live counter file"), "{foreign}");
        let mut newer = file(1, 0);
        set(&mut newer, 8, LAYOUT + 1);
        let newer = LiveFile::from_bytes(Path::new("x"), newer).unwrap_err();
        assert!(newer.to_string().contains("another version"), "{newer}");
    }
}
