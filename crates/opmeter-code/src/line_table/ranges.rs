//! 3.10: `co_linetable`, pairs of a length and an increment of the line (PEP 626,
//! `Objects/lnotab_notes.txt`).

use super::runs::Run;

/// Stands for bytes that belong to no line.
const NO_LINE: i8 = -128;

/// The runs of a table.
pub(super) fn runs(table: &[u8], first_line: i64) -> impl Iterator<Item = Run> {
    let mut line = first_line;
    table.chunks_exact(2).map(move |pair| {
        let (bytes, increment) = (usize::from(pair[0]), pair[1] as i8);
        if increment == NO_LINE {
            return Run { bytes, line: None };
        }
        line += i64::from(increment);
        Run { bytes, line: Some(line) }
    })
}
