//! Finding the table of computed-goto targets (`opcode_targets`) in the interpreter's module.
//!
//! The table is 256 consecutive pointers into the module's code. Its fingerprint is the set of opcode
//! numbers that the version does not define: they all share one target, and hardly any defined opcode
//! does. Nothing is assumed of where the targets lie: with profile-guided optimisation they spread over
//! hot and cold code. A tail-calling interpreter's table of function pointers has the same shape.

use std::ops::Range;

use opmeter_opcodes::OpcodeTable;

use crate::module::{Module, Segment};

/// Number of entries of a dispatch table.
pub const ENTRIES: usize = 256;

/// A dispatch table in memory.
#[derive(Debug, Clone)]
pub struct DispatchTable {
    /// Its address.
    pub address: usize,
    /// The entries as the interpreter was built.
    pub targets: Vec<usize>,
}

/// Why there is no table to hook.
#[derive(Debug, PartialEq, Eq)]
pub enum NotFound {
    /// No 256 pointers bear this version's fingerprint.
    None,
    /// Several do.
    Several(usize),
}

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str(
                "its dispatch table was not found: no table in memory fits this version's opcodes \
                 (an interpreter built without computed gotos has none)",
            ),
            Self::Several(count) => {
                write!(
                    f,
                    "{count} tables in memory fit this version's opcodes, and which one is used is not certain"
                )
            }
        }
    }
}

impl DispatchTable {
    /// Finds the one dispatch table of a module.
    ///
    /// # Errors
    /// When there is not exactly one table with the version's fingerprint.
    pub fn find(module: &Module, opcodes: &OpcodeTable<'_>) -> Result<Self, NotFound> {
        let fingerprint = Fingerprint::of(opcodes);
        let mut found = Vec::new();
        // Read-only data first; only old linkers put it into the segment of the code.
        for executable in [false, true] {
            for segment in module.segments.iter().filter(|segment| segment.executable == executable) {
                let words = Words::of(module, segment);
                found.extend(
                    fingerprint
                        .search(&words, |address| module.is_code(address))
                        .into_iter()
                        .map(|index| (words.address(index), words.range(index..index + ENTRIES))),
                );
            }
            if !found.is_empty() {
                break;
            }
        }
        match found.len() {
            1 => {
                let (address, targets) = found.swap_remove(0);
                Ok(Self { address, targets })
            }
            0 => Err(NotFound::None),
            count => Err(NotFound::Several(count)),
        }
    }
}

/// A segment as aligned words.
struct Words<'m> {
    start: usize,
    bytes: &'m [u8],
}

impl<'m> Words<'m> {
    fn of(module: &'m Module, segment: &Segment) -> Self {
        let bytes = module.bytes(segment);
        let skip = segment.range.start.next_multiple_of(8) - segment.range.start;
        Self { start: segment.range.start + skip, bytes: bytes.get(skip..).unwrap_or_default() }
    }

    fn len(&self) -> usize {
        self.bytes.len() / 8
    }

    fn get(&self, index: usize) -> usize {
        self.bytes[index * 8..index * 8 + 8].try_into().map_or(0, usize::from_le_bytes)
    }

    fn range(&self, range: Range<usize>) -> Vec<usize> {
        range.map(|index| self.get(index)).collect()
    }

    fn address(&self, index: usize) -> usize {
        self.start + index * 8
    }
}

/// What a version's table must look like.
struct Fingerprint {
    undefined: Vec<usize>,
    defined: Vec<usize>,
}

/// Opcodes that a table has an entry for but no code object holds: their code is unreachable, so that
/// their labels may stand at any address.
const UNREACHABLE: [&str; 3] = ["CACHE", "RESERVED", "TRACE_RECORD"];

impl Fingerprint {
    fn of(opcodes: &OpcodeTable<'_>) -> Self {
        let undefined = opcodes.undefined().map(usize::from).collect();
        let defined = opcodes
            .iter()
            .filter(|opcode| !UNREACHABLE.contains(&opcode.name))
            .map(|opcode| usize::from(opcode.number))
            .collect();
        Self { undefined, defined }
    }

