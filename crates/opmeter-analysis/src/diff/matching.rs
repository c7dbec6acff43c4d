use std::collections::HashMap;

use super::alignment::{align, align_same};
use super::increasing::increasing;
use super::moved::pair_moved;
use super::renaming::Renaming;
use super::scope_pairs::{ScopeAt, pair_scopes};
use super::similarity::similarity;
use super::source::{Source, SourceLine};

/// A line of one of several sources: the source's place, and the line, counted from 0.
pub(crate) type LineAt = (usize, usize);

/// How similar two lines have to be for one to be the other, changed, wherever between their neighbours they stand.
const SIMILAR: f32 = 0.45;
/// And for one to be the other though its text stands elsewhere, or where they stand elsewhere in the definition.
const VERY_SIMILAR: f32 = 0.7;
/// The most pairs of lines between two others that are compared with each other, in their order.
const MOST_PAIRS_IN_ORDER: usize = 250_000;
/// The most pairs of lines of a definition that are compared with each other wherever they stand.
const MOST_PAIRS: usize = 40_000;
/// Lines that say something and that a block has to have to be found again in another definition, before changed lines
/// are looked for.
const BLOCK: usize = 2;

/// Which lines of the sources before are which after.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    /// For each source and line before, the line after.
    pub(crate) to_after: Vec<Vec<Option<LineAt>>>,
    /// For each source and line after, the line before.
    pub(crate) to_before: Vec<Vec<Option<LineAt>>>,
    /// Which definitions are which.
    pub(crate) scopes: HashMap<ScopeAt, ScopeAt>,
}

impl Matching {
    /// Matches the lines of sources; `files` are the pairs of sources that are the same file.
    ///
    /// Lines are matched definition by definition: what holds the same in the same order first, then what moved within
    /// the definition, lines that changed a little between others that did not, blocks that moved to other definitions,
    /// lines that changed more, and at last single lines that moved.
    pub(crate) fn of(before: &[Source], after: &[Source], files: &[(usize, usize)]) -> Matching {
        let nothing =
            |sources: &[Source]| sources.iter().map(|source| vec![None; source.lines.len()]).collect();
        let mut matching = Matching {
            to_after: nothing(before),
            to_before: nothing(after),
            scopes: pair_scopes(before, after, files),
        };
        let mut pairs: Vec<(ScopeAt, ScopeAt)> =
            matching.scopes.iter().map(|(at, other)| (*at, *other)).collect();
        pairs.sort();
        let bodies: Vec<Bodies<'_>> =
            pairs.into_iter().map(|pair| Bodies::of((before, after), pair)).collect();
        for bodies in &bodies {
            bodies.pair_same(&mut matching);
        }
        for bodies in &bodies {
            let (one, other) = (bodies.unmatched_before(&matching), bodies.unmatched_after(&matching));
            pair_moved((before, after), (one, other), 1, &mut matching);
            bodies.pair_repeated(&mut matching);
        }
        // What stands in its place under another name, or changed a little, did not go elsewhere, though a copy of what it
        // was may stand there.
        for bodies in &bodies {
            bodies.pair_changed(&mut matching, VERY_SIMILAR);
        }
        let rest = |matching: &Matching| (matching.unmatched_before(before), matching.unmatched_after(after));
        pair_moved((before, after), rest(&matching), BLOCK, &mut matching);
        for bodies in &bodies {
            bodies.pair_changed(&mut matching, SIMILAR);
        }
        pair_moved((before, after), rest(&matching), 1, &mut matching);
        for bodies in &bodies {
            bodies.pair_replaced(&mut matching);
            bodies.pair_moved_and_changed(&mut matching);
        }
        matching
    }

    /// Makes two lines a pair, if neither is in one.
    pub(crate) fn pair(&mut self, before: LineAt, after: LineAt) {
        if self.is_free(before, after) {
            self.to_after[before.0][before.1] = Some(after);
            self.to_before[after.0][after.1] = Some(before);
        }
    }

    /// Whether neither of two lines is in a pair.
    pub(crate) fn is_free(&self, before: LineAt, after: LineAt) -> bool {
        self.to_after[before.0][before.1].is_none() && self.to_before[after.0][after.1].is_none()
    }

    fn unmatched_before(&self, before: &[Source]) -> Vec<LineAt> {
        unmatched(before, &self.to_after)
    }

