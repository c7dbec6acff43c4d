use std::io::{self, Write};

use opmeter_analysis::PairMix;

use crate::Page;
use crate::grid::{Column, Grid, Row, write_rest};
use crate::number::{grouped, percent};
use crate::terminal_text::visible;

impl Page<'_> {
    /// Writes how often each pair of opcodes ran.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_pairs(&self, mix: &PairMix, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out, &mix.totals, ("pair", "pairs"))?;
        if mix.entries.is_empty() {
            writeln!(out, "No pairs were counted in what is shown.")?;
            return self.end(out);
        }
        let columns = vec![
            Column::name("first", 20),
            Column::name("second", 20),
            Column::number("executions"),
            Column::number("share %"),
            Column::number("cumulative %"),
        ];
        let (shown, rest) = mix.entries.split_at(self.shown(mix.entries.len()));
        let most = mix.entries[0].executions;
        let rows: Vec<Row> = shown
            .iter()
            .map(|entry| Row {
                cells: vec![
                    visible(&entry.first),
                    visible(&entry.second),
                    grouped(entry.executions),
                    percent(entry.share),
                    percent(entry.cumulative_share),
                ],
                bar: entry.executions as f64 / most as f64,
            })
            .collect();
        Grid { columns, bars: true }.write(out, &rows, self.columns, self.style)?;
        let executions = rest.iter().map(|entry| entry.executions).sum();
        write_rest(out, (rest.len(), "pair", "pairs"), executions, mix.totals.executions, self.style)?;
        self.end(out)
    }
}
