use std::collections::{BTreeMap, HashMap};

use crate::Origin;

/// What of a file tells which file of another recording it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileFacts {
    /// Its name, as its code objects have it.
    pub(crate) name: String,
    /// Its absolute path, or its name where that is not known.
    pub(crate) path: String,
    /// The SHA-256 of what it holds; empty where it is not known.
    pub(crate) sha256: String,
    /// Whether its code came from a file, and not from a text such as `<string>`.
    pub(crate) is_source: bool,
    /// Whether it is the program that the command was to run.
    pub(crate) is_main: bool,
}

impl FileFacts {
    fn origin(&self) -> Origin {
        match [&self.name, &self.path].map(|name| Origin::of(name)) {
            [Origin::Program, origin] => origin,
            [origin, _] => origin,
        }
    }

    /// What it is called wherever it lies; none for a program's own files.
    fn common_name(&self) -> Option<String> {
        match self.origin() {
            Origin::Interpreter => Some(String::new()),
            Origin::StandardLibrary => Some(format!("library {}", self.module())),
            Origin::SitePackages => {
                let parts: Vec<&str> = self.path.split('/').collect();
                let folder =
                    parts.iter().rposition(|part| matches!(*part, "site-packages" | "dist-packages"))?;
                Some(format!("package {}", parts[folder + 1..].join("/")))
            }
            // `<string>`: code that came from no file.
            Origin::Program => self.name.starts_with('<').then(|| self.name.clone()),
        }
    }

    /// The module of the standard library: some versions have it frozen, others in a file.
    fn module(&self) -> String {
        if let Some(frozen) = self.name.strip_prefix("<frozen ") {
            return frozen.trim_end_matches('>').to_owned();
        }
        let parts: Vec<&str> = self.path.split('/').collect();
        let is_root = |part: &&str| part.starts_with("python3") && part.len() > "python3".len();
        let root = parts.iter().position(is_root).map_or(0, |root| root + 1);
        let module = parts[root..].join(".");
        let module = module.strip_suffix(".py").unwrap_or(&module);
        module.strip_suffix(".__init__").unwrap_or(module).to_owned()
    }
}

/// How alike files have to be that nothing else tells are the same.
const ALIKE: f32 = 0.5;
/// And those that at least have the same name.
const SOMEWHAT_ALIKE: f32 = 0.2;

/// Which file of a recording is which of another: pairs of places in the lists.
///
/// Files of the standard library and of packages are the same by their place there; a program's files by their place
/// in folders that hold most of the others, then by what they hold. `similarity` tells how alike two files are, from 0
/// to 1, and nothing where it is not known.
pub(crate) fn pair_files(
    before: &[FileFacts],
    after: &[FileFacts],
    similarity: &dyn Fn(usize, usize) -> Option<f32>,
) -> Vec<(usize, usize)> {
    let mut pairs = Pairs { of_before: vec![None; before.len()], of_after: vec![None; after.len()] };
    let mut named: HashMap<String, usize> = HashMap::new();
    for (place, facts) in after.iter().enumerate() {
        if let Some(name) = facts.common_name() {
            named.entry(name).or_insert(place);
        }
    }
    for (place, facts) in before.iter().enumerate() {
        if let Some(other) = facts.common_name().and_then(|name| named.get(&name)) {
            pairs.add(place, *other);
        }
    }
    let is_own = |facts: &FileFacts| facts.common_name().is_none();
    let holds_same = |i: usize, j: usize| !before[i].sha256.is_empty() && before[i].sha256 == after[j].sha256;
    pair_by_folders(before, after, &mut pairs, &|i, j, is_first| {
        is_first
            || before[i].is_main && after[j].is_main
            || holds_same(i, j)
            || similarity(i, j).is_none_or(|alike| alike >= SOMEWHAT_ALIKE)
    });
    let main = |files: &[FileFacts]| files.iter().position(|facts| facts.is_main && is_own(facts));
    let moved_to = |i: usize| (0..after.len()).any(|j| pairs.of_after[j].is_none() && holds_same(i, j));
    if let (Some(i), Some(j)) = (main(before), main(after))
        && (holds_same(i, j) || !moved_to(i))
    {
        pairs.add(i, j);
    }
    let mut alike: Vec<(f32, usize, usize)> = Vec::new();
    for i in (0..before.len()).filter(|i| pairs.of_before[*i].is_none() && is_own(&before[*i])) {
        for j in (0..after.len()).filter(|j| pairs.of_after[*j].is_none() && is_own(&after[*j])) {
            let part = if holds_same(i, j) { Some(2.0) } else { similarity(i, j) };
            alike.extend(part.filter(|part| *part >= ALIKE).map(|part| (part, i, j)));
        }
    }
    alike.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
    alike.into_iter().for_each(|(_, i, j)| pairs.add(i, j));
    if let (Some(i), Some(j)) = (main(before), main(after)) {
        pairs.add(i, j);
    }
    pairs.of_before.iter().enumerate().filter_map(|(i, j)| Some((i, (*j)?))).collect()
}

struct Pairs {
    of_before: Vec<Option<usize>>,
    of_after: Vec<Option<usize>>,
}

impl Pairs {
    /// Makes two files a pair, if neither is in one.
    fn add(&mut self, before: usize, after: usize) {
        if self.of_before[before].is_none() && self.of_after[after].is_none() {
            self.of_before[before] = Some(after);
            self.of_after[after] = Some(before);
        }
    }
}

