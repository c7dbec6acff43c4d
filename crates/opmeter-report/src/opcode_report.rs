use std::io::{self, Write};

use opmeter_analysis::{MixEntry, OpcodeMix, Terms};

use crate::Page;
use crate::grid::{Column, Grid, Row, write_rest};
use crate::heading::EXECUTIONS;
use crate::number::{each, error_of, grouped, milliseconds, percent};
use crate::terminal_text::visible;

const BASE: &str = "base opcode";

impl Page<'_> {
    /// Writes how often each opcode ran, and how long, where times were taken.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_opcodes(&self, mix: &OpcodeMix, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out, &mix.totals, EXECUTIONS)?;
        if mix.entries.is_empty() {
            let nothing = if mix.is_of_files {
                "Nothing ran in the files and phases that are shown."
            } else {
                "No executions were counted."
            };
            writeln!(out, "{nothing}")?;
            return self.end(out);
        }
        if mix.is_of_files {
            writeln!(out, "{}", self.style.faint("Opcodes of the chosen files, as compiled:"))?;
        }
        let name = match mix.terms {
            Terms::AsExecuted => "opcode",
            Terms::Base => BASE,
        };
        let all = mix.totals.time;
        let mut columns = vec![
            // A combined opcode's end is its base too: it is cut before that.
            Column::name(name, 24),
            Column::name(BASE, 14).faint(),
            Column::number("executions"),
        ];
        columns.extend(match all {
            None => vec![Column::number("share %"), Column::number("cumulative %")],
            Some(_) => ["net ms", "time %", "± %", "ns each"].map(Column::number).into(),
        });
        let (shown, rest) = mix.entries.split_at(self.shown(mix.entries.len()));
        let bar = |entry: &MixEntry| match (all, entry.time) {
            (Some(all), Some(time)) => time.share_of(&all),
            _ => entry.share,
        };
        let most = bar(&mix.entries[0]);
        let rows: Vec<Row> = shown
            .iter()
            .map(|entry| {
                let mut cells = vec![
                    visible(&entry.opcode),
                    visible(entry.base_opcode.as_deref().unwrap_or_default()),
                    grouped(entry.executions),
                ];
                cells.extend(match all {
                    None => vec![percent(entry.share), percent(entry.cumulative_share)],
                    Some(all) => {
                        let time = entry.time.unwrap_or_default();
                        let each = each(time.ns_net, entry.executions);
                        vec![milliseconds(time.ns_net), percent(time.share_of(&all)), error_of(&time), each]
                    }
                });
                Row { cells, bar: if most > 0.0 { bar(entry) / most } else { 0.0 } }
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
