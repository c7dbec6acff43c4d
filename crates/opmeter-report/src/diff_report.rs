use std::io::{self, Write};

use opmeter_analysis::{Change, Changed, ChangedBy, Changes, Comparison, Edit, Place, Side, Spot};
use opmeter_recording::{Manifest, Phase, ProcessState};

use crate::diff_times::write_times;
use crate::file_label::{file_label, place_label};
use crate::grid::{Column, Grid, Row};
use crate::heading::interpreter;
use crate::number::{counted, grouped, signed, signed_percent};
use crate::terminal_text::{command_line, cut, visible, wrapped};
use crate::{Page, Style};

/// What differs between two recordings, for the terminal.
#[derive(Debug, Clone, Copy)]
pub struct DiffPage<'a> {
    /// What differs.
    pub comparison: &'a Comparison<'a>,
    /// The phases that are compared.
    pub phases: &'a [Phase],
    /// Show only this many rows of a table, those that changed most, and a line about the rest.
    pub top: usize,
    /// The most columns of the terminal that a line takes.
    pub columns: usize,
    /// Whether there are colours.
    pub style: Style,
}

/// A row of a table, fit to be shown, with what it ran.
pub(crate) struct ShownRow {
    /// The cells that tell what it is, those of its place first.
    pub(crate) place: Vec<String>,
    /// The cells that stand behind the numbers.
    pub(crate) details: Vec<String>,
    /// What it ran.
    pub(crate) change: Change,
}

/// A table of what changed.
pub(crate) struct ShownTable {
    /// What its rows are: one, and many.
    pub(crate) nouns: (&'static str, &'static str),
    pub(crate) places: Vec<Column>,
    pub(crate) details: Vec<Column>,
    /// All rows, those that did not change included.
    pub(crate) rows: Vec<ShownRow>,
}

