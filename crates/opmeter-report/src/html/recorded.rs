use std::collections::{BTreeMap, HashMap};

use opmeter_analysis::{
    Annotations, Distribution, EnergySummary, Files, Grouping, Hotspots, OpcodeMix, PairMix, RowFilter,
    Specialization, Spot, Terms, distributions,
};
use opmeter_recording::{Manifest, Recording, SourceRow};

use crate::SourceText;

/// What a page shows of a recording: everything that reports tell of it, and its sources.
#[derive(Debug)]
pub struct Recorded<'a> {
    pub(crate) name: String,
    pub(crate) manifest: &'a Manifest,
    pub(crate) mix: OpcodeMix,
    pub(crate) distributions: BTreeMap<&'a str, Distribution>,
    pub(crate) lines: Hotspots,
    pub(crate) functions: Hotspots,
    pub(crate) by_file: Hotspots,
    pub(crate) annotations: Annotations<'a>,
    /// The texts of the annotated files, in their order.
    pub(crate) sources: Vec<SourceText>,
    /// The places of the annotated files in that order.
    places: HashMap<&'a str, usize>,
    /// Whether pairs were recorded.
    pub(crate) has_pairs: bool,
    /// None where pairs were not recorded, or files are chosen: pairs are of whole processes.
    pub(crate) pairs: Option<PairMix>,
    /// None where nothing specialises.
    pub(crate) specialization: Option<Specialization>,
    /// None where no energy was measured.
    pub(crate) energy: Option<EnergySummary>,
}

impl<'a> Recorded<'a> {
    /// Adds up what `filter` takes of a recording, in the files that are taken, and reads its sources. `name` is what
    /// the page calls it. Where files are chosen, opcodes are theirs, in base terms whatever `terms` says.
    pub fn new(
        name: &str,
        recording: &'a Recording,
        filter: &RowFilter,
        files: &Files<'_>,
        terms: Terms,
    ) -> Recorded<'a> {
        let Recording { manifest, tables, .. } = recording;
        let hotspots = |grouping| Hotspots::new(tables, grouping, filter.clone(), files);
        let annotations = Annotations::new(tables, filter.clone(), files);
        let rows: HashMap<&str, &SourceRow> = tables.sources.iter().map(|row| (&*row.file, row)).collect();
        let sources = annotations.files().map(|file| SourceText::read(rows.get(&**file).copied()));
        Recorded {
            name: crate::terminal_text::visible(name),
            manifest,
            mix: if files.are_chosen() {
                OpcodeMix::of_files(&tables.instructions, filter.clone(), files)
            } else {
                OpcodeMix::new(&tables.opcodes, filter.clone(), terms)
            },
            distributions: distributions(&tables.distributions, filter),
            lines: hotspots(Grouping::Line),
            functions: hotspots(Grouping::Function),
            by_file: hotspots(Grouping::File),
            sources: sources.collect(),
            places: annotations.files().enumerate().map(|(place, file)| (&**file, place)).collect(),
            annotations,
            has_pairs: !tables.pairs.is_empty(),
            pairs: (!tables.pairs.is_empty() && !files.are_chosen())
                .then(|| PairMix::new(&tables.pairs, filter.clone(), terms)),
            specialization: (!tables.specialization.is_empty())
                .then(|| Specialization::new(&tables.specialization, filter.clone(), files)),
            energy: manifest.energy.as_ref().and_then(|energy| EnergySummary::new(energy, &tables.energy)),
        }
    }

    /// Where a place of the source is shown on the page, if it is; `recording` is the place of this recording.
    pub(crate) fn link(&self, recording: usize, spot: &Spot) -> Option<String> {
        match spot {
            Spot::Line(file, line) | Spot::Function(file, line, _) => {
                let file = self.places.get(&**file)?;
                Some(format!("#line-{recording}-{file}-{line}"))
            }
            Spot::File(file) => Some(format!("#file-{recording}-{}", self.places.get(&**file)?)),
            Spot::Folded(_) => None,
        }
    }

    /// A line's text, without what stands before it; empty where there is none.
    pub(crate) fn text(&self, file: &str, line: u32) -> &str {
        let lines = self.places.get(file).and_then(|place| self.sources[*place].lines.as_ref());
        let place = (line as usize).checked_sub(1);
        lines.zip(place).and_then(|(lines, place)| lines.get(place)).map_or("", |line| line.trim())
    }
}
