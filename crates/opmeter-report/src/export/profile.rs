use std::collections::{BTreeMap, HashMap};

use opmeter_recording::{InstructionRow, LineRow, SourceRow};

use crate::terminal_text::visible;

/// What a recording says of where instructions ran, for formats of the whole of it: processes and phases
/// are added up.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    /// The command that was run, with its arguments.
    pub command: &'a [String],
    /// The instructions to write.
    pub instructions: &'a [InstructionRow],
    /// Their lines.
    pub lines: &'a [LineRow],
    /// The source files.
    pub sources: &'a [SourceRow],
}

/// A function of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Function<'a> {
    pub(super) file: &'a str,
    pub(super) first_line: u32,
    pub(super) name: &'a str,
}

impl<'a> Function<'a> {
    pub(super) fn of(row: &'a InstructionRow) -> Function<'a> {
        Function { file: &row.file, first_line: row.first_line, name: &row.function }
    }
}

impl<'a> Profile<'a> {
    /// The absolute path of each file whose path is known.
    pub(super) fn paths(&self) -> HashMap<&'a str, &'a str> {
        let known = self.sources.iter().filter(|source| !source.path.is_empty());
        known.map(|source| (&*source.file, source.path.as_str())).collect()
    }

    /// A name for each function, which no other function of its file has: readers tell functions apart by
    /// their names. Where several have one, their first lines tell them apart. No name has a line end.
    pub(super) fn function_names(&self) -> BTreeMap<Function<'a>, String> {
        let mut functions: BTreeMap<Function<'a>, String> = BTreeMap::new();
        for row in self.instructions {
            functions.entry(Function::of(row)).or_insert_with(|| visible(&row.function));
        }
        let mut namesakes: HashMap<(&str, String), usize> = HashMap::new();
        for (function, name) in &functions {
            *namesakes.entry((function.file, name.clone())).or_default() += 1;
        }
        for (function, name) in &mut functions {
            if namesakes.get(&(function.file, name.clone())).is_some_and(|count| *count > 1) {
                *name = format!("{name}:{}", function.first_line);
            }
        }
        functions
    }
}
