use std::collections::{HashMap, HashSet};

use super::outline::{Scope, ScopeKind};
use super::source::{Content, Source};

/// A definition of one of several sources: the source's place, and the scope's in its outline.
pub(crate) type ScopeAt = (usize, usize);

/// How alike definitions of different names have to be.
const ALIKE: f32 = 0.55;
/// And those of the same name in different classes or files.
const ALIKE_BY_NAME: f32 = 0.25;
/// What a definition has to hold to be found again under another name.
const LEAST_VALUE: f32 = 2.0;
/// A line that stands in more places than so many tells little about which definition it is of.
const RARE: usize = 8;
/// More definitions of one name than so many, in all files, are not compared with each other by their names alone.
const MOST_OF_A_NAME: usize = 64;

/// Finds out which definitions of the sources before are which after.
///
/// `files` are the pairs of sources that are the same file. Definitions are the same by qualified name in the same
/// file, or by what they hold: moved to another class or file, or renamed. The modules of paired files are pairs.
pub(crate) fn pair_scopes(
    before: &[Source],
    after: &[Source],
    files: &[(usize, usize)],
) -> HashMap<ScopeAt, ScopeAt> {
    let file_of: HashMap<usize, usize> = files.iter().copied().collect();
    let mut found = Found::default();
    files.iter().for_each(|(i, j)| found.add((*i, 0), (*j, 0)));
    let (before, after) = (Definitions::of(before), Definitions::of(after));
    // Classes first: whether functions are methods of the same class tells about them.
    for kind in [ScopeKind::Class, ScopeKind::Function] {
        let mut candidates: Vec<Candidate> = Vec::new();
        for (&at, content) in before.contents.iter().filter(|(at, _)| before.scope(**at).kind == kind) {
            for other in after.like(&before, at, content, file_of.get(&at.0)) {
                if after.scope(other).kind == kind {
                    candidates.extend(candidate(&before, &after, (at, other), &file_of, &found));
                }
            }
        }
        let rank = |one: &Candidate, other: &Candidate| {
            other.score.total_cmp(&one.score).then_with(|| one.tie().cmp(&other.tie()))
        };
        candidates.sort_by(rank);
        candidates.iter().for_each(|candidate| found.add(candidate.before, candidate.after));
    }
    found.pairs
}

#[derive(Debug, Default)]
struct Found {
    pairs: HashMap<ScopeAt, ScopeAt>,
    taken: HashSet<ScopeAt>,
}

impl Found {
    fn add(&mut self, before: ScopeAt, after: ScopeAt) {
        if !self.pairs.contains_key(&before) && self.taken.insert(after) {
            self.pairs.insert(before, after);
        }
    }
}

struct Candidate {
    score: f32,
    before: ScopeAt,
    after: ScopeAt,
    /// How far apart they are among those of their qualified name.
    distance: usize,
}

impl Candidate {
    fn tie(&self) -> impl Ord + use<> {
        (self.distance, self.before, self.after)
    }
}

/// What definitions of sources hold.
struct Definitions<'a> {
    sources: &'a [Source],
    /// In the order of sources and lines.
    contents: std::collections::BTreeMap<ScopeAt, Content>,
    by_qualified: HashMap<(usize, &'a str), Vec<ScopeAt>>,
    by_name: HashMap<&'a str, Vec<ScopeAt>>,
    by_line: HashMap<u32, Vec<ScopeAt>>,
}

impl<'a> Definitions<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let mut definitions = Self {
            sources,
            contents: std::collections::BTreeMap::new(),
            by_qualified: HashMap::new(),
            by_name: HashMap::new(),
            by_line: HashMap::new(),
        };
        for (file, source) in sources.iter().enumerate() {
            for (place, scope) in source.outline.scopes.iter().enumerate().skip(1) {
                let at = (file, place);
                let content = source.content(held(source, place).into_iter());
                for key in content.lines.keys() {
                    definitions.by_line.entry(*key).or_default().push(at);
                }
                definitions.contents.insert(at, content);
                definitions.by_qualified.entry((file, &scope.qualified)).or_default().push(at);
                definitions.by_name.entry(&scope.name).or_default().push(at);
            }
        }
        definitions
    }

    fn scope(&self, (file, place): ScopeAt) -> &'a Scope {
        &self.sources[file].outline.scopes[place]
    }

    /// Those that may be a definition of other sources.
    fn like(&self, others: &Self, at: ScopeAt, content: &Content, file: Option<&usize>) -> Vec<ScopeAt> {
        let scope = others.scope(at);
        let mut like: HashSet<ScopeAt> = HashSet::new();
        if let Some(file) = file {
            like.extend(self.by_qualified.get(&(*file, scope.qualified.as_str())).into_iter().flatten());
        }
        let of_name = self.by_name.get(scope.name.as_str()).map_or(&[][..], Vec::as_slice);
        if of_name.len() <= MOST_OF_A_NAME {
            like.extend(of_name);
        }
        for (key, (_, value)) in &content.lines {
            let holding = self.by_line.get(key).map_or(&[][..], Vec::as_slice);
            if *value >= 1.0 && holding.len() <= RARE {
                like.extend(holding);
            }
        }
        like.into_iter().collect()
    }

    /// Which of those of its qualified name in its file a definition is.
    fn ordinal(&self, at: ScopeAt) -> usize {
        let same = self.by_qualified.get(&(at.0, self.scope(at).qualified.as_str()));
        same.and_then(|same| same.iter().position(|other| *other == at)).unwrap_or(0)
    }
}

