use opmeter_analysis::{Change, Changed, ChangedBy, Changes, Comparison, Edit, Place, Spot};
use opmeter_recording::Manifest;

use crate::file_label::{file_label, place_label};
use crate::grid::Column;
use crate::terminal_text::visible;

/// A row of a table, fit to be shown, with what it ran.
#[derive(Debug)]
pub(crate) struct ShownRow<'a> {
    /// Where it was and is; none of opcodes and families.
    pub(crate) spots: [Option<&'a Spot>; 2],
    /// The cells that tell what it is, those of its place first.
    pub(crate) place: Vec<String>,
    /// The cells that stand behind the numbers.
    pub(crate) details: Vec<String>,
    /// What it ran.
    pub(crate) change: Change,
}

/// A table of what changed.
#[derive(Debug)]
pub(crate) struct ShownTable<'a> {
    /// What its rows are: one, and many.
    pub(crate) nouns: (&'static str, &'static str),
    /// The columns that tell what a row is, that of its place first.
    pub(crate) places: Vec<Column>,
    /// The columns behind the numbers.
    pub(crate) details: Vec<Column>,
    /// All rows, those that did not change included: those whose executions changed most first.
    pub(crate) rows: Vec<ShownRow<'a>>,
}

/// The rows of a comparison, with the names that they are shown by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a>(pub(crate) &'a Comparison<'a>);

impl<'a> Rows<'a> {
    /// The table of what changed by this.
    pub(crate) fn table(&self, view: ChangedBy) -> ShownTable<'a> {
        let comparison = self.0;
        match view {
            ChangedBy::Opcode => named(("opcode", "opcodes"), &comparison.opcodes),
            ChangedBy::Family => named(("family", "families"), &comparison.families),
            ChangedBy::Function => self.functions(&comparison.functions),
            ChangedBy::File => self.files(&comparison.files),
            ChangedBy::Line => self.lines(&comparison.lines),
        }
    }

    fn lines(&self, changes: &'a Changes<Place>) -> ShownTable<'a> {
        let row = |row: &'a Changed<Place>| {
            let spots = [&row.before, &row.after].map(|place| place.as_ref().map(|place| &place.spot));
            let text = row.latest().and_then(|place| place.text.as_deref()).unwrap_or_default();
            ShownRow {
                spots,
                place: vec![self.label(spots), self.label_before(spots)],
                details: vec![edit(row.edit), visible(text)],
                change: row.change,
            }
        };
        ShownTable {
            nouns: ("line", "lines"),
            places: vec![Column::place("line", 18), Column::place("was", 12).faint()],
            details: vec![Column::name("edit", 7), Column::name("source", 8).faint()],
            rows: changes.rows.iter().map(row).collect(),
        }
    }

    fn functions(&self, changes: &'a Changes<Spot>) -> ShownTable<'a> {
        let name = |spot: Option<&Spot>| match spot {
            Some(Spot::Function(_, _, name)) => visible(name),
            _ => String::new(),
        };
        let row = |row: &'a Changed<Spot>| {
            let spots = [row.before.as_ref(), row.after.as_ref()];
            let (before, latest) = (name(spots[0]), name(row.latest()));
            let was = if before.is_empty() || before == latest { String::new() } else { before };
            let was = [was, self.label_before(spots)];
            let was: Vec<String> = was.into_iter().filter(|part| !part.is_empty()).collect();
            ShownRow {
                spots,
                place: vec![self.label(spots), latest, was.join(" at ")],
                details: vec![edit(row.edit)],
                change: row.change,
            }
        };
        ShownTable {
            nouns: ("function", "functions"),
            places: vec![
                Column::place("defined at", 14),
                Column::name("function", 12),
                Column::place("was", 12).faint(),
            ],
            details: vec![Column::name("edit", 7)],
            rows: changes.rows.iter().map(row).collect(),
        }
    }

    fn files(&self, changes: &'a Changes<Spot>) -> ShownTable<'a> {
        let row = |row: &'a Changed<Spot>| {
            let spots = [row.before.as_ref(), row.after.as_ref()];
            ShownRow {
                spots,
                place: vec![self.label(spots), self.label_before(spots)],
                details: vec![edit(row.edit)],
                change: row.change,
            }
        };
        ShownTable {
            nouns: ("file", "files"),
            places: vec![Column::place("file", 24), Column::place("was", 12).faint()],
            details: vec![Column::name("edit", 7)],
            rows: changes.rows.iter().map(row).collect(),
        }
    }

    /// Where something is, or was where it is not there any more.
    fn label(&self, [before, after]: [Option<&Spot>; 2]) -> String {
        let Comparison { before: one, after: other, .. } = self.0;
        after
            .map(|spot| label(spot, other.manifest))
            .or_else(|| before.map(|spot| label(spot, one.manifest)))
            .unwrap_or_default()
    }

    /// Where something was that is elsewhere now: the line alone where the file is the same.
    fn label_before(&self, [before, after]: [Option<&Spot>; 2]) -> String {
        let (Some(before), Some(after)) = (before, after) else { return String::new() };
        let Comparison { before: one, after: other, .. } = self.0;
        let (file, line) = (file_of(before, one.manifest), line_of(before));
        let is_same_file = file == file_of(after, other.manifest) || self.is_paired_by_folder(before, after);
        match (is_same_file, line) {
            (true, None) => String::new(),
            (true, line) if line == line_of(after) => String::new(),
            (true, Some(line)) => line.to_string(),
            (false, _) => label(before, one.manifest),
        }
    }

    /// Whether two files have the same name, and lie in two folders: that these differ says nothing about a line.
    fn is_paired_by_folder(&self, before: &Spot, after: &Spot) -> bool {
        let name = |spot: &Spot| match spot {
            Spot::Line(file, _) | Spot::Function(file, ..) | Spot::File(file) => {
                file.rsplit('/').next().map(str::to_owned)
            }
            Spot::Folded(_) => None,
        };
        let of = |side: fn(&Changed<Spot>) -> Option<&Spot>, file: &Spot| {
            self.0.files.rows.iter().position(|row| side(row).is_some_and(|spot| is_of(spot, file)))
        };
        let rows = (of(|row| row.before.as_ref(), before), of(|row| row.after.as_ref(), after));
        name(before).is_some() && name(before) == name(after) && rows.0.is_some() && rows.0 == rows.1
    }
}

