use std::io::{self, Write};

use opmeter_analysis::{Grouping, Hotspot, Hotspots, Spot};

use crate::Page;
use crate::file_label::{file_label, place_label};
use crate::grid::{Column, Grid, Row, write_rest};
use crate::heading::EXECUTIONS;
use crate::number::{grouped, percent};
use crate::terminal_text::visible;

impl Page<'_> {
    /// Writes which parts of the source ran most.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_hotspots(&self, hotspots: &Hotspots, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out, &hotspots.totals, EXECUTIONS)?;
        if hotspots.entries.is_empty() {
            writeln!(out, "Nothing ran in the files and phases that are shown.")?;
            return self.end(out);
        }
        let (place, one, many) = match hotspots.grouping {
            Grouping::Line => ("line", "line", "lines"),
            Grouping::Function => ("defined at", "function", "functions"),
            Grouping::File => ("file", "file", "files"),
        };
        let columns = [
            Column::place(place, 30),
            Column::name("function", 12),
            Column::number("executions"),
            Column::number("share %"),
            Column::number("cumulative %"),
            Column::number("hits"),
        ];
        let with_hits = hotspots.grouping == Grouping::Line;
        let columns = columns[..columns.len() - usize::from(!with_hits)].to_vec();
        let (shown, rest) = hotspots.entries.split_at(self.shown(hotspots.entries.len()));
        let most = hotspots.entries[0].executions;
        let rows: Vec<Row> = shown
            .iter()
            .map(|entry| {
                let mut cells = self.cells(entry);
                if with_hits {
                    cells.push(entry.hits.map(grouped).unwrap_or_default());
                }
                Row { cells, bar: entry.executions as f64 / most as f64 }
            })
            .collect();
        Grid { columns, bars: true }.write(out, &rows, self.columns, self.style)?;
        let executions = rest.iter().map(|entry| entry.executions).sum();
        write_rest(out, (rest.len(), one, many), executions, hotspots.totals.executions, self.style)?;
        self.end(out)
    }

    fn cells(&self, entry: &Hotspot) -> Vec<String> {
        let directory = &self.manifest.directory;
        let (place, function) = match &entry.spot {
            Spot::Line(file, line) => (place_label(file, *line, directory), entry.function.as_deref()),
            Spot::Function(file, line, function) => (place_label(file, *line, directory), Some(&**function)),
            Spot::File(file) => (file_label(file, directory), None),
            Spot::Folded(origin) => (format!("({})", origin.name()), None),
        };
        vec![
            place,
            visible(function.unwrap_or_default()),
            grouped(entry.executions),
            percent(entry.share),
            percent(entry.cumulative_share),
        ]
    }
}