    fn unmatched_after(&self, after: &[Source]) -> Vec<LineAt> {
        unmatched(after, &self.to_before)
    }
}

fn unmatched(sources: &[Source], pairs: &[Vec<Option<LineAt>>]) -> Vec<LineAt> {
    let of = |file: usize| (0..sources[file].lines.len()).map(move |line| (file, line));
    (0..sources.len()).flat_map(of).filter(|(file, line)| pairs[*file][*line].is_none()).collect()
}

/// The lines of a definition before and after.
struct Bodies<'a> {
    before: (usize, &'a Source, &'a [usize]),
    after: (usize, &'a Source, &'a [usize]),
    /// The lines of `def` or `class`; none of modules.
    headers: Option<(LineAt, LineAt)>,
}

impl<'a> Bodies<'a> {
    fn of(
        (before, after): (&'a [Source], &'a [Source]),
        ((file, scope), (other_file, other_scope)): (ScopeAt, ScopeAt),
    ) -> Self {
        let (one, other) =
            (&before[file].outline.scopes[scope], &after[other_file].outline.scopes[other_scope]);
        Bodies {
            before: (file, &before[file], &one.lines),
            after: (other_file, &after[other_file], &other.lines),
            headers: (scope > 0).then_some(((file, one.header), (other_file, other.header))),
        }
    }

    fn line_before(&self, place: usize) -> (LineAt, &'a SourceLine) {
        let (file, source, lines) = self.before;
        ((file, lines[place]), &source.lines[lines[place]])
    }

    fn line_after(&self, place: usize) -> (LineAt, &'a SourceLine) {
        let (file, source, lines) = self.after;
        ((file, lines[place]), &source.lines[lines[place]])
    }

    fn unmatched_before(&self, matching: &Matching) -> Vec<LineAt> {
        let all = (0..self.before.2.len()).map(|place| self.line_before(place).0);
        all.filter(|(file, line)| matching.to_after[*file][*line].is_none()).collect()
    }

    fn unmatched_after(&self, matching: &Matching) -> Vec<LineAt> {
        let all = (0..self.after.2.len()).map(|place| self.line_after(place).0);
        all.filter(|(file, line)| matching.to_before[*file][*line].is_none()).collect()
    }

    /// Pairs what holds the same in the same order.
    fn pair_same(&self, matching: &mut Matching) {
        if let Some((before, after)) = self.headers {
            matching.pair(before, after);
        }
        let keys = |count: usize, line: &dyn Fn(usize) -> u32| (0..count).map(line).collect::<Vec<u32>>();
        let before = keys(self.before.2.len(), &|place| self.line_before(place).1.key);
        let after = keys(self.after.2.len(), &|place| self.line_after(place).1.key);
        let pairs = align_same(&before, &after, |i, j| {
            let (one, other) = (self.line_before(i).1, self.line_after(j).1);
            let ran_alike = one.executions > 0 && one.executions == other.executions;
            one.value
                + if ran_alike { 0.05 } else { 0.0 }
                + if one.indent == other.indent { 0.03 } else { 0.0 }
        });
        for (i, j) in pairs {
            matching.pair(self.line_before(i).0, self.line_after(j).0);
        }
    }

    /// Pairs lines that stand several times in the definition and that are in no pair: those that ran as often first,
    /// then in their order.
    fn pair_repeated(&self, matching: &mut Matching) {
        let mut places: HashMap<u32, (Vec<LineAt>, Vec<LineAt>)> = HashMap::new();
        for at in self.unmatched_before(matching) {
            places.entry(self.before.1.lines[at.1].key).or_default().0.push(at);
        }
        for at in self.unmatched_after(matching) {
            places.entry(self.after.1.lines[at.1].key).or_default().1.push(at);
        }
        for (before, after) in places.into_values() {
            let idle = before.first().is_none_or(|at| self.before.1.lines[at.1].is_idle);
            if idle || after.is_empty() {
                continue;
            }
            let ran = |source: &Source, at: LineAt| source.lines[at.1].executions;
            for one in &before {
                let alike = |other: &&LineAt| {
                    ran(self.before.1, *one) == ran(self.after.1, **other) && matching.is_free(*one, **other)
                };
                if let Some(other) = after.iter().find(alike) {
                    matching.pair(*one, *other);
                }
            }
            let rest = before.iter().filter(|(file, line)| matching.to_after[*file][*line].is_none());
            let rest_after = after.iter().filter(|(file, line)| matching.to_before[*file][*line].is_none());
            let rest: Vec<(LineAt, LineAt)> = rest.copied().zip(rest_after.copied()).collect();
            rest.into_iter().for_each(|(one, other)| matching.pair(one, other));
        }
    }