/// The lines that tell what a definition is: its own but for the header, of classes also those of all that is inside.
fn held(source: &Source, place: usize) -> Vec<usize> {
    let scope = &source.outline.scopes[place];
    let own =
        |scope: &Scope| scope.lines.iter().copied().filter(|line| *line != scope.header).collect::<Vec<_>>();
    if scope.kind != ScopeKind::Class {
        return own(scope);
    }
    let inside = source.outline.scopes.iter().filter(|inner| {
        inner.qualified.strip_prefix(&scope.qualified).is_some_and(|rest| rest.starts_with('.'))
            && inner.header > scope.header
    });
    own(scope).into_iter().chain(inside.flat_map(|inner| inner.lines.clone())).collect()
}

/// Two definitions, if they may be the same, with how far that is likely.
fn candidate(
    before: &Definitions<'_>,
    after: &Definitions<'_>,
    (at, other): (ScopeAt, ScopeAt),
    file_of: &HashMap<usize, usize>,
    found: &Found,
) -> Option<Candidate> {
    let (one, two) = (before.scope(at), after.scope(other));
    let content = before.contents.get(&at)?;
    let alike = content.similarity(after.contents.get(&other)?);
    let is_same_file = file_of.get(&at.0) == Some(&other.0);
    let is_same_parent = found.pairs.get(&(at.0, one.parent)) == Some(&(other.0, two.parent));
    let is_same_name = one.name == two.name;
    let near = if is_same_file { 0.1 } else { 0.0 };
    let score = if is_same_name && (is_same_parent || is_same_file && one.qualified == two.qualified) {
        alike + 0.6 + near
    } else if is_same_name && alike >= ALIKE_BY_NAME {
        alike + 0.3 + near
    } else if !is_same_name && alike >= ALIKE && content.value >= LEAST_VALUE {
        alike + near
    } else {
        return None;
    };
    let distance = before.ordinal(at).abs_diff(after.ordinal(other));
    Some(Candidate { score, before: at, after: other, distance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::source::Keys;

    /// The qualified names of what is the same, without the modules.
    fn pairs(before: &[&str], after: &[&str]) -> Vec<(String, String)> {
        let mut keys = Keys::default();
        let mut sources = |texts: &[&str]| -> Vec<Source> {
            let lines = |text: &&str| text.lines().map(str::to_owned).collect();
            texts.iter().map(|text| Source::new(lines(text), &mut keys, |_| 0)).collect()
        };
        let (before, after) = (sources(before), sources(after));
        let files: Vec<(usize, usize)> =
            (0..before.len().min(after.len())).map(|place| (place, place)).collect();
        let pairs = pair_scopes(&before, &after, &files);
        let name = |sources: &[Source], at: ScopeAt| {
            format!("{}:{}", at.0, sources[at.0].outline.scopes[at.1].qualified)
        };
        let mut names: Vec<(String, String)> = pairs
            .into_iter()
            .filter(|(at, _)| at.1 > 0)
            .map(|(at, other)| (name(&before, at), name(&after, other)))
            .collect();
        names.sort();
        names
    }

    fn expect(before: &[&str], after: &[&str], expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(one, two)| ((*one).to_owned(), (*two).to_owned())).collect();
        assert_eq!(pairs(before, after), expected);
    }

    const BODY: &str = "    total = first(a)\n    other = second(b)\n    return total + other\n";

    #[test]
    fn names_tell_wherever_definitions_move_in_a_file() {
        let before =
            "def f():\n    return 1\nclass A:\n    def f(self):\n        return 1\ndef g():\n    return 1\n";
        let after =
            "def g():\n    return 1\ndef f():\n    return 2\nclass A:\n    def f(self):\n        return 1\n";
        expect(&[before], &[after], &[("0:A", "0:A"), ("0:A.f", "0:A.f"), ("0:f", "0:f"), ("0:g", "0:g")]);
    }

    #[test]
    fn what_they_hold_tells_under_another_name_or_in_another_file() {
        let f = format!("def f(a, b):\n{BODY}");
        let g = format!("def g(a, b):\n{BODY}");
        expect(&[&f], &[&g], &[("0:f", "0:g")]);
        expect(&[&f, "x = 1\n"], &["x = 1\n", &f], &[("0:f", "1:f")]);
        // An old definition under a new name, and a new one under the old name.
        let both = format!("{}def f(a, b):\n    return other_way(a, b)\n", f.replace("def f", "def f_old"));
        expect(&[&f], &[&both], &[("0:f", "0:f_old")]);
        // Little is no evidence.
        expect(&["def f():\n    pass\n"], &["def g():\n    pass\n"], &[]);
    }

    #[test]
    fn methods_follow_their_class_and_its_name() {
        let class = "class A:\n    def f(self):\n        return one(self)\n    def g(self):\n        return two(self)\n";
        let renamed = class.replace("class A", "class B");
        expect(&[class], &[&renamed], &[("0:A", "0:B"), ("0:A.f", "0:B.f"), ("0:A.g", "0:B.g")]);
    }

    #[test]
    fn definitions_of_one_name_are_told_apart() {
        let before = "class A:\n    @property\n    def x(self):\n        return self.value\n    @x.setter\n    \
                      def x(self, new):\n        self.value = check(new)\n";
        let mut keys = Keys::default();
        let mut source =
            |text: &str| Source::new(text.lines().map(str::to_owned).collect(), &mut keys, |_| 0);
        let pairs = pair_scopes(&[source(before)], &[source(before)], &[(0, 0)]);
        assert!(pairs.len() == 4 && pairs.iter().all(|(at, other)| at == other), "{pairs:?}");
    }
}
