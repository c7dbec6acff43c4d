//! From a process's counts of pairs to rows.

use std::sync::Arc;

use opmeter_live::{Counts, Pairs};
use opmeter_opcodes::{Execution, Folding, OpcodeTable};

use crate::{PairRow, Phase};

/// What a function begins with.
const STARTS: [&str; 4] = ["RESUME", "MAKE_CELL", "COPY_FREE_VARS", "RETURN_GENERATOR"];

/// The rows of one process and phase.
///
/// Dispatches follow one another as they were counted. A combined opcode stands for several instructions:
/// it is the first of them when it comes second, and the last of them when it comes first; the pairs
/// within it are as many as its executions.
pub(crate) fn pair_rows(
    process: u32,
    phase: Phase,
    table: &OpcodeTable<'_>,
    counts: &Counts,
    pairs: &Pairs,
) -> Vec<PairRow> {
    let mut rows = Vec::new();
    let mut push = |first: &Name, second: &Name, executions: u64| {
        if executions > 0 {
            rows.push(PairRow {
                process,
                phase,
                first: first.opcode.clone(),
                second: second.opcode.clone(),
                first_base: first.base.clone(),
                second_base: second.base.clone(),
                executions,
            });
        }
    };
    let names: Vec<Option<Name>> =
        (0..=255).map(|number| table.get(number).map(|opcode| Name::new(opcode.name, opcode.base))).collect();
    let mut next_arrays = counts.next.iter();
    for opcode in table.iter() {
        let number = usize::from(opcode.number);
        let Some(own) = &names[number] else { continue };
        // What stands last in it, and the pairs within.
        let mut last = own.clone();
        match Execution::of(opcode, table).folding {
            Folding::None => {}
            Folding::Always(folded) => {
                let dispatches = counts.executions[number].wrapping_add(counts.unplaced[number]);
                let executions = dispatches.saturating_sub(counts.unfolded[number]);
                for base in folded {
                    let inner = Name::new(&format!("{}/{base}", opcode.name), base);
                    push(&last, &inner, executions);
                    last = inner;
                }
            }
            Folding::Next => {
                for (next, executions) in next_arrays.next().into_iter().flatten().enumerate() {
                    if let Some(next) = &names[next] {
                        let inner = Name::new(&format!("{}/{}", opcode.name, next.base), &next.base);
                        push(own, &inner, *executions);
                    }
                }
            }
        }
        for (second, name) in names.iter().enumerate() {
            let Some(name) = name else { continue };
            // A function's start only follows what calls it: the combined opcode's guard had failed then.
            let unfolded = table.unfolds() && STARTS.contains(&&*name.base);
            let first = if unfolded { own } else { &last };
            push(first, name, pairs.get(number, second as u8));
            // Whichever combined opcode it was that executed this one besides.
            let inner = Name::new(&format!("*/{}", opcode.base), opcode.base);
            push(&inner, name, pairs.get(256 + number, second as u8));
        }
    }
    rows
}

#[derive(Clone)]
struct Name {
    opcode: Arc<str>,
    base: Arc<str>,
}

impl Name {
    fn new(opcode: &str, base: &str) -> Self {
        Self { opcode: opcode.into(), base: base.into() }
    }
}