/// Whether a place lies in a file.
fn is_of(file: &Spot, place: &Spot) -> bool {
    match (file, place) {
        (Spot::File(file), Spot::Line(of, _) | Spot::Function(of, ..) | Spot::File(of)) => file == of,
        _ => false,
    }
}

fn named<'a>(nouns: (&'static str, &'static str), changes: &'a Changes<String>) -> ShownTable<'a> {
    let row = |row: &'a Changed<String>| ShownRow {
        spots: [None, None],
        place: vec![visible(row.latest().map_or("", String::as_str))],
        details: Vec::new(),
        change: row.change,
    };
    let rows = changes.rows.iter().map(row).collect();
    ShownTable { nouns, places: vec![Column::name(nouns.0, 24)], details: Vec::new(), rows }
}

/// What became of something, where that is to be said.
fn edit(edit: Edit) -> String {
    if edit == Edit::Same { String::new() } else { edit.name().to_owned() }
}

fn label(spot: &Spot, manifest: &Manifest) -> String {
    let directory = &manifest.directory;
    match spot {
        Spot::Line(file, line) | Spot::Function(file, line, _) => place_label(file, *line, directory),
        Spot::File(file) => file_label(file, directory),
        Spot::Folded(origin) => format!("({})", origin.name()),
    }
}

fn file_of(spot: &Spot, manifest: &Manifest) -> String {
    match spot {
        Spot::Line(file, _) | Spot::Function(file, ..) | Spot::File(file) => {
            file_label(file, &manifest.directory)
        }
        Spot::Folded(origin) => origin.name().to_owned(),
    }
}

fn line_of(spot: &Spot) -> Option<u32> {
    match spot {
        Spot::Line(_, line) | Spot::Function(_, line, _) => Some(*line),
        Spot::File(_) | Spot::Folded(_) => None,
    }
}
