use std::io::{self, Write};

use opmeter_analysis::OpcodeMix;
use opmeter_recording::Manifest;

use crate::Style;
use crate::heading::write_heading;
use crate::processes::write_processes;
use crate::table::write_table;
use crate::terminal_text::{visible, wrapped};

/// A report for the terminal: how often each opcode ran.
///
/// It has a heading (command, interpreters, processes, phases, executions, wall time), a table of the
/// processes if there are several, the table of opcodes, and a `warning:` for each thing that is missing
/// from the recording.
#[derive(Debug, Clone, Copy)]
pub struct OpcodeReport<'a> {
    /// What the recording says of itself.
    pub manifest: &'a Manifest,
    /// The opcodes to show.
    pub mix: &'a OpcodeMix,
    /// Show only this many opcodes, those with the most executions, and a line about the rest; none for
    /// all of them.
    pub top: Option<usize>,
    /// The most columns of the terminal that a line takes; see [`OpcodeReport::COLUMNS`].
    pub columns: usize,
    /// Whether there are colours.
    pub style: Style,
}

impl OpcodeReport<'_> {
    /// The columns that a report takes where nothing else is asked for.
    pub const COLUMNS: usize = 100;

    /// Writes the report.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let OpcodeReport { manifest, mix, top, columns, style } = *self;
        write_heading(out, manifest, mix, columns, style)?;
        writeln!(out)?;
        write_processes(out, manifest, mix, columns, style)?;
        write_table(out, mix, top, columns, style)?;
        self.write_warnings(out)
    }

    fn write_warnings(&self, out: &mut dyn Write) -> io::Result<()> {
        const WORD: &str = "warning: ";
        let mut sentences: Vec<String> =
            self.manifest.incomplete.iter().map(|sentence| visible(sentence)).collect();
        if sentences.is_empty() && !self.manifest.complete {
            sentences.push("the recording is not complete, and does not say what is missing".to_owned());
        }
        for (place, sentence) in sentences.iter().enumerate() {
            if place == 0 {
                writeln!(out)?;
            }
            let lines = wrapped(sentence.split_whitespace(), " ", self.columns.saturating_sub(WORD.len()));
            write!(out, "{}", self.style.warning(WORD.trim_end()))?;
            writeln!(out, " {}", lines.join(&format!("\n{}", " ".repeat(WORD.len()))))?;
        }
        Ok(())
    }
}
