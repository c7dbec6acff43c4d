use std::io::{self, Write};

use maud::{Markup, html};

use super::frame::{Frame, Section, of_recording, section};
use super::source_data::{write_index, write_sources};
use super::{Recorded, comparison, energy, opcodes, pairs, places, sources, specialization, summary};
use crate::terminal_text::command_line;

const SUMMARY: Section = Section { id: "summary", heading: "Summary" };
const OPCODES: Section = Section { id: "opcodes", heading: "Opcodes" };
const PLACES: Section = Section { id: "places", heading: "Hot spots" };
const SOURCE: Section = Section { id: "source", heading: "Source" };
const PAIRS: Section = Section { id: "pairs", heading: "Pairs" };
const SPECIALIZATION: Section = Section { id: "specialization", heading: "Specialisation" };
const ENERGY: Section = Section { id: "energy", heading: "Energy" };

/// A page of everything that was recorded, one recording or several side by side.
#[derive(Debug)]
pub struct ReportPage<'a> {
    /// The recordings.
    pub recordings: Vec<Recorded<'a>>,
}

impl ReportPage<'_> {
    /// Writes the page: a whole HTML document.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let names: Vec<String> = self.recordings.iter().map(|recorded| recorded.name.clone()).collect();
        let sections = self.sections();
        let title = match &self.recordings[..] {
            [recorded] => command_line(&recorded.manifest.command),
            _ => names.join(", "),
        };
        let frame = Frame { title: &title, sections: &sections, recordings: &names };
        frame.begin(out)?;
        for &shown in &sections {
            let markup = html! {
                @if names.len() > 1 {
                    @if shown == SUMMARY { (summary::side_by_side(&self.recordings)) }
                    @if shown == OPCODES { (comparison::opcodes(&self.recordings)) }
                    @if shown == ENERGY { (energy::side_by_side(&self.recordings)) }
                }
                @for place in 0..names.len() { (of_recording(&names, place, &self.part(shown, place))) }
            };
            writeln!(out, "{}", section(shown, &markup).into_string())?;
        }
        frame.end(out, |out| {
            write_index(out, &self.recordings)?;
            self.recordings
                .iter()
                .enumerate()
                .try_for_each(|(place, recorded)| write_sources(out, place, recorded))
        })
    }

    /// The sections that have anything to show.
    fn sections(&self) -> Vec<Section> {
        let any = |has: &dyn Fn(&Recorded<'_>) -> bool| self.recordings.iter().any(has);
        let mut sections = vec![SUMMARY];
        let candidates: [(Section, bool); 6] = [
            (OPCODES, any(&|recorded| recorded.manifest.has_counts())),
            (PLACES, any(&|recorded| !recorded.lines.entries.is_empty())),
            (SOURCE, any(&|recorded| recorded.annotations.files().len() > 0)),
            (PAIRS, any(&|recorded| recorded.has_pairs)),
            (SPECIALIZATION, any(&|recorded| recorded.specialization.is_some())),
            (ENERGY, any(&|recorded| recorded.energy.is_some())),
        ];
        sections.extend(candidates.into_iter().filter(|(_, has)| *has).map(|(section, _)| section));
        sections
    }

    /// What a recording has in a section.
    fn part(&self, section: Section, place: usize) -> Markup {
        let recorded = &self.recordings[place];
        match section {
            OPCODES => opcodes::part(place, recorded),
            PLACES => places::part(place, recorded),
            SOURCE => sources::part(place, recorded),
            PAIRS => pairs::part(place, recorded),
            SPECIALIZATION => specialization::part(place, recorded),
            ENERGY => energy::part(place, recorded),
            _ => summary::part(place, recorded),
        }
    }
}
