use std::io::{self, Write};

use opmeter_analysis::{ChangedBy, Comparison, RowFilter, Side};
use opmeter_recording::Phase;

use crate::diff_rows::{Rows, ShownRow, ShownTable};
use crate::diff_times::write_times;
use crate::grid::{Column, Grid, Row};
use crate::heading::{interpreters, processes};
use crate::number::{counted, grouped, signed, signed_percent};
use crate::terminal_text::{command_line, cut, wrapped};
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
            let table = Rows(self.comparison).table(*view);
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
        let Comparison { before, after, total, filter, .. } = self.comparison;
        for (name, side, executions) in
            [("before", before, total.before.executions), ("after ", after, total.after.executions)]
        {
            let indent = name.len() + 2;
            let room = self.columns.saturating_sub(indent);
            let command = cut(&command_line(&side.manifest.command), room);
            writeln!(out, "{name}  {}", self.style.heading(&command))?;
            for line in wrapped(facts(side, filter, executions).iter().map(String::as_str), " · ", room) {
                writeln!(out, "{}{line}", " ".repeat(indent))?;
            }
        }
        writeln!(out)?;
        let phases = phases(self.phases);
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

    fn write_table(&self, table: &ShownTable<'_>, out: &mut dyn Write) -> io::Result<()> {
        let (one, many) = table.nouns;
        let changed: Vec<&ShownRow<'_>> = table.rows.iter().filter(|row| row.change.size() > 0).collect();
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
}

/// The phases that are compared, in words.
pub(crate) fn phases(phases: &[Phase]) -> String {
    let names: Vec<&str> = phases.iter().map(|phase| phase.name()).collect();
    if names.len() == 3 { "all phases".to_owned() } else { format!("phase {}", names.join(", ")) }
}

/// What a recording is of.
fn facts(side: &Side<'_>, filter: &RowFilter, executions: u128) -> Vec<String> {
    let mut facts = interpreters(side.manifest, filter);
    facts.push(processes(side.manifest, filter));
    facts.push(format!(
        "{} {}",
        grouped(executions),
        if executions == 1 { "execution" } else { "executions" }
    ));
    facts.push(format!("ran for {:.2} s", side.manifest.wall_seconds));
    facts
}
