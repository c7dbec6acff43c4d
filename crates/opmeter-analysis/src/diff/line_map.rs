use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::file_pairs::pair_files;
use super::increasing::increasing;
use super::matching::Matching;
use super::scope_pairs::ScopeAt;
use super::side::{Side, SideFile};
use super::source::{Keys, Source};

/// How the lines of a pair of files are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The files hold the same: by number.
    Identical,
    /// By what the lines hold.
    Content,
    /// By number, because what a file held is not known.
    Number,
}

/// A line of one of a side's files: the file's place, and the line, counted from 1.
pub(crate) type FileLine = (usize, u32);

/// Which files, lines and definitions of one recording are which of the other.
#[derive(Debug)]
pub(crate) struct LineMap {
    /// For each file before: the file after, and how their lines are matched.
    pub(crate) files: Vec<Option<(usize, Way)>>,
    /// The sources before by file; those of files that are matched by content, or have no pair.
    pub(crate) before: Sources,
    /// And those after.
    pub(crate) after: Sources,
    matching: Matching,
    /// Lines before that are the same in another order.
    out_of_order: HashSet<(usize, usize)>,
    /// Whether both have the same files, and these hold the same.
    pub(crate) is_identical: bool,
    /// What is wrong with texts.
    pub(crate) warnings: Vec<String>,
}

/// The sources of a side.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) sources: Vec<Source>,
    /// The file of each.
    files: Vec<usize>,
    /// And the source of each file that has one.
    pub(crate) of_file: HashMap<usize, usize>,
}

impl Sources {
    fn add(&mut self, file: usize, source: Source) {
        self.of_file.insert(file, self.sources.len());
        self.files.push(file);
        self.sources.push(source);
    }

    /// The source of a file.
    pub(crate) fn get(&self, file: usize) -> Option<&Source> {
        Some(&self.sources[*self.of_file.get(&file)?])
    }
}

/// Reads sources as they are needed.
struct Reader<'a> {
    side: Side<'a>,
    files: &'a [SideFile],
    sources: Sources,
    /// What files that may not be what ran are warned of.
    changed: BTreeMap<usize, String>,
    read: HashSet<usize>,
}

impl<'a> Reader<'a> {
    fn new(side: Side<'a>, files: &'a [SideFile]) -> Self {
        Reader { side, files, sources: Sources::default(), changed: BTreeMap::new(), read: HashSet::new() }
    }

    fn read(&mut self, file: usize, keys: &mut Keys) {
        // `<string>` and the like never were in a file.
        if !self.read.insert(file) || self.files[file].name.starts_with('<') {
            return;
        }
        let text = self.side.text(&self.files[file].name);
        if let Some(lines) = text.lines {
            let known = &self.files[file];
            if let Some(warning) = text.warning.filter(|_| known.is_uncertain) {
                self.changed.insert(file, warning);
            }
            self.sources.add(file, Source::new(lines, keys, |line| known.ran(line).executions));
        }
    }
}

