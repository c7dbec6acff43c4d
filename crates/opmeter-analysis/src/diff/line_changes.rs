use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::line_map::{FileLine, LineMap, Sources, Way};
use super::side::{Side, SideFile};
use super::{AlignedLine, AlignedSource, Change, Changed, Edit, Place};
use crate::{Ran, Spot};

/// The lines of two recordings' files, and which are which.
pub(crate) struct Lines<'a> {
    before: (Side<'a>, &'a [SideFile]),
    after: (Side<'a>, &'a [SideFile]),
    map: &'a LineMap,
    /// For each line after, the line before.
    back: HashMap<FileLine, FileLine>,
    /// Pairs of files that have lines whose executions changed.
    changed: BTreeSet<(usize, usize)>,
    /// Texts of files that are the same in both, by the file after: those that have lines whose executions changed.
    identical: HashMap<usize, Vec<String>>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(
        before: (Side<'a>, &'a [SideFile]),
        after: (Side<'a>, &'a [SideFile]),
        map: &'a LineMap,
    ) -> Self {
        let mut back = HashMap::new();
        let mut changed = BTreeSet::new();
        for (file, known) in before.1.iter().enumerate() {
            for (line, ran) in &known.lines {
                let Some(other) = map.line_after((file, *line)) else { continue };
                back.insert(other, (file, *line));
                if after.1[other.0].ran(other.1).executions != ran.executions {
                    changed.insert((file, other.0));
                }
            }
        }
        // What ran only after is in no line before.
        for (other, known) in after.1.iter().enumerate() {
            let is_new =
                |(line, ran): (&u32, &Ran)| ran.executions > 0 && !back.contains_key(&(other, *line));
            if known.lines.iter().any(is_new) {
                let pair = |pair: &Option<(usize, Way)>| pair.is_some_and(|(after, _)| after == other);
                changed.extend(map.files.iter().position(pair).map(|file| (file, other)));
            }
        }
        let identical =
            changed.iter().filter(|(file, other)| map.files[*file] == Some((*other, Way::Identical)));
        let text = |other: usize| after.0.text(&after.1[other].name).lines;
        let identical = identical.filter_map(|(_, other)| Some((*other, text(*other)?))).collect();
        Lines { before, after, map, back, changed, identical }
    }

    /// What every line ran.
    pub(crate) fn changes(&self) -> Vec<Changed<Place>> {
        let mut rows = Vec::new();
        for (file, known) in self.before.1.iter().enumerate() {
            for line in known.lines.keys() {
                let at = (file, *line);
                rows.push(self.row(Some(at), self.map.line_after(at)));
            }
        }
        for (file, known) in self.after.1.iter().enumerate() {
            for line in known.lines.keys().filter(|line| !self.back.contains_key(&(file, **line))) {
                // A line that has code only now may have been there before.
                let at = (file, *line);
                rows.push(self.row(self.line_before(at), Some(at)));
            }
        }
        rows
    }

    /// The line before that a line after is.
    fn line_before(&self, at: FileLine) -> Option<FileLine> {
        self.back.get(&at).copied().or_else(|| self.map.line_before(at))
    }

    fn row(&self, before: Option<FileLine>, after: Option<FileLine>) -> Changed<Place> {
        let edit = match (before, after) {
            (Some(before), Some(after)) => self.map.edit(before, after),
            (Some(_), None) => Edit::Removed,
            (None, _) => Edit::Added,
        };
        let ran = |files: &[SideFile], at: Option<FileLine>| -> Ran {
            at.map(|(file, line)| files[file].ran(line)).unwrap_or_default()
        };
        let change = Change { before: ran(self.before.1, before), after: ran(self.after.1, after) };
        let [text_before, text_after] =
            self.texts(before, after).map(|text| text.map(|text| Arc::from(text.trim())));
        Changed {
            before: before.map(|at| place(self.before.1, at, text_before)),
            after: after.map(|at| place(self.after.1, at, text_after)),
            edit,
            change,
        }
    }

    /// What stands on a line before and after, with the space around it.
    fn texts(&self, before: Option<FileLine>, after: Option<FileLine>) -> [Option<&str>; 2] {
        let text = |sources: &'a Sources, at: FileLine| LineMap::text(sources, at);
        let same = |at: FileLine| {
            let lines = self.identical.get(&after?.0)?;
            lines.get((at.1 as usize).checked_sub(1)?).map(String::as_str)
        };
        [
            before.and_then(|at| text(&self.map.before, at).or_else(|| same(at))),
            after.and_then(|at| text(&self.map.after, at).or_else(|| same(at))),
        ]
    }

    /// Each file's lines in the order in which they stand after, with those that are not there any more between them.
    /// Of files that are the same in both there are only those that have lines whose executions changed.
    pub(crate) fn aligned(&self) -> Vec<AlignedSource> {
        let mut pair_of: HashMap<usize, usize> = HashMap::new();
        for (file, pair) in self.map.files.iter().enumerate() {
            pair_of.extend(pair.map(|(other, _)| (other, file)));
        }
        let mut aligned = Vec::new();
        for other in 0..self.after.1.len() {
            let file = pair_of.get(&other).copied();
            aligned.extend(self.aligned_file(file, Some(other)));
        }
        for file in (0..self.before.1.len()).filter(|file| self.map.files[*file].is_none()) {
            aligned.extend(self.aligned_file(Some(file), None));
        }
        aligned
    }

    fn aligned_file(&self, file: Option<usize>, other: Option<usize>) -> Option<AlignedSource> {
        let count =
            |sources: &Sources, file: usize| sources.get(file).map(|source| source.lines.len() as u32);
        let same = other.and_then(|other| self.identical.get(&other)).map(|lines| lines.len() as u32);
        let before = file.and_then(|file| count(&self.map.before, file)).or(file.and(same));
        let after = other.and_then(|other| count(&self.map.after, other)).or(same);
        let mut lines = Vec::new();
        if let (Some(file), Some(other)) = (file, other)
            && (before.is_none() || after.is_none())
        {
            return self.aligned_by_number(file, other, before.or(after));
        }
        let mut gone = self.gone(file, other, before.unwrap_or(0));
        let mut gone_behind = |line: u32, lines: &mut Vec<AlignedLine>| {
            let gone = gone.remove(&line).unwrap_or_default();
            lines.extend(gone.into_iter().map(|at| self.aligned_line(Some(at), self.map.line_after(at))));
        };
        gone_behind(0, &mut lines);
        for line in 1..=after.unwrap_or(0) {
            let at = (other.unwrap_or_default(), line);
            lines.push(self.aligned_line(self.line_before(at), Some(at)));
            gone_behind(line, &mut lines);
        }
        if lines.is_empty() {
            // Nothing is known of the text: what ran is shown by number.
            let known = |files: &[SideFile], file: usize| -> Vec<FileLine> {
                let ran = files[file].lines.iter().filter(|(line, ran)| **line > 0 && ran.executions > 0);
                ran.map(|(line, _)| (file, *line)).collect()
            };
            let gone = file.map(|file| known(self.before.1, file)).unwrap_or_default();
            lines.extend(gone.into_iter().map(|at| self.aligned_line(Some(at), self.map.line_after(at))));
            let new = other.map(|other| known(self.after.1, other)).unwrap_or_default();
            lines.extend(new.into_iter().map(|at| self.aligned_line(self.line_before(at), Some(at))));
        }
        self.aligned_source(file, other, lines)
    }

    /// The lines before of a file that are gone or went elsewhere, by the line after behind which they stand: the one
    /// that came before them, wherever it is now; 0 at the start.
    fn gone(&self, file: Option<usize>, other: Option<usize>, count: u32) -> HashMap<u32, Vec<FileLine>> {
        let mut gone: HashMap<u32, Vec<FileLine>> = HashMap::new();
        let mut behind = 0;
        for line in 1..=count {
            let at = (file.unwrap_or_default(), line);
            match self.map.line_after(at) {
                Some((to, place)) if Some(to) == other => {
                    // Blank lines may be matched with any.
                    let is_blank =
                        LineMap::text(&self.map.before, at).is_some_and(|text| text.trim().is_empty());
                    if !is_blank || self.map.edit(at, (to, place)) != Edit::Moved {
                        behind = place;
                    }
                }
                _ => gone.entry(behind).or_default().push(at),
            }
        }
        gone
    }

    /// A pair of files whose lines are matched by their numbers, since the text of one or both is missing: all lines of
    /// the text that there is, or those that have instructions. None if nothing changed, so far as can be told.
    fn aligned_by_number(&self, file: usize, other: usize, count: Option<u32>) -> Option<AlignedSource> {
        if !self.changed.contains(&(file, other)) {
            return None;
        }
        let known = self.before.1[file].lines.keys().chain(self.after.1[other].lines.keys());
        let mut numbers: BTreeSet<u32> = known.copied().filter(|line| *line > 0).collect();
        numbers.extend(1..=count.unwrap_or(0));
        let line = |line: u32| self.aligned_line(Some((file, line)), Some((other, line)));
        self.aligned_source(Some(file), Some(other), numbers.into_iter().map(line).collect())
    }

    fn aligned_source(
        &self,
        file: Option<usize>,
        other: Option<usize>,
        lines: Vec<AlignedLine>,
    ) -> Option<AlignedSource> {
        let name = |files: &[SideFile], file: Option<usize>| file.map(|file| files[file].name.clone());
        (!lines.is_empty()).then(|| AlignedSource {
            before: name(self.before.1, file),
            after: name(self.after.1, other),
            lines,
        })
    }

    fn aligned_line(&self, before: Option<FileLine>, after: Option<FileLine>) -> AlignedLine {
        let has_code = |files: &[SideFile], at: Option<FileLine>| {
            at.is_some_and(|(file, line)| files[file].lines.contains_key(&line))
        };
        let has_code = has_code(self.before.1, before) || has_code(self.after.1, after);
        let [text_before, text_after] = self.texts(before, after).map(|text| text.map(Arc::from));
        AlignedLine { row: self.row(before, after), text_before, text_after, has_code }
    }
}

fn place(files: &[SideFile], (file, line): FileLine, text: Option<Arc<str>>) -> Place {
    let known = &files[file];
    let function = known.functions.get(&line).cloned();
    Place { spot: Spot::Line(known.name.clone(), line), function, text }
}
