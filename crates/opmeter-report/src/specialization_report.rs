use std::io::{self, Write};

use opmeter_analysis::{Forms, Site, Specialization};

use crate::Page;
use crate::file_label::place_label;
use crate::grid::{Column, Grid, Row};
use crate::heading::EXECUTIONS;
use crate::number::{counted, grouped, percent};
use crate::terminal_text::visible;

impl Page<'_> {
    /// Writes how well the interpreter could specialise what ran: by family, and where it could not.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_specialization(
        &self,
        specialization: &Specialization,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.begin(out, &specialization.totals, EXECUTIONS)?;
        if specialization.families.is_empty() {
            writeln!(out, "No instruction of a family that specialises ran in what is shown.")?;
            return self.end(out);
        }
        let columns = vec![
            Column::name("family", 16),
            Column::number("executions"),
            Column::number("specialised %"),
            Column::number("unspecialised %"),
            Column::number("missed %"),
        ];
        let most = specialization.families[0].1.executions;
        let rows: Vec<Row> = specialization
            .families
            .iter()
            .map(|(family, forms)| {
                let part = |executions: u128| percent(executions as f64 / forms.executions as f64);
                Row {
                    cells: vec![
                        visible(family),
                        grouped(forms.executions),
                        part(forms.specialized),
                        part(forms.unspecialized),
                        part(forms.missed),
                    ],
                    bar: forms.executions as f64 / most as f64,
                }
            })
            .collect();
        Grid { columns, bars: true }.write(out, &rows, self.columns, self.style)?;
        let generic = &specialization.generic;
        self.write_sites(out, "stay generic", "unspecialised", generic, |forms| forms.unspecialized)?;
        self.write_sites(out, "keep missing", "missed", &specialization.missing, |forms| forms.missed)?;
        self.end(out)
    }

    fn write_sites(
        &self,
        out: &mut dyn Write,
        what: &str,
        count: &'static str,
        sites: &[Site],
        of: impl Fn(&Forms) -> u128,
    ) -> io::Result<()> {
        if sites.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.style.heading(&format!("Instructions that {what}")))?;
        let columns = vec![
            Column::place("line", 24),
            Column::name("function", 12),
            Column::name("family", 12),
            Column::number("offset"),
            Column::number(count),
            Column::number("executions"),
        ];
        let shown = self.shown(sites.len());
        let rows: Vec<Row> = sites[..shown]
            .iter()
            .map(|site| Row {
                cells: vec![
                    place_label(&site.file, site.line, &self.manifest.directory),
                    visible(&site.function),
                    visible(&site.opcode),
                    site.offset.to_string(),
                    grouped(of(&site.forms)),
                    grouped(site.forms.executions),
                ],
                bar: 0.0,
            })
            .collect();
        Grid { columns, bars: false }.write(out, &rows, self.columns, self.style)?;
        if shown < sites.len() {
            let rest: u128 = sites[shown..].iter().map(|site| of(&site.forms)).sum();
            let more = counted(sites.len() - shown, "more instruction", "more instructions");
            writeln!(out, "{}", self.style.faint(&format!("… {more}, {} {count}", grouped(rest))))?;
        }
        Ok(())
    }
}
