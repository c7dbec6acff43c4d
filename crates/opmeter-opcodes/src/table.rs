//! The opcodes of one CPython version.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::Opcode;

/// The opcodes of one minor version of CPython, by number.
///
/// Numbers do not change between the patch releases of a minor version: they are part of the format of
/// compiled files, which a released version never changes.
#[derive(Debug, Clone)]
pub struct OpcodeTable<'t> {
    version: (u8, u8),
    entries: [Option<Opcode<'t>>; 256],
    numbers: HashMap<&'t str, u8>,
    /// Bases of opcodes that have specialised forms.
    families: HashSet<&'t str>,
}

/// Why a text is no opcode table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the opcode table: {}", self.line, self.problem)
    }
}

impl std::error::Error for TableError {}

/// The tables that are built in, one for each minor version.
const BUILT_IN: [(u8, &str); 8] = [
    (8, include_str!("tables/cpython-3.8.txt")),
    (9, include_str!("tables/cpython-3.9.txt")),
    (10, include_str!("tables/cpython-3.10.txt")),
    (11, include_str!("tables/cpython-3.11.txt")),
    (12, include_str!("tables/cpython-3.12.txt")),
    (13, include_str!("tables/cpython-3.13.txt")),
    (14, include_str!("tables/cpython-3.14.txt")),
    (15, include_str!("tables/cpython-3.15.txt")),
];

impl OpcodeTable<'static> {
    /// The built-in table of a version, or `None` where there is none.
    pub fn built_in(major: u8, minor: u8) -> Option<Self> {
        if major != 3 {
            return None;
        }
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == minor)?;
        Self::parse((major, minor), text).ok()
    }

    /// The minor versions of CPython 3 that have a built-in table, oldest first.
    pub fn built_in_minors() -> impl Iterator<Item = u8> {
        BUILT_IN.iter().map(|(minor, _)| *minor)
    }
}

impl<'t> OpcodeTable<'t> {
    /// Reads a table from the text that `tools/opcode-table.py` prints: a line an opcode (number, name,
    /// base, caches), `#` for comments.
    ///
    /// # Errors
    /// Names the first line that is no such row, or that repeats a number.
    pub fn parse(version: (u8, u8), text: &'t str) -> Result<Self, TableError> {
        let mut entries = [None; 256];
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = |problem| TableError { line: index + 1, problem };
            let mut words = line.split(' ');
            let mut word = || words.next().ok_or(error("expected number, name, base and caches"));
            let number: u8 = word()?.parse().map_err(|_| error("the number is not one from 0 to 255"))?;
            let (name, base) = (word()?, word()?);
            let caches: u8 = word()?.parse().map_err(|_| error("the caches are not a number"))?;
            let entry = &mut entries[usize::from(number)];
            if entry.is_some() {
                return Err(error("the number stands twice"));
            }
            *entry = Some(Opcode { number, name, base, caches });
        }
        let opcodes = || entries.iter().flatten();
        let numbers = opcodes().map(|opcode: &Opcode<'t>| (opcode.name, opcode.number)).collect();
        let families = opcodes()
            .filter(|opcode| opcode.is_derived() && !opcode.name.starts_with("INSTRUMENTED_"))
            .map(|opcode| opcode.base)
            .collect();
        Ok(Self { version, entries, numbers, families })
    }

    /// Major and minor version, for example `(3, 13)`.
    pub fn version(&self) -> (u8, u8) {
        self.version
    }

    /// The opcode with this number, or `None` where the version defines none.
    pub fn get(&self, number: u8) -> Option<&Opcode<'t>> {
        self.entries[usize::from(number)].as_ref()
    }

    /// The opcode with this name, as executed.
    pub fn named(&self, name: &str) -> Option<&Opcode<'t>> {
        self.get(*self.numbers.get(name)?)
    }

    /// Whether opcodes with this base have specialised forms.
    pub fn has_forms(&self, base: &str) -> bool {
        self.families.contains(base)
    }

    /// All opcodes, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Opcode<'t>> {
        self.entries.iter().flatten()
    }

    /// The numbers that this version does not define: in the dispatch table they all share one target.
    pub fn undefined(&self) -> impl Iterator<Item = u8> {
        (0..=255u8).filter(|number| self.get(*number).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_entries_are_as_many_as_in_the_interpreters() {
        let counts: Vec<usize> = OpcodeTable::built_in_minors()
            .map(|minor| OpcodeTable::built_in(3, minor).unwrap().undefined().count())
            .collect();
        assert_eq!(counts, [136, 137, 129, 74, 63, 44, 29, 22]);
    }

    #[test]
    fn every_base_is_an_opcode_of_the_same_version() {
        for minor in OpcodeTable::built_in_minors() {
            let table = OpcodeTable::built_in(3, minor).unwrap();
            for opcode in table.iter() {
                let base = table.named(opcode.base).unwrap_or_else(|| panic!("3.{minor} {}", opcode.name));
                assert_eq!(base.base, base.name, "3.{minor} {}", opcode.name);
                assert_eq!(base.caches, opcode.caches, "3.{minor} {}", opcode.name);
            }
        }
    }

    #[test]
    fn a_torn_line_is_named() {
        let error = OpcodeTable::parse((3, 99), "# comment\n1 NOP NOP 0\n2 POP_TOP").unwrap_err();
        assert_eq!(error.line, 3);
        let error = OpcodeTable::parse((3, 99), "1 NOP NOP 0\n1 POP_TOP POP_TOP 0").unwrap_err();
        assert_eq!(error, TableError { line: 2, problem: "the number stands twice" });
    }
}