    /// Pairs lines that are so similar, or the same under other names, between neighbours that are matched.
    fn pair_changed(&self, matching: &mut Matching, least: f32) {
        let gaps = self.gaps(matching);
        if gaps.is_empty() {
            return;
        }
        fn texts<'a>(source: &'a Source, lines: &'a [usize]) -> impl Iterator<Item = &'a str> {
            lines.iter().map(|line| source.texts[*line].as_str())
        }
        let renaming = Renaming::of(texts(self.before.1, self.before.2), texts(self.after.1, self.after.2));
        for (before, after) in gaps {
            if before.len() * after.len() > MOST_PAIRS_IN_ORDER {
                continue;
            }
            let text = |source: &'a Source, at: LineAt| source.texts[at.1].as_str();
            let pairs = align(before.len(), after.len(), |i, j| {
                let alike = renaming.similarity(text(self.before.1, before[i]), text(self.after.1, after[j]));
                let value = |source: &Source, at: LineAt| source.lines[at.1].value;
                let value = value(self.before.1, before[i]).min(value(self.after.1, after[j]));
                (alike >= least).then_some(alike * value)
            });
            pairs.into_iter().for_each(|(i, j)| matching.pair(before[i], after[j]));
        }
    }

    /// Pairs as many lines as stand between matched neighbours before and after, whatever they hold.
    fn pair_replaced(&self, matching: &mut Matching) {
        for (before, after) in self.gaps(matching) {
            if before.len() == after.len() {
                before.into_iter().zip(after).for_each(|(one, other)| matching.pair(one, other));
            }
        }
    }

    /// Pairs lines of the definition that moved and changed as well: the most similar first.
    fn pair_moved_and_changed(&self, matching: &mut Matching) {
        let (before, after) = (self.unmatched_before(matching), self.unmatched_after(matching));
        if before.len() * after.len() > MOST_PAIRS {
            return;
        }
        let mut alike = Vec::new();
        for one in before.iter().filter(|at| self.before.1.lines[at.1].is_telling()) {
            for other in after.iter().filter(|at| self.after.1.lines[at.1].is_telling()) {
                let part = similarity(&self.before.1.texts[one.1], &self.after.1.texts[other.1]);
                if part >= VERY_SIMILAR {
                    alike.push((part, *one, *other));
                }
            }
        }
        alike.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
        alike.into_iter().for_each(|(_, one, other)| matching.pair(one, other));
    }

    /// The lines that are in no pair, between those that are and that keep their order; without blank lines and
    /// comments.
    fn gaps(&self, matching: &Matching) -> Vec<(Vec<LineAt>, Vec<LineAt>)> {
        let places: HashMap<LineAt, usize> =
            (0..self.after.2.len()).map(|place| (self.line_after(place).0, place)).collect();
        let matched = (0..self.before.2.len()).filter_map(|place| {
            let (file, line) = self.line_before(place).0;
            Some((place, *places.get(&matching.to_after[file][line]?)?))
        });
        let matched: Vec<(usize, usize)> = matched.collect();
        let anchors = increasing(&matched.iter().map(|(_, after)| *after).collect::<Vec<usize>>());
        let anchors = anchors.into_iter().map(|place| matched[place]);
        let mut gaps = Vec::new();
        let (mut from, mut from_after) = (0, 0);
        for (i, j) in anchors.chain([(self.before.2.len(), self.after.2.len())]) {
            let one = (from..i).map(|place| self.line_before(place));
            let one = one
                .filter(|((file, line), known)| matching.to_after[*file][*line].is_none() && !known.is_idle);
            let other = (from_after..j).map(|place| self.line_after(place));
            let other = other
                .filter(|((file, line), known)| matching.to_before[*file][*line].is_none() && !known.is_idle);
            let gap: (Vec<LineAt>, Vec<LineAt>) =
                (one.map(|(at, _)| at).collect(), other.map(|(at, _)| at).collect());
            if !gap.0.is_empty() && !gap.1.is_empty() {
                gaps.push(gap);
            }
            (from, from_after) = (i + 1, j + 1);
        }
        gaps
    }
}