impl DiffPage<'_> {
    /// Writes the two recordings, what they ran in all, tables of what changed by each of `views`, and what there is to
    /// be said about the comparison.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write(&self, views: &[ChangedBy], out: &mut dyn Write) -> io::Result<()> {
        self.write_heading(out)?;
        for view in views {
            writeln!(out)?;
            let table = self.table(*view);
            self.write_table(&table, out)?;
            write_times(self, &table, out)?;
        }
        let page = Page {
            manifest: self.comparison.after.manifest,
            top: None,
            columns: self.columns,
            style: self.style,
        };
        page.warn(out, &self.comparison.remarks)
    }

    fn write_heading(&self, out: &mut dyn Write) -> io::Result<()> {
        let Comparison { before, after, total, .. } = self.comparison;
        for (name, side, executions) in
            [("before", before, total.before.executions), ("after ", after, total.after.executions)]
        {
            let indent = name.len() + 2;
            let room = self.columns.saturating_sub(indent);
            let command = cut(&command_line(&side.manifest.command), room);
            writeln!(out, "{name}  {}", self.style.heading(&command))?;
            for line in wrapped(facts(side, executions).iter().map(String::as_str), " · ", room) {
                writeln!(out, "{}{line}", " ".repeat(indent))?;
            }
        }
        writeln!(out)?;
        let phases: Vec<&str> = self.phases.iter().map(|phase| phase.name()).collect();
        let phases =
            if phases.len() == 3 { "all phases".to_owned() } else { format!("phase {}", phases.join(", ")) };
        let all = if total.size() == 0 {
            format!("{phases}: as many executions in both, {}", grouped(total.after.executions))
        } else {
            let percent = total.percent().map_or("there were none before".to_owned(), |percent| {
                format!("{} %", signed_percent(percent))
            });
            format!("{phases}: {} executions ({percent})", signed(total.executions()))
        };
        writeln!(out, "{all}")
    }

    fn write_table(&self, table: &ShownTable, out: &mut dyn Write) -> io::Result<()> {
        let (one, many) = table.nouns;
        let changed: Vec<&ShownRow> = table.rows.iter().filter(|row| row.change.size() > 0).collect();
        let unchanged = table.rows.len() - changed.len();
        if changed.is_empty() {
            let all = match unchanged {
                0 => format!("No {many} ran."),
                1 => format!("No {one} changed: the only one ran as often as before."),
                count => {
                    format!("No {one} changed: all {} {many} ran as often as before.", grouped(count as u128))
                }
            };
            return writeln!(out, "{all}");
        }
        let (shown, rest) = changed.split_at(self.top.min(changed.len()));
        let mut columns = table.places.clone();
        columns.extend(["before", "after", "change", "change %"].map(Column::number));
        columns.extend(table.details.iter().copied());
        let rows = shown.iter().map(|row| {
            let percent = row.change.percent().map_or("new".to_owned(), signed_percent);
            let mut cells = row.place.clone();
            cells.extend([
                grouped(row.change.before.executions),
                grouped(row.change.after.executions),
                signed(row.change.executions()),
                percent,
            ]);
            cells.extend(row.details.iter().cloned());
            Row { cells, bar: 0.0 }
        });
        let rows: Vec<Row> = rows.collect();
        Grid { columns, bars: false }.write(out, &rows, self.columns, self.style)?;
        let mut remarks = Vec::new();
        if !rest.is_empty() {
            let sum: i128 = rest.iter().map(|row| row.change.executions()).sum();
            let rows = counted(rest.len(), &format!("more {one}"), &format!("more {many}"));
            remarks.push(format!("… {rows}, {} executions", signed(sum)));
        }
        if unchanged > 0 {
            let rows = counted(unchanged, one, many);
            remarks.push(format!("{rows} ran as often as before"));
        }
        if !remarks.is_empty() {
            writeln!(out, "{}", self.style.faint(&remarks.join(" · ")))?;
        }
        Ok(())
    }

    fn table(&self, view: ChangedBy) -> ShownTable {
        let comparison = self.comparison;
        match view {
            ChangedBy::Opcode => named(("opcode", "opcodes"), &comparison.opcodes),
            ChangedBy::Family => named(("family", "families"), &comparison.families),
            ChangedBy::Function => self.functions(&comparison.functions),
            ChangedBy::File => self.files(&comparison.files),
            ChangedBy::Line => self.lines(&comparison.lines),
        }
    }

    fn lines(&self, changes: &Changes<Place>) -> ShownTable {
        let row = |row: &Changed<Place>| {
            let spots = [&row.before, &row.after].map(|place| place.as_ref().map(|place| &place.spot));
            let text = row.latest().and_then(|place| place.text.as_deref()).unwrap_or_default();
            ShownRow {
                place: vec![self.label(spots), self.label_before(spots)],
                details: vec![edit(row.edit), visible(text)],
                change: row.change,
            }
        };
        ShownTable {
            nouns: ("line", "lines"),
            places: vec![Column::place("line", 26), Column::place("was", 5).faint()],
            details: vec![Column::name("edit", 7), Column::name("source", 8).faint()],
            rows: changes.rows.iter().map(row).collect(),
        }
    }

    fn functions(&self, changes: &Changes<Spot>) -> ShownTable {
        let name = |spot: Option<&Spot>| match spot {
            Some(Spot::Function(_, _, name)) => visible(name),
            _ => String::new(),
        };
        let row = |row: &Changed<Spot>| {
            let spots = [row.before.as_ref(), row.after.as_ref()];
            let (before, latest) = (name(spots[0]), name(row.latest()));
            let was = if before.is_empty() || before == latest { String::new() } else { before };
            let was = [was, self.label_before(spots)];
            let was: Vec<String> = was.into_iter().filter(|part| !part.is_empty()).collect();
            ShownRow {
                place: vec![self.label(spots), latest, was.join(" at ")],
                details: vec![edit(row.edit)],
                change: row.change,
            }
        };
        ShownTable {
            nouns: ("function", "functions"),
            places: vec![
                Column::place("defined at", 20),
                Column::name("function", 16),
                Column::place("was", 6).faint(),
            ],
            details: vec![Column::name("edit", 7)],
            rows: changes.rows.iter().map(row).collect(),
        }
    }

    fn files(&self, changes: &Changes<Spot>) -> ShownTable {
        let row = |row: &Changed<Spot>| {
            let spots = [row.before.as_ref(), row.after.as_ref()];
            ShownRow {
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
        let Comparison { before: one, after: other, .. } = self.comparison;
        after
            .map(|spot| label(spot, other.manifest))
            .or_else(|| before.map(|spot| label(spot, one.manifest)))
            .unwrap_or_default()
    }

    /// Where something was that is elsewhere now: the line alone where the file is the same.
    fn label_before(&self, [before, after]: [Option<&Spot>; 2]) -> String {
        let (Some(before), Some(after)) = (before, after) else { return String::new() };
        let Comparison { before: one, after: other, .. } = self.comparison;
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
            self.comparison.files.rows.iter().position(|row| side(row).is_some_and(|spot| is_of(spot, file)))
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

fn named(nouns: (&'static str, &'static str), changes: &Changes<String>) -> ShownTable {
    let row = |row: &Changed<String>| ShownRow {
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

/// What a recording is of.
fn facts(side: &Side<'_>, executions: u128) -> Vec<String> {
    let mut facts: Vec<String> = Vec::new();
    for process in &side.manifest.processes {
        let name = interpreter(process);
        if process.state == ProcessState::Metered && !facts.contains(&name) {
            facts.push(name);
        }
    }
    facts.push(counted(side.manifest.processes.len(), "process", "processes"));
    facts.push(format!(
        "{} {}",
        grouped(executions),
        if executions == 1 { "execution" } else { "executions" }
    ));
    facts.push(format!("ran for {:.2} s", side.manifest.wall_seconds));
    facts
}
