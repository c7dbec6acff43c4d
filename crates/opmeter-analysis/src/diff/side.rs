use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use opmeter_recording::{Manifest, Phase, Tables};

use super::file_pairs::FileFacts;
use crate::{Files, Ran, RowFilter, Shown, SourceText, Spot};

/// One of two recordings that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What it says of itself.
    pub manifest: &'a Manifest,
    /// What was counted; of it the opcodes, instructions, lines, sources and their texts are needed.
    pub tables: &'a Tables,
    /// Which files are taken, and how they are shown.
    pub files: &'a Files<'a>,
}

/// What a file of a recording ran, and what it is.
#[derive(Debug)]
pub(crate) struct SideFile {
    /// Its name, as its code objects have it.
    pub(crate) name: Arc<str>,
    /// What tells which file it is.
    pub(crate) facts: FileFacts,
    /// Whether it was written to after its process had started.
    pub(crate) is_uncertain: bool,
    /// What its lines ran, those that never did included; line 0 stands for none.
    pub(crate) lines: BTreeMap<u32, Ran>,
    /// For each line the function with most executions on it.
    pub(crate) functions: HashMap<u32, Arc<str>>,
}

impl SideFile {
    /// What a line ran.
    pub(crate) fn ran(&self, line: u32) -> Ran {
        self.lines.get(&line).copied().unwrap_or_default()
    }
}

impl<'a> Side<'a> {
    /// The files that are shown by themselves, in the order of their names, with what the rows that a filter takes ran.
    pub(crate) fn side_files(&self, filter: &RowFilter) -> Vec<SideFile> {
        let mut lines: BTreeMap<&Arc<str>, BTreeMap<u32, Ran>> = BTreeMap::new();
        for row in self.tables.lines.iter().filter(|row| self.is_itself(&row.file)) {
            let ran = lines.entry(&row.file).or_default().entry(row.line).or_default();
            if filter.takes(row) {
                ran.add(Ran::of(row));
            }
        }
        let main = self.main_file();
        let mut functions = self.line_functions(filter);
        let sources: HashMap<&str, _> =
            self.tables.sources.iter().map(|source| (&*source.file, source)).collect();
        let file = |(name, lines): (&Arc<str>, BTreeMap<u32, Ran>)| {
            let source = sources.get(&**name);
            let path = source.map(|source| source.path.as_str()).filter(|path| !path.is_empty());
            let facts = FileFacts {
                name: name.to_string(),
                path: path.unwrap_or(name).to_owned(),
                sha256: source.map(|source| source.sha256.to_ascii_lowercase()).unwrap_or_default(),
                is_source: path.is_some() || name.ends_with(".py"),
                is_main: main.as_ref() == Some(name),
            };
            SideFile {
                name: name.clone(),
                facts,
                is_uncertain: source.is_some_and(|source| source.changed != 0),
                lines,
                functions: functions.remove(name).unwrap_or_default(),
            }
        };
        lines.into_iter().map(file).collect()
    }

    pub(crate) fn is_itself(&self, file: &str) -> bool {
        self.files.shown(file) == Shown::Itself
    }

    /// What is folded to one row, by what it is.
    pub(crate) fn folded(&self, filter: &RowFilter) -> BTreeMap<Spot, Ran> {
        let mut folded: BTreeMap<Spot, Ran> = BTreeMap::new();
        for row in self.tables.lines.iter().filter(|row| filter.takes(*row)) {
            if let Shown::Folded(origin) = self.files.shown(&row.file) {
                folded.entry(Spot::Folded(origin)).or_default().add(Ran::of(row));
            }
        }
        folded
    }

    /// The text of a file, and what is wrong with it.
    pub(crate) fn text(&self, file: &str) -> SourceText {
        SourceText::of(self.tables, file)
    }

    /// The file of the program itself: the module of no library that ran first.
    fn main_file(&self) -> Option<Arc<str>> {
        let modules = self.tables.instructions.iter().filter(|row| {
            row.phase == Phase::Main && &*row.function == "<module>" && self.is_itself(&row.file)
        });
        modules.min_by_key(|row| (row.process, row.code)).map(|row| row.file.clone())
    }

    fn line_functions(&self, filter: &RowFilter) -> HashMap<Arc<str>, HashMap<u32, Arc<str>>> {
        let mut sums: BTreeMap<(&Arc<str>, u32, &Arc<str>), u128> = BTreeMap::new();
        for row in self.tables.instructions.iter().filter(|row| self.is_itself(&row.file)) {
            let taken = if filter.takes(row) { u128::from(row.executions) } else { 0 };
            *sums.entry((&row.file, row.line, &row.function)).or_default() += taken;
        }
        type Most = HashMap<u32, (u128, Arc<str>)>;
        let mut most: HashMap<Arc<str>, Most> = HashMap::new();
        for ((file, line, function), executions) in sums {
            let found = most.entry(file.clone()).or_default().entry(line);
            let found = found.or_insert_with(|| (executions, function.clone()));
            if executions > found.0 {
                *found = (executions, function.clone());
            }
        }
        let names = |lines: Most| lines.into_iter().map(|(line, (_, function))| (line, function)).collect();
        most.into_iter().map(|(file, lines)| (file, names(lines))).collect()
    }
}
