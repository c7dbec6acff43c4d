//! 3.8-3.10: finding the jump table of the loop's `switch` statement.
//!
//! Up to 3.10 the loop dispatches in two ways. After most handlers it jumps through the table of computed
//! gotos; but the first instruction of a frame, of a resumed generator and of an exception handler, the
//! one after `EXTENDED_ARG`, and every one while tracing go through `switch (opcode)`. Its jump table
//! holds, by opcode, offsets of 32 bits from its own start (position-independent code) or addresses.
//! Most of its targets are those of the dispatch table, which is how it is recognised; the others are
//! entry points of their own into the same handlers.

use std::collections::{HashMap, HashSet};

use opmeter_opcodes::OpcodeTable;

use crate::dispatch_table::DispatchTable;
use crate::module::Module;

/// How the entries of the jump table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// 32-bit offsets from the start of the table.
    Offsets,
    /// 64-bit addresses.
    Addresses,
}

/// The jump table of the `switch`.
#[derive(Debug, Clone)]
pub struct SwitchTable {
    /// Its address.
    pub address: usize,
    /// How entries are written.
    pub form: Form,
    /// The opcode of the first entry: the smallest case label.
    pub first: u8,
    /// Targets of the defined opcodes: opcode number and code address.
    pub targets: Vec<(u8, usize)>,
}

/// Distance of the entries that are looked at, in bytes: a jump table holds several of them.
const STRIDE: usize = 64;

impl SwitchTable {
    /// Finds the jump table, or `None` unless there is exactly one.
    pub fn find(module: &Module, opcodes: &OpcodeTable<'_>, dispatch: &DispatchTable) -> Option<Self> {
        let mut found: Vec<Self> = Vec::new();
        // Old linkers put read-only data into the segment of the code.
        for executable in [false, true] {
            for segment in module.segments.iter().filter(|segment| segment.executable == executable) {
                let bytes = module.bytes(segment);
                for form in [Form::Offsets, Form::Addresses] {
                    let is_code = |address| module.is_code(address);
                    found.extend(search(bytes, segment.range.start, form, &is_code, opcodes, dispatch));
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        (found.len() == 1).then(|| found.swap_remove(0))
    }
}

/// Finds tables in a segment. Every few entries it asks: if this is the entry of opcode k, and leads to
/// the same target as the dispatch table's, where does the table begin? What begins there is compared in
/// full.
fn search(
    bytes: &[u8],
    start: usize,
    form: Form,
    is_code: &dyn Fn(usize) -> bool,
    opcodes: &OpcodeTable<'_>,
    dispatch: &DispatchTable,
) -> Vec<SwitchTable> {
    let size = if form == Form::Offsets { 4 } else { 8 };
    let numbers: Vec<u8> = opcodes.iter().map(|opcode| opcode.number).collect();
    let Some(smallest) = numbers.first().copied() else { return Vec::new() };
    let read = |address: usize| {
        let at = address.checked_sub(start)?;
        let entry = bytes.get(at..at + size)?;
        Some(match form {
            Form::Offsets => entry.try_into().map_or(0, i32::from_le_bytes) as isize as usize,
            Form::Addresses => entry.try_into().map_or(0, usize::from_le_bytes),
        })
    };
    // The dispatch table itself is a table of addresses as well: not that one.
    let own = dispatch.address..dispatch.address + dispatch.targets.len() * 8;
    let mut found: Vec<SwitchTable> = Vec::new();
    for first in [smallest, 0] {
        // By what an entry and its own address tell: the opcodes that it may belong to.
        let mut opcodes_of: HashMap<usize, Vec<usize>> = HashMap::new();
        for number in &numbers {
            let index = usize::from(number - first);
            let target = dispatch.targets[usize::from(*number)];
            let key = if form == Form::Offsets { target.wrapping_add(index * size) } else { target };
            opcodes_of.entry(key).or_default().push(index);
        }
        let mut seen = HashSet::new();
        for probe in (start.next_multiple_of(size)..start + bytes.len()).step_by(STRIDE) {
            let Some(entry) = read(probe) else { continue };
            let key = if form == Form::Offsets { entry.wrapping_add(probe) } else { entry };
            for index in opcodes_of.get(&key).into_iter().flatten() {
                let address = probe.wrapping_sub(index * size);
                if own.contains(&address) || !seen.insert(address) {
                    continue;
                }
                let target = |number: u8| {
                    let entry = read(address + usize::from(number - first) * size)?;
                    Some(if form == Form::Offsets { address.wrapping_add(entry) } else { entry })
                };
                let targets: Option<Vec<(u8, usize)>> =
                    numbers.iter().map(|number| Some((*number, target(*number)?))).collect();
                let Some(targets) = targets else { continue };
                let same = targets.iter().filter(|(n, target)| *target == dispatch.targets[usize::from(*n)]);
                if same.count() * 2 >= numbers.len() && targets.iter().all(|(_, target)| is_code(*target)) {
                    found.push(SwitchTable { address, form, first, targets });
                }
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_image::MemoryImage;

    #[test]
    fn the_jump_table_is_found_in_what_interpreters_have_in_memory() {
        for image in MemoryImage::all().iter().filter(|image| !image.around_switch.is_empty()) {
            let opcodes = OpcodeTable::built_in(image.version.0, image.version.1).unwrap();
            let dispatch = DispatchTable { address: image.table, targets: image.targets() };
            let is_code = |address| image.code.contains(&address);
            let start = image.switch_start();
            let find = |bytes: &[u8], form| search(bytes, start, form, &is_code, &opcodes, &dispatch);
            let found = find(&image.around_switch, Form::Offsets);
            assert_eq!(found.len(), 1, "{:?}", image.version);
            assert_eq!(found[0].address, image.switch, "{:?}", image.version);
            assert_eq!(found[0].targets.len(), opcodes.iter().count());
            assert!(find(&image.around_switch, Form::Addresses).is_empty());
            // A torn image, or one with other offsets, has none; and none is read beyond its end.
            let table = image.switch - start;
            assert!(find(&image.around_switch[..table + 200], Form::Offsets).is_empty());
            let mut shifted = image.around_switch.clone();
            for entry in shifted.chunks_exact_mut(4) {
                entry[0] ^= 1;
            }
            assert!(find(&shifted, Form::Offsets).is_empty());
        }
    }
}