/// Pairs files that have the same path in a folder each: first in the two folders in which most have.
fn pair_by_folders(
    before: &[FileFacts],
    after: &[FileFacts],
    pairs: &mut Pairs,
    fits: &dyn Fn(usize, usize, bool) -> bool,
) {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (j, facts) in after.iter().enumerate().filter(|(_, facts)| facts.common_name().is_none()) {
        by_name.entry(file_name(&facts.path)).or_default().push(j);
    }
    // By the two folders: which files have the same path in them.
    let mut folders: BTreeMap<(&str, &str), Vec<(usize, usize)>> = BTreeMap::new();
    for (i, facts) in before.iter().enumerate().filter(|(_, facts)| facts.common_name().is_none()) {
        for &j in by_name.get(file_name(&facts.path)).into_iter().flatten() {
            folders.entry(roots(&facts.path, &after[j].path)).or_default().push((i, j));
        }
    }
    let mut is_first = true;
    loop {
        for found in folders.values_mut() {
            found.retain(|(i, j)| pairs.of_before[*i].is_none() && pairs.of_after[*j].is_none());
        }
        // Among equals those that share more of their paths: the shortest folders.
        let rank = |((one, other), found): &(&(&str, &str), &Vec<(usize, usize)>)| {
            (found.len(), std::cmp::Reverse(one.len() + other.len()))
        };
        let most = folders.iter().filter(|(_, found)| !found.is_empty()).max_by_key(rank);
        let Some((&most, _)) = most else { return };
        for (i, j) in folders.remove(&most).unwrap_or_default() {
            if fits(i, j, is_first) {
                pairs.add(i, j);
            }
        }
        is_first = false;
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folders in which two paths are the same, the deepest of them taken away.
fn roots<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    let (mut left, mut right) = (one, other);
    loop {
        let (one_rest, one_last) = left.rsplit_once('/').unwrap_or(("", left));
        let (other_rest, other_last) = right.rsplit_once('/').unwrap_or(("", right));
        if one_last != other_last || left.is_empty() || right.is_empty() {
            return (left, right);
        }
        (left, right) = (one_rest, other_rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Vec<FileFacts> {
        let facts = |path: &&str| {
            let (path, sha256) = path.split_once('#').unwrap_or((path, ""));
            let (path, is_main) = path.strip_prefix('*').map_or((path, false), |path| (path, true));
            FileFacts {
                name: path.to_owned(),
                path: path.to_owned(),
                sha256: sha256.to_owned(),
                is_source: true,
                is_main,
            }
        };
        paths.iter().map(facts).collect()
    }

    fn pairs(before: &[&str], after: &[&str], similarity: f32) -> Vec<(usize, usize)> {
        pair_files(&files(before), &files(after), &|_, _| Some(similarity))
    }

    #[test]
    fn libraries_are_the_same_wherever_they_lie() {
        let before =
            ["/a/lib/python3.8/os.py", "/a/lib/python3.8/json/__init__.py", "<frozen importlib._bootstrap>"];
        let after = ["<frozen importlib._bootstrap>", "<frozen os>", "/usr/lib/python3.14/json/__init__.py"];
        assert_eq!(pairs(&before, &after, 0.0), [(0, 1), (1, 2), (2, 0)]);
        let before = ["/a/lib/python3.8/site-packages/x/y.py", "<string>"];
        let after = ["<string>", "/b/lib/python3.9/site-packages/x/y.py"];
        assert_eq!(pairs(&before, &after, 0.0), [(0, 1), (1, 0)]);
    }

    #[test]
    fn programs_are_the_same_in_another_folder() {
        let before = ["/a/one/prog.py", "/a/one/pkg/__init__.py", "/a/one/pkg/sub/__init__.py"];
        let after = ["/b/pkg/__init__.py", "/b/pkg/sub/__init__.py", "/b/prog.py"];
        assert_eq!(pairs(&before, &after, 0.0), [(0, 2), (1, 0), (2, 1)]);
        // In place.
        assert_eq!(pairs(&before, &before, 0.0), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(pairs(&["/a/x.py"], &["/b/x.py"], 0.0), [(0, 0)]);
        assert_eq!(pairs(&["x.py"], &["/b/x.py"], 0.0), [(0, 0)]);
    }

    #[test]
    fn a_name_alone_is_not_enough() {
        let before = ["/p/a.py", "/p/b.py", "/p/one/__init__.py"];
        let after = ["/p/a.py", "/p/b.py", "/p/two/__init__.py"];
        assert_eq!(pairs(&before, &after, 0.1), [(0, 0), (1, 1)]);
        assert_eq!(pairs(&before, &after, 0.3), [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn renamed_files_are_found_by_what_they_hold() {
        assert_eq!(pairs(&["/p/a.py", "/p/b.py#1"], &["/p/c.py#1", "/p/a.py"], 0.0), [(0, 1), (1, 0)]);
        assert_eq!(pairs(&["/p/a.py"], &["/p/b.py"], 0.6), [(0, 0)]);
        assert_eq!(pairs(&["/p/a.py"], &["/p/b.py"], 0.4), []);
        // A program under another name is the program, unless it went elsewhere.
        assert_eq!(pairs(&["*/p/before.py"], &["*/p/after.py"], 0.0), [(0, 0)]);
        assert_eq!(pairs(&["*/p/a.py#1"], &["/p/b.py#1", "*/p/run.py#2"], 0.0), [(0, 0)]);
    }

    #[test]
    fn roots_are_what_paths_do_not_share() {
        assert_eq!(roots("/a/b/c.py", "/x/b/c.py"), ("/a", "/x"));
        assert_eq!(roots("/a/c.py", "/a/c.py"), ("", ""));
        assert_eq!(roots("c.py", "/a/c.py"), ("", "/a"));
        assert_eq!(roots("c.py", "c.py"), ("", ""));
        assert_eq!(roots("/a/ab.py", "/a/b.py"), ("/a/ab.py", "/a/b.py"));
    }
}