    /// Indices at which a fitting table begins.
    ///
    /// Looks at one word in [`ENTRIES`] only: a table of that length holds one of them, and most of a
    /// module's data need not be read word by word then.
    fn search(&self, words: &Words<'_>, is_code: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut found = Vec::new();
        let mut searched = 0;
        for probe in (ENTRIES - 1..words.len()).step_by(ENTRIES) {
            if probe < searched || !is_code(words.get(probe)) {
                continue;
            }
            let start =
                (searched..probe).rev().take_while(|i| is_code(words.get(*i))).last().unwrap_or(probe);
            let end = (probe..words.len()).find(|i| !is_code(words.get(*i))).unwrap_or(words.len());
            let run = words.range(start..end);
            found.extend(
                run.windows(ENTRIES)
                    .enumerate()
                    .filter(|(_, window)| self.fits(window))
                    .map(|(i, _)| start + i),
            );
            searched = end;
        }
        found
    }

    fn fits(&self, table: &[usize]) -> bool {
        let unknown = table[self.undefined[0]];
        if !self.undefined.iter().all(|number| table[*number] == unknown) {
            return false;
        }
        if self.defined.iter().any(|number| table[*number] == unknown) {
            return false;
        }
        // Identical handlers may be merged, a few; a table in which most are the same (3.15's table for
        // recording traces has two targets in all) dispatches to no handlers.
        let mut distinct: Vec<usize> = self.defined.iter().map(|number| table[*number]).collect();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.len() * 2 > self.defined.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_image::MemoryImage;

    fn table(opcodes: &OpcodeTable<'_>) -> Vec<usize> {
        (0..=255u8)
            .map(|n| if opcodes.get(n).is_some() { 0x1000 + usize::from(n) * 16 } else { 0x900 })
            .collect()
    }

    fn find(words: &[usize]) -> Vec<usize> {
        let opcodes = OpcodeTable::built_in(3, 11).unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let words = Words { start: 0, bytes: &bytes };
        Fingerprint::of(&opcodes).search(&words, |address| (0x800..0x3000).contains(&address))
    }

    #[test]
    fn finds_the_table_among_other_pointers() {
        let opcodes = OpcodeTable::built_in(3, 11).unwrap();
        for before in [0, 1, 255, 256, 300] {
            let mut words = vec![0x1000; before];
            words.extend(table(&opcodes));
            words.extend([0x1000; 40]);
            assert_eq!(find(&words), [before]);
            words.insert(before, 7);
            assert_eq!(find(&words), [before + 1]);
        }
    }

    #[test]
    fn another_versions_table_does_not_fit() {
        let opcodes = OpcodeTable::built_in(3, 12).unwrap();
        assert_eq!(find(&table(&opcodes)), Vec::<usize>::new());
    }

    #[test]
    fn a_table_with_two_targets_does_not_fit() {
        let opcodes = OpcodeTable::built_in(3, 11).unwrap();
        let words: Vec<usize> =
            table(&opcodes).iter().map(|t| if *t == 0x900 { 0x900 } else { 0xa00 }).collect();
        assert_eq!(find(&words), Vec::<usize>::new());
    }

    #[test]
    fn merged_handlers_are_allowed() {
        let opcodes = OpcodeTable::built_in(3, 11).unwrap();
        let mut words = table(&opcodes);
        words[1] = words[2];
        assert_eq!(find(&words), [0]);
    }

    #[test]
    fn the_table_is_found_in_what_interpreters_have_in_memory() {
        let images = MemoryImage::all();
        assert!(images.len() >= 8);
        for image in &images {
            let words = Words { start: image.start, bytes: &image.around_table };
            let is_code = |address| image.code.contains(&address);
            for version in 8..=15 {
                let opcodes = OpcodeTable::built_in(3, version).unwrap();
                let found = Fingerprint::of(&opcodes).search(&words, is_code);
                let expected = if (3, version) == image.version {
                    vec![(image.table - image.start) / 8]
                } else {
                    vec![]
                };
                assert_eq!(found, expected, "{:?} as 3.{version}", image.version);
            }
            // Where the table is torn, or one of its entries leads elsewhere, there is none.
            let opcodes = OpcodeTable::built_in(3, image.version.1).unwrap();
            let find = |bytes: &[u8]| {
                Fingerprint::of(&opcodes).search(&Words { start: image.start, bytes }, is_code)
            };
            let table = image.table - image.start;
            assert!(find(&image.around_table[..table + 8 * (ENTRIES - 1)]).is_empty());
            let mut changed = image.around_table.clone();
            changed[table + 8 * 100..table + 8 * 101].fill(0);
            assert!(find(&changed).is_empty());
        }
    }
}
