use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{InstructionRow, LineRow, Phase};

/// What the rows of the instructions table amount to by line, in the order of process, phase, file and
/// line. A line that never ran has a row wherever an instruction of it has one.
///
/// A line's hits are the executions of its first instruction: the one with the lowest offset of those
/// that a code object has on the line, whether it has a row in this phase or not.
pub fn lines(instructions: &[InstructionRow]) -> Vec<LineRow> {
    // By process, code object and line, over all phases: an instruction that never ran has one row only.
    let mut first: FxHashMap<(u32, u32, u32), u32> = FxHashMap::default();
    for row in instructions {
        let offset = first.entry((row.process, row.code, row.line)).or_insert(row.offset);
        *offset = row.offset.min(*offset);
    }
    // Rows of one code object stand together, so that most of them find their line where the last did.
    let mut found: FxHashMap<(u32, Phase, &str, u32), usize> = FxHashMap::default();
    let mut lines: Vec<LineRow> = Vec::new();
    let mut last = usize::MAX;
    for row in instructions {
        let same = lines.get(last).is_some_and(|line: &LineRow| {
            (line.process, line.phase, line.line) == (row.process, row.phase, row.line)
                && Arc::ptr_eq(&line.file, &row.file)
        });
        if !same {
            let key = (row.process, row.phase, &*row.file, row.line);
            last = *found.entry(key).or_insert_with(|| {
                lines.push(LineRow {
                    process: row.process,
                    phase: row.phase,
                    file: row.file.clone(),
                    line: row.line,
                    executions: 0,
                    hits: 0,
                });
                lines.len() - 1
            });
        }
        let line = &mut lines[last];
        line.executions = line.executions.saturating_add(row.executions);
        if first.get(&(row.process, row.code, row.line)) == Some(&row.offset) {
            line.hits = line.hits.saturating_add(row.executions);
        }
    }
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(process: u32, phase: Phase, code: u32, line: u32, offset: u32, executions: u64) -> InstructionRow {
        InstructionRow {
            process,
            phase,
            file: if process == 9 { "b.py".into() } else { "a.py".into() },
            function: "f".into(),
            first_line: 1,
            line,
            offset,
            opcode: "NOP".into(),
            executions,
            code,
            argument: 0,
        }
    }

    fn found(rows: &[InstructionRow]) -> Vec<(u32, Phase, u32, u64, u64)> {
        lines(rows)
            .iter()
            .map(|line| (line.process, line.phase, line.line, line.executions, line.hits))
            .collect()
    }

    #[test]
    fn hits_are_those_of_the_first_instruction_whatever_the_order_of_rows() {
        let rows = [
            row(0, Phase::Main, 1, 3, 8, 50),
            row(0, Phase::Main, 1, 3, 4, 10),
            row(0, Phase::Main, 1, 3, 6, 20),
            row(0, Phase::Main, 1, 2, 2, 0),
        ];
        assert_eq!(found(&rows), [(0, Phase::Main, 2, 0, 0), (0, Phase::Main, 3, 80, 10)]);
    }

    #[test]
    fn code_objects_on_one_line_each_have_a_first_instruction() {
        let rows = [
            row(0, Phase::Main, 1, 3, 4, 1),
            row(0, Phase::Main, 1, 3, 6, 1),
            row(0, Phase::Main, 2, 3, 0, 100),
            row(0, Phase::Main, 2, 3, 2, 100),
        ];
        assert_eq!(found(&rows), [(0, Phase::Main, 3, 202, 101)]);
    }

    #[test]
    fn a_first_instruction_without_a_row_in_a_phase_has_no_executions_there() {
        // The instruction at 4 never ran: it has a row in the first phase only.
        let rows = [
            row(0, Phase::Startup, 1, 3, 4, 0),
            row(0, Phase::Startup, 1, 3, 6, 5),
            row(0, Phase::Main, 1, 3, 6, 7),
        ];
        assert_eq!(found(&rows), [(0, Phase::Startup, 3, 5, 0), (0, Phase::Main, 3, 7, 0)]);
    }

    #[test]
    fn processes_and_files_are_told_apart() {
        let rows = [row(9, Phase::Main, 1, 3, 0, 2), row(0, Phase::Main, 1, 3, 2, 4)];
        assert_eq!(found(&rows), [(0, Phase::Main, 3, 4, 4), (9, Phase::Main, 3, 2, 2)]);
        assert_eq!(&*lines(&rows)[1].file, "b.py");
        assert_eq!(lines(&[]), []);
    }
}
