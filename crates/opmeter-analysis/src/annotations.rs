use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use opmeter_recording::{InstructionRow, LineRow, Tables};

use crate::{Annotation, Files, RowFilter, Shown, Target, Totals};

/// The files of a recording that are shown by themselves, ready to be annotated one after the other.
///
/// The rows are sorted by file once; each annotation is made when it is asked for, so that only one need be in memory.
#[derive(Debug)]
pub struct Annotations<'a> {
    files: Vec<AnnotatedFile<'a>>,
    totals: Totals,
}

/// The rows of a file.
#[derive(Debug)]
struct AnnotatedFile<'a> {
    file: &'a Arc<str>,
    instructions: Vec<&'a InstructionRow>,
    lines: Vec<&'a LineRow>,
    executions: u128,
    cycles_net: u128,
}

impl<'a> Annotations<'a> {
    /// Sorts the rows of a recording by file. Files in which nothing ran that `filter` takes are left out, as are those
    /// that are folded or that patterns leave out.
    pub fn new(tables: &'a Tables, filter: RowFilter, files: &Files<'_>) -> Annotations<'a> {
        let totals = Totals::add_up(&tables.instructions, filter, |file| files.takes(file), |_| {});
        let mut by_file: HashMap<&Arc<str>, AnnotatedFile<'a>> = HashMap::new();
        for row in tables.lines.iter().filter(|row| files.shown(&row.file) == Shown::Itself) {
            let entry = by_file.entry(&row.file).or_insert_with(|| AnnotatedFile {
                file: &row.file,
                instructions: Vec::new(),
                lines: Vec::new(),
                executions: 0,
                cycles_net: 0,
            });
            entry.lines.push(row);
            if totals.filter.takes(row) {
                entry.executions += u128::from(row.executions);
                entry.cycles_net += row.time.as_ref().map_or(0, |time| u128::from(time.cycles_net));
            }
        }
        by_file.retain(|_, file| file.executions > 0);
        for row in &tables.instructions {
            if let Some(file) = by_file.get_mut(&row.file) {
                file.instructions.push(row);
            }
        }
        let mut files: Vec<AnnotatedFile<'a>> = by_file.into_values().collect();
        files.sort_by_key(|file| (Reverse(file.cycles_net), Reverse(file.executions), file.file));
        Annotations { files, totals }
    }

    /// The files, as the recording names them: most time first where times were taken, most executions first otherwise
    /// and among equals, then by name.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &'a Arc<str>> + '_ {
        self.files.iter().map(|file| file.file)
    }

    /// The annotations of the files, in their order. Shares are of what is taken of all files.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Annotation> + '_ {
        self.files.iter().map(|file| {
            let target = Target { file: file.file.clone(), function: None };
            Annotation::of_rows(target, &file.instructions, &file.lines, self.totals.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use opmeter_recording::Phase;

    use super::*;
    use crate::FilePatterns;

    fn instruction(file: &str, line: u32, offset: u32, executions: u64, phase: Phase) -> InstructionRow {
        InstructionRow {
            process: 0,
            phase,
            file: file.into(),
            function: "f".into(),
            first_line: 1,
            line,
            offset,
            opcode: "NOP".into(),
            executions,
            code: 0,
            argument: 0,
            time: None,
        }
    }

    #[test]
    fn each_file_is_annotated_as_it_would_be_alone() {
        let instructions = vec![
            instruction("a.py", 1, 0, 3, Phase::Main),
            instruction("a.py", 2, 2, 0, Phase::Main),
            instruction("b.py", 7, 0, 9, Phase::Main),
            instruction("b.py", 7, 0, 4, Phase::Startup),
            instruction("only_at_the_start.py", 1, 0, 5, Phase::Startup),
            instruction("left_out.py", 1, 0, 5, Phase::Main),
            instruction("/usr/lib/python3.11/os.py", 1, 0, 50, Phase::Main),
        ];
        let lines = opmeter_recording::lines(&instructions, &[]);
        let tables = Tables { instructions, lines, ..Tables::default() };
        let patterns = FilePatterns::new(&[], &["left_out.py".to_owned()]).unwrap();
        let files = Files::new(&tables, &patterns, false);
        let filter = RowFilter { phases: Some(vec![Phase::Main]), processes: None };
        let annotations = Annotations::new(&tables, filter.clone(), &files);
        assert_eq!(annotations.files().map(|file| &**file).collect::<Vec<_>>(), ["b.py", "a.py"]);
        for annotation in annotations.iter() {
            let alone = Annotation::new(&tables, filter.clone(), annotation.target.clone());
            assert_eq!((&annotation.lines, annotation.executions), (&alone.lines, alone.executions));
            assert_eq!((annotation.totals.executions, annotation.totals.left_out), (62, 5));
        }
    }
}
