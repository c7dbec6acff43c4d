use std::io::{self, Write};

use opmeter_analysis::{Grouping, Hotspot, Hotspots, Spot, TimeSum};

use crate::Page;
use crate::file_label::{file_label, place_label};
use crate::grid::{Column, Grid, Row, write_rest};
use crate::heading::EXECUTIONS;
use crate::number::{error_of, grouped, milliseconds, percent};
use crate::terminal_text::visible;

impl Page<'_> {
    /// Writes which parts of the source ran most, or longest, where times were taken.
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
        let all = hotspots.totals.time;
        let mut columns =
            vec![Column::place(place, 30), Column::name("function", 12), Column::number("executions")];
        columns.extend(match all {
            None => vec![Column::number("share %"), Column::number("cumulative %")],
            Some(_) => ["net ms", "time %", "± %"].map(Column::number).into(),
        });
        let with_hits = hotspots.grouping == Grouping::Line;
        columns.extend(with_hits.then_some(Column::number("hits")));
        let (shown, rest) = hotspots.entries.split_at(self.shown(hotspots.entries.len()));
        let bar = |entry: &Hotspot| match (all, entry.time) {
            (Some(all), Some(time)) => time.share_of(&all),
            _ => entry.share,
        };
        let most = bar(&hotspots.entries[0]);
        let rows: Vec<Row> = shown
            .iter()
            .map(|entry| {
                let mut cells = self.cells(entry, all);
                if with_hits {
                    cells.push(entry.hits.map(grouped).unwrap_or_default());
                }
                Row { cells, bar: if most > 0.0 { bar(entry) / most } else { 0.0 } }
            })
            .collect();
        Grid { columns, bars: true }.write(out, &rows, self.columns, self.style)?;
        let executions = rest.iter().map(|entry| entry.executions).sum();
        write_rest(out, (rest.len(), one, many), executions, hotspots.totals.executions, self.style)?;
        self.end(out)
    }

    fn cells(&self, entry: &Hotspot, all: Option<TimeSum>) -> Vec<String> {
        let directory = &self.manifest.directory;
        let (place, function) = match &entry.spot {
            Spot::Line(file, line) => (place_label(file, *line, directory), entry.function.as_deref()),
            Spot::Function(file, line, function) => (place_label(file, *line, directory), Some(&**function)),
            Spot::File(file) => (file_label(file, directory), None),
            Spot::Folded(origin) => (format!("({})", origin.name()), None),
        };
        let mut cells = vec![place, visible(function.unwrap_or_default()), grouped(entry.executions)];
        cells.extend(match all {
            None => vec![percent(entry.share), percent(entry.cumulative_share)],
            Some(all) => {
                let time = entry.time.unwrap_or_default();
                vec![milliseconds(time.ns_net), percent(time.share_of(&all)), error_of(&time)]
            }
        });
        cells
    }
}
