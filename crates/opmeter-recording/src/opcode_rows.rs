//! From a process's counters to rows: how often each opcode ran.

use std::collections::{BTreeMap, HashMap};

use opmeter_live::Counts;
use opmeter_opcodes::{Execution, Folding, Opcode, OpcodeTable};
use rustc_hash::FxHashMap;

use crate::{InstructionRow, InstructionTime, OpcodeRow, Phase};

/// The rows of one process and phase: a row for each opcode that ran, and one for each instruction that
/// a combined opcode ran in its stead.
///
/// `placed` is how often instructions of each base were executed, of those that were counted by address: a
/// base opcode's own executions are those that neither its forms nor combined opcodes account for.
pub(crate) fn opcode_rows(
    process: u32,
    phase: Phase,
    table: &OpcodeTable<'_>,
    counts: &Counts,
    placed: &FxHashMap<&str, u64>,
    rows: &mut Vec<OpcodeRow>,
) {
    let by_forms = by_forms(table, counts);
    for (opcode, execution, next) in rules(table, counts) {
        let number = usize::from(opcode.number);
        let mut executions = counts.executions[number].wrapping_add(counts.unplaced[number]);
        if !opcode.is_derived() && execution.is_instruction && execution.has_place {
            let placed = placed.get(opcode.name).copied().unwrap_or(0);
            let accounted = by_forms.get(opcode.name).copied().unwrap_or(0);
            executions = executions.wrapping_add(placed.saturating_sub(accounted));
        }
        let mut push = |name: String, base: &str, executions: u64| {
            if executions > 0 {
                let base_opcode = base.to_owned();
                rows.push(OpcodeRow {
                    process,
                    phase,
                    opcode: name,
                    base_opcode,
                    number: opcode.number,
                    executions,
                    time: None,
                });
            }
        };
        if execution.is_instruction {
            push(opcode.name.to_owned(), opcode.base, executions);
        }
        let folded = executions.saturating_sub(counts.unfolded[number]);
        for (base, executions) in besides(table, execution.folding, folded, next) {
            push(format!("{}/{base}", opcode.name), base, executions);
        }
    }
}

/// The opcodes with the rules for them, and for those that fold whatever follows, how often which opcode did.
fn rules<'a>(
    table: &'a OpcodeTable<'_>,
    counts: &'a Counts,
) -> impl Iterator<Item = (&'a Opcode<'a>, Execution, &'a [u64])> {
    let mut next_arrays = counts.next.iter();
    table.iter().map(move |opcode| {
        let execution = Execution::of(opcode, table);
        let array = if execution.folding == Folding::Next { next_arrays.next() } else { None };
        (opcode, execution, array.map_or(&[][..], Vec::as_slice))
    })
}

/// What an opcode that has folded so many times executed besides itself, by base; `next` is what followed one
/// that folds whatever follows.
fn besides<'t>(
    table: &'t OpcodeTable<'_>,
    folding: Folding,
    folded: u64,
    next: &[u64],
) -> Vec<(&'t str, u64)> {
    match folding {
        Folding::None => Vec::new(),
        Folding::Always(bases) => bases.iter().map(|base| (*base, folded)).collect(),
        Folding::Next => {
            let mut by_base = BTreeMap::new();
            for opcode in table.iter() {
                *by_base.entry(opcode.base).or_insert(0) +=
                    next.get(usize::from(opcode.number)).unwrap_or(&0);
            }
            by_base.into_iter().collect()
        }
    }
}

/// How often instructions of each base were executed in specialised and other forms, and by combined
/// opcodes, of those that were counted by address.
fn by_forms<'t>(table: &'t OpcodeTable<'_>, counts: &'t Counts) -> HashMap<&'t str, u64> {
    let mut sums = HashMap::new();
    let mut add = |base: &'t str, executions: u64| {
        let sum: &mut u64 = sums.entry(base).or_default();
        *sum = sum.wrapping_add(executions);
    };
    for (opcode, execution, next) in rules(table, counts) {
        let number = usize::from(opcode.number);
        if opcode.is_derived() && execution.is_instruction {
            add(opcode.base, counts.executions[number]);
        }
        let folded = counts.executions[number].saturating_sub(counts.unfolded[number]);
        for (base, executions) in besides(table, execution.folding, folded, next) {
            add(base, executions);
        }
    }
    sums
}

