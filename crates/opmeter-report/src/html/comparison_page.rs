use std::io::{self, Write};

use maud::{Markup, html};
use opmeter_analysis::{ChangedBy, Comparison};
use opmeter_recording::Phase;

use super::aligned_data::AlignedFiles;
use super::change_table::{change_table, legend};
use super::comparison_summary;
use super::frame::{Frame, Section, section};
use crate::diff_rows::Rows;
use crate::terminal_text::visible;

const SUMMARY: Section = Section { id: "summary", heading: "Summary" };
const LINES: Section = Section { id: "lines", heading: "Lines" };
const PLACES: Section = Section { id: "places", heading: "Functions and files" };
const OPCODES: Section = Section { id: "opcodes", heading: "Opcodes" };
const SOURCE: Section = Section { id: "source", heading: "Source" };

/// A page of what differs between two recordings: what `diff` tells, and the sources of both, line beside line.
#[derive(Debug)]
pub struct ComparisonPage<'a> {
    /// What differs.
    pub comparison: &'a Comparison<'a>,
    /// What the recordings are called, that before first.
    pub names: [&'a str; 2],
    /// The phases that are compared.
    pub phases: &'a [Phase],
    /// What a gate said, where there was one.
    pub verdict: Option<Verdict<'a>>,
}

/// What a gate said of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// Whether it let the recording after pass; none where it could not tell.
    pub passed: Option<bool>,
    /// Why, in a sentence.
    pub sentence: &'a str,
}

impl ComparisonPage<'_> {
    /// Writes the page: a whole HTML document.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let files = AlignedFiles::new(self.comparison);
        let [before, after] = self.names.map(visible);
        let title = format!("{before} → {after}");
        let sections = [SUMMARY, LINES, PLACES, OPCODES, SOURCE];
        let frame = Frame { title: &title, sections: &sections, recordings: &[] };
        frame.begin(out)?;
        for shown in sections {
            writeln!(out, "{}", section(shown, &self.part(shown, &files)).into_string())?;
        }
        frame.end(out, |out| files.write(out))
    }

    fn part(&self, section: Section, files: &AlignedFiles<'_>) -> Markup {
        match section {
            LINES => self.tables(&[ChangedBy::Line], files),
            PLACES => self.tables(&[ChangedBy::Function, ChangedBy::File], files),
            // Of different versions the families are more alike than the opcodes.
            OPCODES if self.comparison.is_across_versions() => {
                self.tables(&[ChangedBy::Family, ChangedBy::Opcode], files)
            }
            OPCODES => self.tables(&[ChangedBy::Opcode, ChangedBy::Family], files),
            SOURCE => source(files),
            _ => comparison_summary::part(self),
        }
    }

    fn tables(&self, views: &[ChangedBy], files: &AlignedFiles<'_>) -> Markup {
        let timed = self.is_timed();
        html! {
            @for view in views {
                (change_table(&Rows(self.comparison).table(*view), timed, files))
            }
            @if timed { (legend()) }
        }
    }

    /// Whether both recordings have times.
    pub(crate) fn is_timed(&self) -> bool {
        let total = self.comparison.total;
        total.before.time.is_some() && total.after.time.is_some()
    }
}

/// Where the script builds the view of the sources. What it shows stands in data elements at the page's end.
fn source(files: &AlignedFiles<'_>) -> Markup {
    if files.is_empty() {
        return html! {
            p {
                "No source file of the program's own changed, nor how often its lines ran, in what is compared; "
                code { "--all-files" } " compares those of the standard library and of installed packages as well."
            }
        };
    }
    html! {
        p.without-script {
            "The source view needs this page's own script, which this browser does not run. "
            code { "opmeter diff --by line" } " shows the lines that changed in a terminal."
        }
        div.viewer.aligned {}
    }
}
