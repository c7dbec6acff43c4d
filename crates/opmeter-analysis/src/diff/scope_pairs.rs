use std::collections::{HashMap, HashSet};

use super::definitions::Definitions;
use super::likeness::likeness;
use super::outline::ScopeKind;
use super::scope_places::pair_in_place;
use super::source::Source;

/// A definition of one of several sources: the source's place, and the scope's in its outline.
pub(crate) type ScopeAt = (usize, usize);

/// How alike definitions of different names have to be.
const ALIKE: f32 = 0.55;
/// And those of the same name in different classes or files.
const ALIKE_BY_NAME: f32 = 0.25;
/// What a definition has to hold to be found again under another name.
const LEAST_VALUE: f32 = 2.0;
/// What definitions that kept their name are held to be alike besides, so that little but the same lines under another name
/// is better evidence.
const OF_THE_NAME: f32 = 0.6;
/// Definitions whose lines are the same to so much, and that kept their name, are the same whatever else there is.
const ALIKE_ENOUGH: f32 = 0.45;
/// What it tells of definitions of different names that they ran as often, or that what stands before or behind them has the
/// same name.
const RAN_ALIKE: f32 = 0.25;
const NEIGHBOUR: f32 = 0.1;
/// What a definition loses whose name something has after, where it is to be something else.
const NAME_IS_THERE: f32 = 0.05;
/// More pairs of definitions that lost their names and that have new ones than so many are not all looked at.
const MOST_RENAMED: usize = 2500;

/// Finds out which definitions of the sources before are which after.
///
/// `files` are the pairs of sources that are the same file. Definitions are the same by qualified name in the same
/// file, unless next to nothing of what they hold is alike and another holds the same; or by what they hold: moved to
/// another class or file, or renamed; or by their place among others. The modules of paired files are pairs.
pub(crate) fn pair_scopes(
    before: &[Source],
    after: &[Source],
    files: &[(usize, usize)],
) -> HashMap<ScopeAt, ScopeAt> {
    let file_of: HashMap<usize, usize> = files.iter().copied().collect();
    let mut found = Found::default();
    files.iter().for_each(|(i, j)| found.add((*i, 0), (*j, 0)));
    let (before, after) = (Definitions::of(before), Definitions::of(after));
    // Classes first: whether functions are methods of the same class tells about them. So does for functions inside
    // others which these are.
    let names = Names::of(&before, &after, files);
    let deepest = before.contents.keys().map(|at| before.depth(*at)).max().unwrap_or(0);
    let functions = (0..=deepest).map(|depth| (ScopeKind::Function, Some(depth)));
    for (kind, depth) in std::iter::once((ScopeKind::Class, None)).chain(functions) {
        let mut candidates: Vec<Candidate> = Vec::new();
        let is_meant = |at: ScopeAt| {
            before.scope(at).kind == kind && depth.is_none_or(|depth| before.depth(at) == depth)
        };
        for (&at, content) in before.contents.iter().filter(|(at, _)| is_meant(**at)) {
            let mut like = after.like(&before, at, content, file_of.get(&at.0));
            like.extend(names.new_in_place_of(at));
            for other in like.into_iter().filter(|other| after.scope(*other).kind == kind) {
                candidates.extend(candidate(&before, &after, (at, other), &file_of, &names, &found));
            }
        }
        let rank = |one: &Candidate, other: &Candidate| {
            other.score.total_cmp(&one.score).then_with(|| one.tie().cmp(&other.tie()))
        };
        candidates.sort_by(rank);
        candidates.iter().for_each(|candidate| found.add(candidate.before, candidate.after));
    }
    pair_in_place((before.sources, after.sources), &mut found);
    found.pairs
}

/// Which definitions were found to be which.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// For each before, the one after.
    pub(crate) pairs: HashMap<ScopeAt, ScopeAt>,
    /// Those after that are one before.
    pub(crate) taken: HashSet<ScopeAt>,
}

impl Found {
    /// Makes two definitions a pair, if neither is in one.
    pub(crate) fn add(&mut self, before: ScopeAt, after: ScopeAt) {
        if !self.pairs.contains_key(&before) && self.taken.insert(after) {
            self.pairs.insert(before, after);
        }
    }
}

/// Which definitions lost their names, and which have new ones, in the files that are pairs.
#[derive(Debug, Default)]
struct Names {
    /// Those before whose qualified names nothing has after.
    gone: HashSet<ScopeAt>,
    /// Those before whose qualified names something has after.
    kept: HashSet<ScopeAt>,
    /// Those after whose qualified names nothing had before.
    new: HashSet<ScopeAt>,
    /// And for each file before, where there are not too many.
    new_of: HashMap<usize, Vec<ScopeAt>>,
}

