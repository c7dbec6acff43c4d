use std::io::{self, Write};

use opmeter_analysis::{Check, CheckedPart, Difference};

use crate::Page;
use crate::file_label::place_label;
use crate::grid::{Column, Grid, Row};
use crate::number::{counted, grouped};
use crate::terminal_text::{command_line, cut, visible};

impl Page<'_> {
    /// Writes what was checked in a recording, and what does not add up.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_check(&self, check: &Check, out: &mut dyn Write) -> io::Result<()> {
        let command = cut(&command_line(&self.manifest.command), self.columns);
        writeln!(out, "{}\n", self.style.heading(&command))?;
        if check.parts.is_empty() {
            writeln!(out, "Nothing was counted, so there is nothing to check.")?;
            return self.end(out);
        }
        let columns = ["process", "phase", "opcodes", "lines", "executions", ""];
        let columns = columns.iter().enumerate().map(|(place, name)| match place {
            1 | 5 => Column::name(name, 12),
            _ => Column::number(name),
        });
        let rows: Vec<Row> = check.parts.iter().map(part_row).collect();
        Grid { columns: columns.collect(), bars: false }.write(out, &rows, self.columns, self.style)?;
        self.write_differences(check, out)?;
        self.write_allowed(check, out)?;
        self.end(out)
    }

    fn write_differences(&self, check: &Check, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = Vec::new();
        for part in &check.parts {
            for difference in &part.differences {
                let (what, place, one, other) = self.described(difference);
                rows.push(Row {
                    cells: vec![
                        part.process.to_string(),
                        phase(part).to_owned(),
                        place,
                        what.to_owned(),
                        grouped(one),
                        grouped(other),
                    ],
                    bar: 0.0,
                });
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        let columns = vec![
            Column::number("process"),
            Column::name("phase", 8),
            Column::place("of", 24),
            Column::name("compared", 16),
            Column::number("one"),
            Column::number("other"),
        ];
        let shown = self.shown(rows.len());
        let rest = rows.split_off(shown).len();
        Grid { columns, bars: false }.write(out, &rows, self.columns, self.style)?;
        if rest > 0 {
            let more = counted(rest, "more difference", "more differences");
            writeln!(out, "{}", self.style.faint(&format!("… {more}")))?;
        }
        Ok(())
    }

    /// What was compared, of what, and both counts.
    fn described(&self, difference: &Difference) -> (&'static str, String, u128, u128) {
        let directory = &self.manifest.directory;
        match difference {
            Difference::Opcode { opcode, opcodes, instructions } => {
                ("opcodes, instructions", visible(opcode), *opcodes, *instructions)
            }
            Difference::Events { opcode, opcodes, events } => {
                ("opcodes, events", visible(opcode), *opcodes, *events)
            }
            Difference::Line { file, line, instructions, lines } => {
                ("instructions, lines", place_label(file, *line, directory), *instructions, *lines)
            }
            Difference::Forms { file, line, opcode, executions, forms } => {
                let place = format!("{} {}", place_label(file, *line, directory), visible(opcode));
                ("executions, forms", place, *executions, *forms)
            }
        }
    }

    /// Says what could not be checked, and why.
    fn write_allowed(&self, check: &Check, out: &mut dyn Write) -> io::Result<()> {
        let mut sentences = Vec::new();
        for part in &check.parts {
            let mut say = |text: String| {
                sentences.push(format!("process {}, {}: {text}", part.process, phase(part)));
            };
            if part.unplaced > 0 {
                say(format!(
                    "of {} executions only the opcode is known, not where the instruction stands",
                    grouped(part.unplaced)
                ));
            }
            if part.cut_short > 0 {
                say(format!(
                    "{} in one count and not in another: it was ended at that instant",
                    counted(part.cut_short as usize, "execution is", "executions are")
                ));
            }
            if part.running {
                say("it counted on while it was read, so that nothing could be compared".to_owned());
            }
        }
        self.warn(out, &sentences)
    }
}

fn phase(part: &CheckedPart) -> &'static str {
    part.phase.map_or("all phases", |phase| phase.name())
}

fn part_row(part: &CheckedPart) -> Row {
    let result = match part.differences.len() {
        0 if part.running => "not compared".to_owned(),
        0 => "ok".to_owned(),
        count => counted(count, "difference", "differences"),
    };
    let cells = vec![
        part.process.to_string(),
        phase(part).to_owned(),
        grouped(part.opcodes as u128),
        grouped(part.lines as u128),
        grouped(part.executions),
        result,
    ];
    Row { cells, bar: 0.0 }
}