/// Rows for what stands in no code object, and is not counted by address. `code` stands for the lack of
/// one.
pub(crate) fn placeless_rows(table: &OpcodeTable<'_>, rows: &[OpcodeRow], code: u32) -> Vec<InstructionRow> {
    let placeless = rows
        .iter()
        .filter(|row| table.named(&row.opcode).is_some_and(|opcode| !Execution::of(opcode, table).has_place));
    let row = |row: &OpcodeRow| InstructionRow {
        process: row.process,
        phase: row.phase,
        file: "".into(),
        function: "".into(),
        first_line: 0,
        line: 0,
        offset: 0,
        opcode: row.base_opcode.as_str().into(),
        executions: row.executions,
        code,
        argument: 0,
        time: row.time.as_ref().map(InstructionTime::from),
    };
    placeless.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(minor: u8, set: impl Fn(&OpcodeTable<'_>, &mut Counts)) -> Vec<(String, String, u64)> {
        let table = OpcodeTable::built_in(3, minor).unwrap();
        let mut counts = Counts::zero();
        set(&table, &mut counts);
        let mut found = Vec::new();
        opcode_rows(0, Phase::Main, &table, &counts, &FxHashMap::default(), &mut found);
        found.into_iter().map(|row| (row.opcode, row.base_opcode, row.executions)).collect()
    }

    fn number(table: &OpcodeTable<'_>, name: &str) -> usize {
        usize::from(table.named(name).unwrap().number)
    }

    fn row(opcode: &str, base: &str, executions: u64) -> (String, String, u64) {
        (opcode.to_owned(), base.to_owned(), executions)
    }

    #[test]
    fn a_combined_opcode_counts_what_it_stands_for() {
        let rows = run(11, |table, counts| {
            counts.executions[number(table, "PRECALL_NO_KW_LIST_APPEND")] = 10;
            counts.unfolded[number(table, "PRECALL_NO_KW_LIST_APPEND")] = 3;
        });
        assert_eq!(
            rows,
            [
                row("PRECALL_NO_KW_LIST_APPEND", "PRECALL", 10),
                row("PRECALL_NO_KW_LIST_APPEND/CALL", "CALL", 7),
                row("PRECALL_NO_KW_LIST_APPEND/POP_TOP", "POP_TOP", 7),
            ]
        );
    }

    #[test]
    fn a_comparing_jump_counts_the_jump_that_followed() {
        let rows = run(11, |table, counts| {
            counts.executions[number(table, "COMPARE_OP_INT_JUMP")] = 5;
            // The second of the three opcodes that fold whatever follows.
            counts.next[1][number(table, "POP_JUMP_FORWARD_IF_FALSE")] = 4;
            counts.next[1][number(table, "POP_JUMP_BACKWARD_IF_TRUE")] = 1;
        });
        assert_eq!(
            rows,
            [
                row("COMPARE_OP_INT_JUMP", "COMPARE_OP", 5),
                row("COMPARE_OP_INT_JUMP/POP_JUMP_BACKWARD_IF_TRUE", "POP_JUMP_BACKWARD_IF_TRUE", 1),
                row("COMPARE_OP_INT_JUMP/POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_FALSE", 4),
            ]
        );
    }

    #[test]
    fn hooks_are_no_executions() {
        let rows = run(12, |table, counts| {
            counts.executions[number(table, "INSTRUMENTED_LINE")] = 5;
            counts.executions[number(table, "INSTRUMENTED_CALL")] = 2;
        });
        assert_eq!(rows, [row("INSTRUMENTED_CALL", "CALL", 2)]);
    }
}
