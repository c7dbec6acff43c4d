use super::alignment::align;
use super::outline::Scope;
use super::renaming::Renaming;
use super::source::{Source, SourceLine};

/// More pairs of lines than so many are not compared with each other.
const MOST_PAIRS: usize = 10_000;
/// Lines that are less alike than this have nothing to do with each other.
const SOMEWHAT_ALIKE: f32 = 0.3;

/// A definition: its source, and the place of its scope.
pub(crate) type Definition<'a> = (&'a Source, usize);

/// The lines of what is inside a definition, in the order of the source: its own but for the header, and those of
/// definitions in it.
pub(crate) fn inside((source, place): Definition<'_>) -> Vec<usize> {
    let scopes = &source.outline.scopes;
    let within = scopes[place + 1..].iter().take_while(|scope| scope.parent >= place);
    let own = scopes[place].lines.iter().filter(|line| **line != scopes[place].header);
    let mut lines: Vec<usize> =
        own.copied().chain(within.flat_map(|scope| scope.lines.iter().copied())).collect();
    lines.sort_unstable();
    lines
}

/// How far two definitions are the same, line by line in their order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likeness {
    /// How far they hold the same, from 0 to 1: lines that changed, or in which a name was given another, are somewhat the
    /// same.
    pub(crate) alike: f32,
    /// The part of the lines of both that ran as often in both, of those that ran, by what they are worth; from 0 to 1.
    pub(crate) ran_alike: f32,
}

/// How far two definitions are the same but for their names. None where there are too many lines to find out.
pub(crate) fn likeness(before: Definition<'_>, after: Definition<'_>) -> Option<Likeness> {
    Lines::of(before, false).likeness(&Lines::of(after, false))
}

/// The same, with the lines of `def` or `class`, whatever name they define.
pub(crate) fn likeness_with_header(before: Definition<'_>, after: Definition<'_>) -> Option<Likeness> {
    Lines::of(before, true).likeness(&Lines::of(after, true))
}

/// The lines of a definition that say something.
struct Lines<'a>(Vec<(String, &'a SourceLine)>);

impl<'a> Lines<'a> {
    fn of((source, place): Definition<'a>, with_header: bool) -> Self {
        let Scope { header, name, .. } = &source.outline.scopes[place];
        let said = inside((source, place)).into_iter().filter(|line| !source.lines[*line].is_idle);
        let said = said.map(|line| (source.texts[line].trim().to_owned(), &source.lines[line]));
        let header = with_header
            .then(|| (source.texts[*header].trim().replacen(name, "_", 1), &source.lines[*header]));
        Lines(header.into_iter().chain(said).collect())
    }

    fn value(&self) -> f32 {
        self.0.iter().map(|(_, line)| line.value).sum()
    }

    fn likeness(&self, other: &Self) -> Option<Likeness> {
        let all = self.value() + other.value();
        if all == 0.0 {
            return Some(Likeness { alike: 1.0, ran_alike: 0.0 });
        }
        if self.0.len().saturating_mul(other.0.len()) > MOST_PAIRS {
            return None;
        }
        fn texts<'a>(lines: &'a Lines<'_>) -> impl Iterator<Item = &'a str> {
            lines.0.iter().map(|(text, _)| text.as_str())
        }
        let renaming = Renaming::of(texts(self), texts(other));
        // Half of what both are worth: they may differ in length.
        let value = |i: usize, j: usize| (self.0[i].1.value + other.0[j].1.value) / 2.0;
        let worth = |i: usize, j: usize| {
            let alike = renaming.similarity(&self.0[i].0, &other.0[j].0);
            (alike >= SOMEWHAT_ALIKE).then_some(alike * value(i, j))
        };
        let (mut alike, mut ran, mut ran_alike) = (0.0, 0.0, 0.0);
        for (i, j) in align(self.0.len(), other.0.len(), worth) {
            alike += worth(i, j).unwrap_or_default();
            let (one, with) = (self.0[i].1.executions, other.0[j].1.executions);
            if one > 0 || with > 0 {
                ran += value(i, j);
                ran_alike += if one == with { value(i, j) } else { 0.0 };
            }
        }
        Some(Likeness { alike: 2.0 * alike / all, ran_alike: if ran > 0.0 { ran_alike / ran } else { 0.0 } })
    }
}
