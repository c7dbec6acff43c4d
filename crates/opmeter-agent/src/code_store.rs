//! Writing the code log and the cells.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use opmeter_live::{CELLS_EXTENSION, CODE_EXTENSION, CodeFlags, Kind, record_word};

use crate::growing_file::GrowingFile;

/// Size of a code unit's cell in bytes.
pub const CELL: usize = 8;

/// Size of a code unit's cell with times in bytes.
pub const TIMED_CELL: usize = 32;

/// What the log says of a code object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Description {
    /// Name of its file.
    pub file: Vec<u8>,
    /// Its own name.
    pub function: Vec<u8>,
    /// Its first line.
    pub first_line: u32,
    /// Its bytecode, in base terms.
    pub bytecode: Vec<u8>,
    /// Its line table.
    pub line_table: Vec<u8>,
    /// Whether it stands for instructions that belong to no code object.
    pub own: bool,
}

/// The code log and the cells of this process.
pub struct CodeStore {
    log: GrowingFile,
    cells: GrowingFile,
    /// Whether cells have times.
    timed: bool,
    texts: HashMap<Vec<u8>, u32>,
    codes: u32,
}

impl CodeStore {
    /// The files beside a live file. They are made when they are first needed.
    pub fn beside(live: &Path, timed: bool) -> Self {
        Self {
            log: GrowingFile::new(live.with_extension(CODE_EXTENSION)),
            cells: GrowingFile::new(live.with_extension(CELLS_EXTENSION)),
            timed,
            texts: HashMap::new(),
            codes: 0,
        }
    }

    /// Whether cells have times.
    pub fn is_timed(&self) -> bool {
        self.timed
    }

    /// Size of a code unit's cell in bytes.
    pub fn unit_size(&self) -> usize {
        if self.timed { TIMED_CELL } else { CELL }
    }

    /// The system's error number where one of the files could not grow; 0 if both could.
    pub fn refusal(&self) -> i32 {
        [&self.log, &self.cells].iter().map(|file| file.refusal()).find(|error| *error != 0).unwrap_or(0)
    }

    /// In a forked child: lets go of the parent's files.
    pub fn unmap(&mut self) {
        self.log.unmap();
        self.cells.unmap();
    }

    /// Adds a code object, and gives its number.
    ///
    /// # Errors
    /// When there is no room on the disk.
    pub fn add_code(&mut self, code: &Description) -> io::Result<u32> {
        if self.texts.is_empty() {
            let directory = std::env::current_dir().unwrap_or_default();
            self.text(directory.as_os_str().as_encoded_bytes())?;
        }
        let halves = [
            self.text(&code.file)?,
            self.text(&code.function)?,
            code.first_line,
            code.bytecode.len() as u32,
            code.line_table.len() as u32,
            if code.own { CodeFlags::OWN } else { 0 },
        ];
        let head: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        self.append(Kind::Code, &[&head, &code.bytecode, &code.line_table])?;
        self.codes += 1;
        Ok(self.codes - 1)
    }

    /// Makes cells for a code object of so many code units, and gives their address.
    ///
    /// # Errors
    /// When there is no room on the disk.
    pub fn add_block(&mut self, code: u32, phase: u32, units: usize) -> io::Result<usize> {
        // Whole cache lines: threads that run in parallel have blocks of their own.
        let room = self.cells.take((units * self.unit_size()).next_multiple_of(64))?;
        let body = [code.to_le_bytes(), phase.to_le_bytes()].concat();
        let kind = if self.timed { Kind::TimedBlock } else { Kind::Block };
        let (offset, address) = ((room.offset as u64).to_le_bytes(), (room.address as u64).to_le_bytes());
        self.append(kind, &[&body, &offset, &address])?;
        Ok(room.address)
    }

    /// Makes a count of failed guards, and gives its address.
    ///
    /// # Errors
    /// When there is no room on the disk.
    pub fn add_misses(&mut self, code: u32, phase: u32, unit: u32) -> io::Result<usize> {
        let body: Vec<u8> = [code, phase, unit, 0, 0, 0].iter().flat_map(|half| half.to_le_bytes()).collect();
        Ok(self.append(Kind::Misses, &[&body])? + 24)
    }

    fn text(&mut self, text: &[u8]) -> io::Result<u32> {
        if let Some(known) = self.texts.get(text) {
            return Ok(*known);
        }
        self.append(Kind::Text, &[&(text.len() as u64).to_le_bytes(), text])?;
        let number = self.texts.len() as u32;
        self.texts.insert(text.to_owned(), number);
        Ok(number)
    }

    /// Appends a record, and gives its address. Its first word comes last: a reader never sees a part.
    fn append(&mut self, kind: Kind, body: &[&[u8]]) -> io::Result<usize> {
        let length = 8 + body.iter().map(|part| part.len()).sum::<usize>().next_multiple_of(8);
        if !self.log.has_room(length) {
            let rest = self.log.left();
            // The next part first: without it the log ends here.
            let room = self.log.take(length)?;
            self.write(room.address, kind, length, body);
            if let Some((rest, left)) = rest {
                self.write(rest.address, Kind::Padding, left, &[]);
            }
            return Ok(room.address);
        }
        let room = self.log.take(length)?;
        self.write(room.address, kind, length, body);
        Ok(room.address)
    }

    fn write(&self, address: usize, kind: Kind, length: usize, body: &[&[u8]]) {
        let mut at = address + 8;
        for part in body {
            // SAFETY: inside the room that was taken for the record.
            unsafe { std::ptr::copy_nonoverlapping(part.as_ptr(), at as *mut u8, part.len()) };
            at += part.len();
        }
        // SAFETY: the record's first word: mapped, aligned, written by this process alone.
        let word = unsafe { &*(address as *const AtomicU64) };
        word.store(record_word(kind, length), Ordering::Release);
    }
}
