use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{InstructionRow, InstructionTime, LineRow, Phase};

/// How often a line was come to in one code object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineHits {
    /// The process.
    pub process: u32,
    /// The phase.
    pub phase: Phase,
    /// The file, as in [`InstructionRow::file`].
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// How often it was come to from another line, or its code object began with it.
    pub hits: u64,
}

/// What the rows of the instructions table amount to by line, in the order of process, phase, file and
/// line, with the hits of the lines that are among them. A line that never ran has a row wherever an
/// instruction of it has one.
pub fn lines(instructions: &[InstructionRow], hits: &[LineHits]) -> Vec<LineRow> {
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
                    time: None,
                });
                lines.len() - 1
            });
        }
        let line = &mut lines[last];
        line.executions = line.executions.saturating_add(row.executions);
        if let Some(time) = &row.time {
            line.time.get_or_insert_with(InstructionTime::default).add(time);
        }
    }
    for hit in hits {
        if let Some(place) = found.get(&(hit.process, hit.phase, &*hit.file, hit.line)) {
            lines[*place].hits = lines[*place].hits.saturating_add(hit.hits);
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
            time: None,
        }
    }

    fn found(rows: &[InstructionRow], hits: &[LineHits]) -> Vec<(u32, Phase, u32, u64, u64)> {
        lines(rows, hits)
            .iter()
            .map(|line| (line.process, line.phase, line.line, line.executions, line.hits))
            .collect()
    }

    fn hit(phase: Phase, file: &str, line: u32, hits: u64) -> LineHits {
        LineHits { process: 0, phase, file: file.into(), line, hits }
    }

    #[test]
    fn executions_and_hits_of_a_line_add_up() {
        let rows = [
            row(0, Phase::Main, 1, 3, 8, 50),
            row(0, Phase::Main, 1, 3, 4, 10),
            row(0, Phase::Main, 2, 3, 6, 20),
            row(0, Phase::Main, 1, 2, 2, 0),
        ];
        let hits = [
            hit(Phase::Main, "a.py", 3, 10),
            hit(Phase::Main, "a.py", 3, 20),
            hit(Phase::Main, "b.py", 3, 7),
            hit(Phase::Shutdown, "a.py", 3, 7),
        ];
        let expected = [(0, Phase::Main, 2, 0, 0), (0, Phase::Main, 3, 80, 30)];
        assert_eq!(found(&rows, &hits), expected);
    }

    #[test]
    fn processes_and_files_are_told_apart() {
        let rows = [row(9, Phase::Main, 1, 3, 0, 2), row(0, Phase::Main, 1, 3, 2, 4)];
        assert_eq!(found(&rows, &[]), [(0, Phase::Main, 3, 4, 0), (9, Phase::Main, 3, 2, 0)]);
        assert_eq!(&*lines(&rows, &[])[1].file, "b.py");
        assert_eq!(lines(&[], &[]), []);
    }
}
