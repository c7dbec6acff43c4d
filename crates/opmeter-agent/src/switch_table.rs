//! 3.8-3.10: finding the jump table of the loop's `switch` statement.
//!
//! Up to 3.10 the loop dispatches in two ways. After most handlers it jumps through the table of computed
//! gotos; but the first instruction of a frame, of a resumed generator and of an exception handler, the
//! one after `EXTENDED_ARG`, and every one while tracing go through `switch (opcode)`. Its jump table
//! holds, by opcode, offsets of 32 bits from its own start (position-independent code) or addresses.
//! Most of its targets are those of the dispatch table, which is how it is recognised; the others are
//! entry points of their own into the same handlers.

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

/// Opcodes that are compared first, to pass quickly over memory that is no such table.
const PROBES: usize = 12;

impl SwitchTable {
    /// Finds the jump table, or `None` unless there is exactly one.
    pub fn find(module: &Module, opcodes: &OpcodeTable<'_>, dispatch: &DispatchTable) -> Option<Self> {
        let mut found: Vec<Self> = Vec::new();
        // Old linkers put read-only data into the segment of the code.
        for executable in [false, true] {
            for segment in module.segments.iter().filter(|segment| segment.executable == executable) {
                let bytes = module.bytes(segment);
                for form in [Form::Offsets, Form::Addresses] {
                    found.extend(search(bytes, segment.range.start, form, module, opcodes, dispatch));
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        (found.len() == 1).then(|| found.swap_remove(0))
    }
}

fn search(
    bytes: &[u8],
    start: usize,
    form: Form,
    module: &Module,
    opcodes: &OpcodeTable<'_>,
    dispatch: &DispatchTable,
) -> Vec<SwitchTable> {
    let size = if form == Form::Offsets { 4 } else { 8 };
    let numbers: Vec<u8> = opcodes.iter().map(|opcode| opcode.number).collect();
    let (Some(smallest), Some(largest)) = (numbers.first().copied(), numbers.last().copied()) else {
        return Vec::new();
    };
    // The dispatch table itself is a table of addresses as well: not that one.
    let own = dispatch.address..dispatch.address + dispatch.targets.len() * 8;
    let skip = start.next_multiple_of(size) - start;
    let mut found = Vec::new();
    for first in [smallest, 0] {
        let length = (usize::from(largest - first) + 1) * size;
        if found.is_empty() && bytes.len() >= length + skip {
            for offset in (skip..=bytes.len() - length).step_by(size) {
                let address = start + offset;
                let target = |number: u8| {
                    let at = offset + usize::from(number - first) * size;
                    match form {
                        Form::Offsets => {
                            let entry = bytes[at..at + 4].try_into().map_or(0, i32::from_le_bytes);
                            address.wrapping_add_signed(entry as isize)
                        }
                        Form::Addresses => bytes[at..at + 8].try_into().map_or(0, usize::from_le_bytes),
                    }
                };
                let same = |numbers: &[u8]| {
                    numbers.iter().filter(|n| target(**n) == dispatch.targets[usize::from(**n)]).count()
                };
                if same(&numbers[..PROBES.min(numbers.len())]) * 3 < PROBES
                    || own.contains(&address)
                    || same(&numbers) * 2 < numbers.len()
                    || !numbers.iter().all(|number| module.is_code(target(*number)))
                {
                    continue;
                }
                let targets = numbers.iter().map(|number| (*number, target(*number))).collect();
                found.push(SwitchTable { address, form, first, targets });
            }
        }
    }
    found
}