impl Names {
    fn of(before: &Definitions<'_>, after: &Definitions<'_>, files: &[(usize, usize)]) -> Names {
        let mut names = Names::default();
        let of_file = |definitions: &Definitions<'_>, file: usize| -> Vec<ScopeAt> {
            definitions.contents.range((file, 0)..(file + 1, 0)).map(|(at, _)| *at).collect()
        };
        for (file, other) in files {
            let (gone, kept): (Vec<ScopeAt>, Vec<ScopeAt>) =
                of_file(before, *file).into_iter().partition(|at| {
                    !after.by_qualified.contains_key(&(*other, before.scope(*at).qualified.as_str()))
                });
            let is_new = |at: &ScopeAt| {
                !before.by_qualified.contains_key(&(*file, after.scope(*at).qualified.as_str()))
            };
            let new: Vec<ScopeAt> = of_file(after, *other).into_iter().filter(is_new).collect();
            names.new.extend(&new);
            if gone.len().saturating_mul(new.len()) <= MOST_RENAMED {
                names.new_of.insert(*file, new);
            }
            names.gone.extend(gone);
            names.kept.extend(kept);
        }
        names
    }

    /// What may be there in place of a definition whose name is gone.
    fn new_in_place_of(&self, at: ScopeAt) -> Vec<ScopeAt> {
        if self.is_gone(at) { self.new_of.get(&at.0).cloned().unwrap_or_default() } else { Vec::new() }
    }

    fn is_gone(&self, at: ScopeAt) -> bool {
        self.gone.contains(&at)
    }

    fn is_kept(&self, at: ScopeAt) -> bool {
        self.kept.contains(&at)
    }

    fn is_new(&self, at: ScopeAt) -> bool {
        self.new.contains(&at)
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

/// Two definitions, if they may be the same, with how far that is likely.
fn candidate(
    before: &Definitions<'_>,
    after: &Definitions<'_>,
    (at, other): (ScopeAt, ScopeAt),
    file_of: &HashMap<usize, usize>,
    names: &Names,
    found: &Found,
) -> Option<Candidate> {
    let (one, two) = (before.scope(at), after.scope(other));
    let content = before.contents.get(&at)?;
    let mut alike = content.similarity(after.contents.get(&other)?);
    let is_same_file = file_of.get(&at.0) == Some(&other.0);
    let is_same_parent = found.pairs.get(&(at.0, one.parent)) == Some(&(other.0, two.parent));
    let is_same_name = one.name == two.name;
    let stay = || {
        let (next_to, next_to_after) = (before.neighbours(at), after.neighbours(other));
        next_to.iter().zip(next_to_after).filter(|(one, other)| *one == other).count()
    };
    let near = if is_same_file { 0.1 } else { 0.0 };
    // Lines that changed a little are no other lines.
    let likeness = || likeness((&before.sources[at.0], at.1), (&after.sources[other.0], other.1));
    // Of what lost its name and what has a new one, one may be the other: where there are copies of it as well, what
    // ran as often and stands where it did is it.
    let is_renamed = names.is_gone(at) && names.is_new(other);
    let renamed = if is_renamed { likeness() } else { None };
    let ran_alike = renamed.map_or(0.0, |likeness| likeness.ran_alike);
    let least = if ran_alike == 1.0 { LEAST_VALUE / 2.0 } else { LEAST_VALUE };
    if let Some(likeness) = renamed {
        alike = alike.max(likeness.alike);
    }
    let score = if is_same_name && (is_same_parent || is_same_file && one.qualified == two.qualified) {
        let edited = if alike < ALIKE_ENOUGH { likeness() } else { None };
        alike = edited.map_or(alike, |edited| alike.max(edited.alike));
        alike + OF_THE_NAME + near
    } else if is_same_name && alike >= ALIKE_BY_NAME {
        alike + 0.3 + near
    } else if !is_same_name && alike >= ALIKE && content.value >= least {
        alike
            + near
            + match is_renamed {
                true => RAN_ALIKE * ran_alike + NEIGHBOUR * stay() as f32,
                false if names.is_kept(at) => -NAME_IS_THERE,
                false => 0.0,
            }
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
        // Little is no evidence, unless it stands in the same place.
        let before = "def f():\n    pass\ndef k(a, b):\n    return first(a) + b\n";
        let after = "def k(a, b):\n    return first(a) + b\ndef g():\n    pass\n";
        expect(&[before], &[after], &[("0:k", "0:k")]);
    }

    #[test]
    fn a_name_tells_more_than_the_same_lines_under_another() {
        let f = |name: &str| format!("def {name}(a, b):\n{BODY}");
        let edited = f("f").replace("total", "total_of_all");
        // A copy of what it was, and one that was alike and got another name.
        expect(&[&f("f")], &[&(edited.clone() + &f("f_old"))], &[("0:f", "0:f")]);
        expect(&[&f("f")], &[&(f("f_old") + &edited)], &[("0:f", "0:f")]);
        let both = f("f") + &f("g");
        expect(&[&both], &[&(edited + &f("h"))], &[("0:f", "0:f"), ("0:g", "0:h")]);
        let other = "def f(a, b):\n    return other_way(a, b)\n".to_owned() + &f("h");
        expect(&[&both], &[&other], &[("0:f", "0:f"), ("0:g", "0:h")]);
    }

    #[test]
    fn functions_that_exchanged_their_names_are_told_by_what_they_hold() {
        let f = |name: &str| format!("def {name}(a, b):\n{BODY}");
        let g = |name: &str| format!("def {name}(a, b):\n    with lock(a):\n        yield from items(b)\n");
        expect(&[&(f("f") + &g("g"))], &[&(g("f") + &f("g"))], &[("0:f", "0:g"), ("0:g", "0:f")]);
    }

    #[test]
    fn short_functions_under_another_name_are_told_by_their_place() {
        let text = "def one():\n    return 1\ndef memo(function):\n    cache = {}\n    def wrapper(n):\n        \
                    return cache.get(n) or function(n)\n    return wrapper\n@memo\ndef fib(n): return fib(n - 1)\nclass \
                    A:\n    def size(self):\n        return self.n\n    def last(self):\n        return self.l\n";
        let renamed = |from: &str, to: &str| text.replace(from, to);
        let all = ["A", "A.last", "A.size", "fib", "memo", "memo.<locals>.wrapper", "one"];
        for (from, to) in
            [("memo", "renamed_memo"), ("fib", "fibonacci"), ("size", "count"), ("one", "first")]
        {
            let after = renamed(from, to);
            let expected: Vec<(String, String)> = all
                .iter()
                .map(|name| (format!("0:{name}"), format!("0:{}", name.replace(from, to))))
                .collect();
            assert_eq!(pairs(&[text], &[&after]), expected, "{from} {to}");
        }
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
