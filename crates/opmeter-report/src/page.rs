use std::io::{self, Write};

use opmeter_analysis::Totals;
use opmeter_recording::Manifest;

use crate::Style;
use crate::heading::write_heading;
use crate::processes::write_processes;
use crate::terminal_text::{visible, wrapped};

/// A report for the terminal.
///
/// It has a heading (command, interpreters, processes, phases, executions, wall time), a table of the
/// processes if there are several, the tables of what is reported, and a `warning:` for each thing that is
/// missing from the recording.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What the recording says of itself.
    pub manifest: &'a Manifest,
    /// Show only this many rows of a table, those with the most executions, and a line about the rest;
    /// none for all of them.
    pub top: Option<usize>,
    /// The most columns of the terminal that a line takes; see [`Page::COLUMNS`].
    pub columns: usize,
    /// Whether there are colours.
    pub style: Style,
}

/// The word before a warning.
const WARNING: &str = "warning:";

impl Page<'_> {
    /// The columns that a report takes where nothing else is asked for.
    pub const COLUMNS: usize = 100;

    /// Writes the heading and the table of processes; `nouns` is what the totals count, one and many.
    pub(crate) fn begin(&self, out: &mut dyn Write, totals: &Totals, nouns: (&str, &str)) -> io::Result<()> {
        write_heading(out, self.manifest, totals, nouns, self.columns, self.style)?;
        writeln!(out)?;
        write_processes(out, self.manifest, totals, self.columns, self.style)
    }

    /// Writes what is missing from the recording.
    pub(crate) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        self.warn(out, &missing(self.manifest))
    }

    /// Writes warnings, and an empty line before them.
    pub(crate) fn warn(&self, out: &mut dyn Write, sentences: &[String]) -> io::Result<()> {
        for (place, sentence) in sentences.iter().enumerate() {
            if place == 0 {
                writeln!(out)?;
            }
            let indent = WARNING.len() + 1;
            let sentence = visible(sentence);
            let lines = wrapped(sentence.split_whitespace(), " ", self.columns.saturating_sub(indent));
            write!(out, "{}", self.style.warning(WARNING))?;
            writeln!(out, " {}", lines.join(&format!("\n{}", " ".repeat(indent))))?;
        }
        Ok(())
    }

    /// How many of a table's rows are shown.
    pub(crate) fn shown(&self, rows: usize) -> usize {
        self.top.unwrap_or(usize::MAX).min(rows)
    }
}

/// What is missing from a recording: a sentence each.
pub(crate) fn missing(manifest: &Manifest) -> Vec<String> {
    let mut sentences = manifest.incomplete.clone();
    if sentences.is_empty() && !manifest.complete {
        sentences.push("the recording is not complete, and does not say what is missing".to_owned());
    }
    sentences
}
