use std::collections::{BTreeMap, HashSet};

use super::similarity::{similarity, tokens};

/// How alike lines are that differ in one name, which was given another.
const ONE_NAME: f32 = 0.85;
/// And those that differ in two.
const TWO_NAMES: f32 = 0.6;

/// Words that are no names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The names that a definition has only before, and only after: one of these may be one of those under another name.
#[derive(Debug, Default)]
pub(crate) struct Renaming<'a> {
    gone: HashSet<&'a str>,
    new: HashSet<&'a str>,
}

impl<'a> Renaming<'a> {
    /// Of the lines before and after.
    pub(crate) fn of(before: impl Iterator<Item = &'a str>, after: impl Iterator<Item = &'a str>) -> Self {
        fn names<'a>(lines: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
            lines.flat_map(tokens).filter(|token| is_name(token)).collect()
        }
        let (one, other) = (names(before), names(after));
        Renaming {
            gone: one.difference(&other).copied().collect(),
            new: other.difference(&one).copied().collect(),
        }
    }

    /// How far two lines hold the same, from 0 to 1; lines that differ in names that were given others are alike.
    pub(crate) fn similarity(&self, one: &str, other: &str) -> f32 {
        let alike = similarity(one, other);
        match self.renamed(one, other) {
            Some(1) => alike.max(ONE_NAME),
            Some(2) => alike.max(TWO_NAMES),
            _ => alike,
        }
    }

    /// In how many names lines differ that differ in nothing else; none where they do, or where a name would be two.
    fn renamed(&self, one: &str, other: &str) -> Option<usize> {
        let (one, other) = (tokens(one), tokens(other));
        if self.gone.is_empty() || self.new.is_empty() || one.len() != other.len() {
            return None;
        }
        let mut renamed: BTreeMap<&str, &str> = BTreeMap::new();
        for (token, with) in one.into_iter().zip(other).filter(|(token, with)| token != with) {
            let is_known = self.gone.contains(token) && self.new.contains(with);
            if !is_known || *renamed.entry(token).or_insert(with) != with {
                return None;
            }
        }
        let becomes: HashSet<&&str> = renamed.values().collect();
        (becomes.len() == renamed.len()).then_some(renamed.len())
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_') && !KEYWORDS.contains(&token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_under_other_names_are_alike() {
        let before = ["total = 0", "total += i", "return total"];
        let after = ["assert i >= 0", "sum_v = 0", "sum_v += i", "return sum_v"];
        let renaming = Renaming::of(before.into_iter(), after.into_iter());
        assert!(similarity("total = 0", "sum_v = 0") < 0.4);
        assert_eq!(renaming.similarity("total = 0", "sum_v = 0"), ONE_NAME);
        assert_eq!(renaming.similarity("total += total", "sum_v += sum_v"), ONE_NAME);
        assert!(renaming.similarity("total += i", "assert i >= 0") < 0.4);
        // `i` is still there, and no other name is `total`.
        assert!(renaming.similarity("total += i", "sum_v += sum_v") < ONE_NAME);
        assert!(renaming.similarity("total = 1", "total_v = 0") < 0.4);
        let two = Renaming::of(["a = b + a"].into_iter(), ["c = d + c"].into_iter());
        assert_eq!(two.similarity("a = b + a", "c = d + c"), TWO_NAMES);
        assert!(two.similarity("a = b + a", "c = d + d") < TWO_NAMES);
    }
}
