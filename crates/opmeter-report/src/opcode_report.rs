use std::io::{self, Write};

use opmeter_analysis::{OpcodeMix, Terms};

use crate::Page;
use crate::grid::{Column, Grid, Row, write_rest};
use crate::heading::EXECUTIONS;
use crate::number::{grouped, percent};
use crate::terminal_text::visible;

const BASE: &str = "base opcode";

impl Page<'_> {
    /// Writes how often each opcode ran.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_opcodes(&self, mix: &OpcodeMix, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out, &mix.totals, EXECUTIONS)?;
        if mix.entries.is_empty() {
            writeln!(out, "No executions were counted.")?;
            return self.end(out);
        }
        let name = match mix.terms {
            Terms::AsExecuted => "opcode",
            Terms::Base => BASE,
        };
        let columns = vec![
            // A combined opcode's end is its base too: it is cut before that.
            Column::name(name, 24),
            Column::name(BASE, 14).faint(),
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
                    visible(&entry.opcode),
                    visible(entry.base_opcode.as_deref().unwrap_or_default()),
                    grouped(entry.executions),
                    percent(entry.share),
                    percent(entry.cumulative_share),
                ],
                bar: entry.executions as f64 / most as f64,
            })
            .collect();
        Grid { columns, bars: true }.write(out, &rows, self.columns, self.style)?;
        // Summed from whole numbers: shares are rounded.
        let executions = rest.iter().map(|entry| entry.executions).sum();
        let count = (rest.len(), "opcode", "opcodes");
        write_rest(out, count, executions, mix.totals.executions, self.style)?;
        self.end(out)
    }
}
