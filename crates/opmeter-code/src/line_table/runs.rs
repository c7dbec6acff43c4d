use super::{increments, locations, ranges};

/// Bytes of bytecode that belong to one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// How many bytes.
    pub bytes: usize,
    /// The line; none where they belong to none.
    pub line: Option<i64>,
}

/// The line of each two-byte code unit of a code object, 0 where it belongs to none: what
/// `PyCode_Addr2Line` says. `table` is `co_lnotab` up to 3.9 and `co_linetable` from 3.10 on; `length` that of
/// the bytecode in bytes.
pub fn lines(version: (u8, u8), first_line: u32, table: &[u8], length: usize) -> Vec<u32> {
    let first = i64::from(first_line);
    match version.1 {
        ..=9 => spread(increments::runs(table, first), length),
        10 => spread(ranges::runs(table, first), length),
        _ => spread(locations::runs(table, first), length),
    }
}

fn spread(runs: impl Iterator<Item = Run>, length: usize) -> Vec<u32> {
    let units = length / 2;
    let mut lines = Vec::with_capacity(units);
    let mut end = 0usize;
    for run in runs {
        end = end.saturating_add(run.bytes);
        let line = run.line.and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
        // A run of an odd number of bytes, which only a damaged table has, ends with its last unit.
        lines.resize((end / 2).min(units), line);
        if lines.len() == units {
            break;
        }
    }
    lines.resize(units, 0);
    lines
}
