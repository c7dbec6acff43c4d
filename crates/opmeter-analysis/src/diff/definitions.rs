use std::collections::{BTreeMap, HashMap, HashSet};

use super::likeness::inside;
use super::outline::{Scope, ScopeKind};
use super::scope_pairs::ScopeAt;
use super::source::{Content, Source};

/// A line that stands in more places than so many tells little about which definition it is of.
const RARE: usize = 8;
/// More definitions of one name than so many, in all files, are not compared with each other by their names alone.
const MOST_OF_A_NAME: usize = 64;

/// What definitions of sources hold.
pub(crate) struct Definitions<'a> {
    /// The sources.
    pub(crate) sources: &'a [Source],
    /// What each holds, in the order of sources and lines.
    pub(crate) contents: BTreeMap<ScopeAt, Content>,
    /// Those of a qualified name in a source.
    pub(crate) by_qualified: HashMap<(usize, &'a str), Vec<ScopeAt>>,
    by_name: HashMap<&'a str, Vec<ScopeAt>>,
    by_line: HashMap<u32, Vec<ScopeAt>>,
    /// The names of the definitions before and behind each.
    neighbours: HashMap<ScopeAt, [Option<&'a str>; 2]>,
}

impl<'a> Definitions<'a> {
    /// Reads the outlines of sources.
    pub(crate) fn of(sources: &'a [Source]) -> Self {
        let mut definitions = Self {
            sources,
            contents: BTreeMap::new(),
            by_qualified: HashMap::new(),
            by_name: HashMap::new(),
            by_line: HashMap::new(),
            neighbours: HashMap::new(),
        };
        for (file, source) in sources.iter().enumerate() {
            // For each scope the last definition in it so far.
            let mut last: HashMap<usize, usize> = HashMap::new();
            for (place, scope) in source.outline.scopes.iter().enumerate().skip(1) {
                let before = last.insert(scope.parent, place);
                let name = before.map(|before| source.outline.scopes[before].name.as_str());
                definitions.neighbours.insert((file, place), [name, None]);
                if let Some([_, behind]) =
                    before.and_then(|before| definitions.neighbours.get_mut(&(file, before)))
                {
                    *behind = Some(scope.name.as_str());
                }
            }
            for (place, scope) in source.outline.scopes.iter().enumerate().skip(1) {
                let at = (file, place);
                let content = source.content(inside((source, place)).into_iter());
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

    /// The scope of one.
    pub(crate) fn scope(&self, (file, place): ScopeAt) -> &'a Scope {
        &self.sources[file].outline.scopes[place]
    }

    /// The names of the definitions before and behind one, in the one that it stands in.
    pub(crate) fn neighbours(&self, at: ScopeAt) -> [Option<&'a str>; 2] {
        self.neighbours.get(&at).copied().unwrap_or_default()
    }

    /// In how many functions a definition stands.
    pub(crate) fn depth(&self, (file, place): ScopeAt) -> usize {
        let scopes = &self.sources[file].outline.scopes;
        let outer = std::iter::successors(Some(place), |place| (*place > 0).then(|| scopes[*place].parent));
        outer.skip(1).filter(|place| scopes[*place].kind == ScopeKind::Function).count()
    }

    /// Those that may be a definition of other sources.
    pub(crate) fn like(
        &self,
        others: &Self,
        at: ScopeAt,
        content: &Content,
        file: Option<&usize>,
    ) -> Vec<ScopeAt> {
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
    pub(crate) fn ordinal(&self, at: ScopeAt) -> usize {
        let same = self.by_qualified.get(&(at.0, self.scope(at).qualified.as_str()));
        same.and_then(|same| same.iter().position(|other| *other == at)).unwrap_or(0)
    }
}
