//! 3.11 and later: `co_linetable`, entries of code units with their lines and columns (PEP 657,
//! `Objects/locations.md`, `InternalDocs/code_objects.md`).
//!
//! An entry begins with a byte whose highest bit is set: four bits of a form, three of the number of code
//! units less one. The bytes that follow have that bit clear.

use super::runs::Run;

/// Forms of entries, but for those that stay on their line.
const ONE_LINE: std::ops::RangeInclusive<u8> = 10..=12;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;
const NO_LOCATION: u8 = 15;

/// The runs of a table.
pub(super) fn runs(table: &[u8], first_line: i64) -> impl Iterator<Item = Run> {
    let mut line = first_line;
    let mut rest = table;
    std::iter::from_fn(move || {
        let (first, after) = rest.split_first()?;
        let end = after.iter().position(|byte| byte & 0x80 != 0).unwrap_or(after.len());
        let (entry, next) = after.split_at(end);
        rest = next;
        let bytes = 2 * (usize::from(first & 7) + 1);
        let form = first >> 3 & 0xf;
        line = line.wrapping_add(match form {
            NO_COLUMNS | LONG => signed(entry),
            form if ONE_LINE.contains(&form) => i64::from(form - ONE_LINE.start()),
            _ => 0,
        });
        Some(Run { bytes, line: (form != NO_LOCATION).then_some(line) })
    })
}

/// A signed number in six bits a byte, the lowest first; bit 6 says that more follow, and the lowest bit
/// of the number is its sign.
fn signed(entry: &[u8]) -> i64 {
    let mut value = 0u64;
    for (place, byte) in entry.iter().enumerate().take(8) {
        value |= u64::from(byte & 63) << (6 * place);
        if byte & 64 == 0 {
            break;
        }
    }
    let magnitude = (value >> 1) as i64;
    if value & 1 != 0 { -magnitude } else { magnitude }
}