impl LineMap {
    /// Matches the files of two recordings, and the lines of those that differ.
    pub(crate) fn new(
        (before, before_files): (Side<'_>, &[SideFile]),
        (after, after_files): (Side<'_>, &[SideFile]),
    ) -> LineMap {
        let mut keys = Keys::default();
        let mut one = Reader::new(before, before_files);
        let mut other = Reader::new(after, after_files);
        let known = |files: &[SideFile]| -> BTreeSet<String> {
            files.iter().map(|file| file.facts.sha256.clone()).filter(|sha256| !sha256.is_empty()).collect()
        };
        let both: BTreeSet<String> = known(before_files).intersection(&known(after_files)).cloned().collect();
        for (reader, files) in [(&mut one, before_files), (&mut other, after_files)] {
            for (place, _) in files.iter().enumerate().filter(|(_, file)| !both.contains(&file.facts.sha256))
            {
                reader.read(place, &mut keys);
            }
        }
        let content = |sources: &Sources, file: usize| {
            sources.get(file).map(|source| source.content(0..source.lines.len()))
        };
        let contents_before: Vec<_> =
            (0..before_files.len()).map(|file| content(&one.sources, file)).collect();
        let contents_after: Vec<_> =
            (0..after_files.len()).map(|file| content(&other.sources, file)).collect();
        let similarity =
            |i: usize, j: usize| Some(contents_before[i].as_ref()?.similarity(contents_after[j].as_ref()?));
        let facts = |files: &[SideFile]| files.iter().map(|file| file.facts.clone()).collect::<Vec<_>>();
        let pairs = pair_files(&facts(before_files), &facts(after_files), &similarity);
        let mut files: Vec<Option<(usize, Way)>> = vec![None; before_files.len()];
        let mut by_content = Vec::new();
        for (i, j) in pairs {
            let sha256 = &before_files[i].facts.sha256;
            if !sha256.is_empty() && *sha256 == after_files[j].facts.sha256 {
                files[i] = Some((j, Way::Identical));
                continue;
            }
            one.read(i, &mut keys);
            other.read(j, &mut keys);
            let sources = (one.sources.of_file.get(&i), other.sources.of_file.get(&j));
            files[i] = Some(match sources {
                (Some(source), Some(target)) => {
                    by_content.push((*source, *target));
                    (j, Way::Content)
                }
                _ => (j, Way::Number),
            });
        }
        let warnings = warnings((before_files, &one.changed), (after_files, &other.changed), &files);
        let is_source = |files: &[SideFile]| files.iter().filter(|file| file.facts.is_source).count();
        let is_same = |(file, pair): (&SideFile, &Option<(usize, Way)>)| {
            !file.facts.is_source || matches!(pair, Some((_, Way::Identical)))
        };
        let is_identical =
            is_source(before_files) == is_source(after_files) && before_files.iter().zip(&files).all(is_same);
        let matching = Matching::of(&one.sources.sources, &other.sources.sources, &by_content);
        let out_of_order = out_of_order(&matching, &by_content);
        LineMap {
            files,
            before: one.sources,
            after: other.sources,
            matching,
            out_of_order,
            is_identical,
            warnings,
        }
    }

    /// The line after that a line before is.
    pub(crate) fn line_after(&self, (file, line): FileLine) -> Option<FileLine> {
        match self.files[file] {
            Some((other, _)) if line == 0 => Some((other, 0)),
            Some((other, Way::Identical | Way::Number)) => Some((other, line)),
            _ => {
                let source = *self.before.of_file.get(&file)?;
                let (other, place) = (*self.matching.to_after[source].get(line.checked_sub(1)? as usize)?)?;
                Some((self.after.files[other], place as u32 + 1))
            }
        }
    }

    /// The line before that a line after is, of files that are matched by what they hold.
    pub(crate) fn line_before(&self, (file, line): FileLine) -> Option<FileLine> {
        let Some(source) = self.after.of_file.get(&file) else {
            let way = |(before, pair): (usize, &Option<(usize, Way)>)| {
                pair.is_some_and(|(other, way)| other == file && way != Way::Content)
                    .then_some((before, line))
            };
            return self.files.iter().enumerate().find_map(way);
        };
        let before = *self.matching.to_before[*source].get(line.checked_sub(1)? as usize)?;
        let (other, place) = before?;
        Some((self.before.files[other], place as u32 + 1))
    }

    /// What became of a line before that is one after.
    pub(crate) fn edit(&self, (file, line): FileLine, (other_file, other_line): FileLine) -> super::Edit {
        use super::Edit;
        let sources = (self.before.of_file.get(&file), self.after.of_file.get(&other_file));
        let (Some((_, Way::Content)) | None, (Some(source), Some(target))) = (self.files[file], sources)
        else {
            return Edit::Same;
        };
        let place = |line: u32| (line as usize).checked_sub(1);
        let (Some(at), Some(with)) = (place(line), place(other_line)) else { return Edit::Same };
        let key = |sources: &Sources, source: usize, line: usize| {
            sources.sources[source].lines.get(line).map(|line| line.key)
        };
        if key(&self.before, *source, at) != key(&self.after, *target, with) {
            Edit::Changed
        } else if self.out_of_order.contains(&(*source, at)) {
            Edit::Moved
        } else {
            Edit::Same
        }
    }

    /// The definition after that one before is; both as a file and a place in its outline.
    pub(crate) fn scope_after(&self, (file, scope): ScopeAt) -> Option<ScopeAt> {
        let source = *self.before.of_file.get(&file)?;
        let (other, place) = *self.matching.scopes.get(&(source, scope))?;
        Some((self.after.files[other], place))
    }

    /// The text of a line after, or before, as it stands there.
    pub(crate) fn text(sources: &Sources, (file, line): FileLine) -> Option<&str> {
        let line = (line as usize).checked_sub(1)?;
        sources.get(file)?.texts.get(line).map(String::as_str)
    }
}

/// What is to be said of files whose texts are missing, or may not be what ran, where that matters.
fn warnings(
    (before, changed): (&[SideFile], &BTreeMap<usize, String>),
    (after, changed_after): (&[SideFile], &BTreeMap<usize, String>),
    files: &[Option<(usize, Way)>],
) -> Vec<String> {
    let mut warnings: Vec<String> = changed.values().map(|warning| format!("before: {warning}")).collect();
    warnings.extend(changed_after.values().map(|warning| format!("after: {warning}")));
    for (file, pair) in before.iter().zip(files) {
        let Some((other, Way::Number)) = pair else { continue };
        let other = &after[*other];
        let differs = || {
            file.lines.iter().any(|(line, ran)| other.ran(*line).executions != ran.executions)
                || other.lines.iter().any(|(line, ran)| file.ran(*line).executions != ran.executions)
        };
        if file.facts.is_source && other.facts.is_source && differs() {
            let (one, two) = (&file.facts.path, &other.facts.path);
            let place = if one == two { one.clone() } else { format!("{one} and {two}") };
            warnings.push(format!(
                "lines of {place} are matched by their numbers, because the text of one or both is missing: where \
                 lines were added or removed, what follows is compared with the wrong lines"
            ));
        }
    }
    warnings
}

/// The lines before that are in another file, or not in their order, as so few lines as possible.
fn out_of_order(matching: &Matching, files: &[(usize, usize)]) -> HashSet<(usize, usize)> {
    let file_of: HashMap<usize, usize> = files.iter().copied().collect();
    let mut found = HashSet::new();
    for (file, lines) in matching.to_after.iter().enumerate() {
        let pairs = lines.iter().enumerate().filter_map(|(line, pair)| Some((line, (*pair)?)));
        let (same, others): (Vec<_>, Vec<_>) =
            pairs.partition(|(_, (other, _))| file_of.get(&file) == Some(other));
        found.extend(others.into_iter().map(|(line, _)| (file, line)));
        let places: Vec<usize> = same.iter().map(|(_, (_, line))| *line).collect();
        let in_order: HashSet<usize> = increasing(&places).into_iter().collect();
        let moved = same.iter().enumerate().filter(|(place, _)| !in_order.contains(place));
        found.extend(moved.map(|(_, (line, _))| (file, *line)));
    }
    found
}
