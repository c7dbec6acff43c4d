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
        // Whichever combined opcode it was that executed this one besides.
        let inner = Name::new(&format!("*/{}", opcode.base), opcode.base);
        for (second, name) in names.iter().enumerate() {
            let Some(name) = name else { continue };
            // A function's start only follows what calls it: the combined opcode's guard had failed then.
            let unfolded = table.unfolds() && STARTS.contains(&&*name.base);
            let first = if unfolded { own } else { &last };
            push(first, name, pairs.get(number, second as u8));
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

#[cfg(test)]
mod tests {
    use opmeter_live::{MATRIX_SIZE, ROW_SIZE, pairs_slot_offset};

    use super::*;

    /// A row for an opcode, or for one that was executed besides.
    enum Row<'n> {
        Of(&'n str),
        Besides(&'n str),
    }

    fn found(
        minor: u8,
        pairs: &[(Row<'_>, &str, u64)],
        count: impl Fn(&OpcodeTable<'_>, &mut Counts),
    ) -> Vec<(String, String, String, u64)> {
        let table = OpcodeTable::built_in(3, minor).unwrap();
        let number = |name: &str| usize::from(table.named(name).unwrap().number);
        let mut file = vec![0; pairs_slot_offset(0) + MATRIX_SIZE];
        for (row, second, executions) in pairs {
            let row = match row {
                Row::Of(name) => number(name),
                Row::Besides(name) => 256 + number(name),
            };
            let at = pairs_slot_offset(0) + row * ROW_SIZE + number(second) * 8;
            file[at..at + 8].copy_from_slice(&executions.to_le_bytes());
        }
        let mut counts = Counts::zero();
        count(&table, &mut counts);
        let rows = pair_rows(0, Phase::Main, &table, &counts, &Pairs::of_phase(&file, 0, 0, 1));
        let text = |text: &Arc<str>| text.to_string();
        rows.iter()
            .map(|row| {
                let bases = format!("{} {}", row.first_base, row.second_base);
                (text(&row.first), text(&row.second), bases, row.executions)
            })
            .collect()
    }

    fn row(first: &str, second: &str, bases: &str, executions: u64) -> (String, String, String, u64) {
        (first.to_owned(), second.to_owned(), bases.to_owned(), executions)
    }

    #[test]
    fn dispatches_follow_one_another() {
        let pairs = [(Row::Of("LOAD_ATTR_SLOT"), "RETURN_VALUE", 7), (Row::Of("NOP"), "NOP", 2)];
        let expected = [
            row("NOP", "NOP", "NOP NOP", 2),
            row("LOAD_ATTR_SLOT", "RETURN_VALUE", "LOAD_ATTR RETURN_VALUE", 7),
        ];
        assert_eq!(found(12, &pairs, |_, _| {}), expected);
    }

    #[test]
    fn a_combined_opcode_stands_for_its_last_instruction_when_it_comes_first() {
        let pair = [(Row::Of("LOAD_FAST__LOAD_FAST"), "BINARY_OP", 5)];
        let rows = found(12, &pair, |table, counts| {
            counts.executions[usize::from(table.named("LOAD_FAST__LOAD_FAST").unwrap().number)] = 6;
        });
        let inner = "LOAD_FAST__LOAD_FAST/LOAD_FAST";
        let expected = [
            row("LOAD_FAST__LOAD_FAST", inner, "LOAD_FAST LOAD_FAST", 6),
            row(inner, "BINARY_OP", "LOAD_FAST BINARY_OP", 5),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_guard_that_failed_executed_nothing_besides() {
        // The callee begins, so that the call was one; twice it was `list.append`.
        let pairs = [(Row::Of("CALL_LIST_APPEND"), "RESUME", 3), (Row::Of("CALL_LIST_APPEND"), "NOP", 2)];
        let rows = found(13, &pairs, |table, counts| {
            let number = usize::from(table.named("CALL_LIST_APPEND").unwrap().number);
            (counts.executions[number], counts.unfolded[number]) = (5, 3);
        });
        let inner = "CALL_LIST_APPEND/POP_TOP";
        let expected = [
            row("CALL_LIST_APPEND", inner, "CALL POP_TOP", 2),
            row(inner, "NOP", "POP_TOP NOP", 2),
            row("CALL_LIST_APPEND", "RESUME", "CALL RESUME", 3),
        ];
        let sorted = |mut rows: Vec<_>| {
            rows.sort();
            rows
        };
        assert_eq!(sorted(rows), sorted(expected.to_vec()));
    }

    #[test]
    fn what_follows_a_jump_that_was_executed_besides() {
        let jump = "POP_JUMP_FORWARD_IF_FALSE";
        let rows = found(11, &[(Row::Besides(jump), "NOP", 4)], |table, counts| {
            counts.next[1][usize::from(table.named(jump).unwrap().number)] = 4;
        });
        let inner = format!("COMPARE_OP_INT_JUMP/{jump}");
        let expected = [
            row("COMPARE_OP_INT_JUMP", &inner, &format!("COMPARE_OP {jump}"), 4),
            row(&format!("*/{jump}"), "NOP", &format!("{jump} NOP"), 4),
        ];
        let sorted = |mut rows: Vec<_>| {
            rows.sort();
            rows
        };
        assert_eq!(sorted(rows), sorted(expected.to_vec()));
    }
}
