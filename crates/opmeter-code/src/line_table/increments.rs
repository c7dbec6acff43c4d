//! 3.8 and 3.9: `co_lnotab`, pairs of increments of address and line (`Objects/lnotab_notes.txt`).

use std::iter::once;

use super::runs::Run;

/// The runs of a table. The last line goes on to the end of the bytecode.
pub(super) fn runs(table: &[u8], first_line: i64) -> impl Iterator<Item = Run> {
    let mut line = first_line;
    let pairs = table.chunks_exact(2).map(|pair| (usize::from(pair[0]), i64::from(pair[1] as i8)));
    // The increment of the address belongs to the line before it.
    pairs.chain(once((usize::MAX, 0))).map(move |(bytes, increment)| {
        let run = Run { bytes, line: Some(line) };
        line += increment;
        run
    })
}
