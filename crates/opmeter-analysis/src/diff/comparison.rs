use std::collections::BTreeSet;

use opmeter_recording::{Manifest, ProcessState};

use super::function_changes::FunctionPairs;
use super::line_changes::Lines;
use super::line_map::LineMap;
use super::opcode_changes::{family_changes, opcode_changes};
use super::remarks::{has_random_hashes, remarks};
use super::side::{Side, SideFile};
use super::{AlignedSource, Change, Changed, Changes, Edit, Place};
use crate::{Ran, RowFilter, Spot, Terms};

/// What differs between two recordings.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// The recording before.
    pub before: Side<'a>,
    /// The recording after.
    pub after: Side<'a>,
    /// Which phases and processes are compared.
    pub filter: RowFilter,
    /// All that is selected.
    pub total: Change,
    /// By opcode, in the terms that were asked for.
    pub opcodes: Changes<String>,
    /// By family of opcodes.
    pub families: Changes<String>,
    /// By function; those of libraries are one unless they are shown.
    pub functions: Changes<Spot>,
    /// By file.
    pub files: Changes<Spot>,
    /// By line.
    pub lines: Changes<Place>,
    /// The sources, line by line.
    pub sources: Vec<AlignedSource>,
    is_of_the_same_sources: bool,
    /// What makes the comparison mean something else than it seems to, a sentence each.
    pub remarks: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Compares what `filter` takes of two recordings. With `by_file`, opcodes and the total are those of the files
    /// that are taken, in base terms.
    pub fn new(
        before: Side<'a>,
        after: Side<'a>,
        filter: &RowFilter,
        terms: Terms,
        by_file: bool,
    ) -> Comparison<'a> {
        let (files_before, files_after) = (before.side_files(filter), after.side_files(filter));
        let (one, other) = ((before, &files_before[..]), (after, &files_after[..]));
        let map = LineMap::new(one, other);
        let lines = Lines::new(one, other, &map);
        let folded = folded(before, after, filter);
        let with_comprehensions = inlines(before.manifest) != inlines(after.manifest);
        let functions = FunctionPairs::new(one, other, &map, filter, with_comprehensions).changes();
        let spots = folded.clone().into_iter().map(|row| Changed {
            before: row.before.map(of_spot),
            after: row.after.map(of_spot),
            edit: row.edit,
            change: row.change,
        });
        let opcodes = opcode_changes(before, after, filter, terms, by_file);
        let mut total = Change::default();
        opcodes.iter().for_each(|row| total.add(row.change));
        let mut remarks = remarks(one, other, &map);
        let is_frozen = |file: &SideFile| file.name.starts_with("<frozen ");
        if versions(before.manifest) != versions(after.manifest) && files_before.iter().any(is_frozen) {
            remarks.push(
                "lines of modules that are frozen into the interpreter are matched by their numbers, which are others in \
                 another version"
                    .to_owned(),
            );
        }
        if terms == Terms::AsExecuted && versions(before.manifest) != versions(after.manifest) {
            remarks.push(
                "opcodes as executed differ from version to version of CPython: --terms base, or --by family, compares \
                 what is alike"
                    .to_owned(),
            );
        }
        Comparison {
            filter: filter.clone(),
            total,
            opcodes: Changes::new(opcodes),
            families: Changes::new(family_changes(before, after, filter, by_file)),
            functions: Changes::new(functions.into_iter().chain(folded.iter().cloned()).collect()),
            files: Changes::new(files(one, other, &map).into_iter().chain(folded).collect()),
            lines: Changes::new(lines.changes().into_iter().chain(spots).collect()),
            sources: lines.aligned(),
            is_of_the_same_sources: map.is_identical,
            remarks,
            before,
            after,
        }
    }

    /// Whether hashes of texts were other ones in each run, so that counts of programs that go through sets of texts may
    /// differ from run to run.
    pub fn has_random_hashes(&self) -> bool {
        has_random_hashes(self.before.manifest) || has_random_hashes(self.after.manifest)
    }

    /// Whether nothing that is known of the two runs explains that counts differ: the same version of CPython ran the
    /// same sources.
    pub fn is_of_the_same(&self) -> bool {
        !self.is_across_versions() && self.is_of_the_same_sources
    }

    /// Whether the recordings are of different minor versions of CPython.
    pub fn is_across_versions(&self) -> bool {
        versions(self.before.manifest) != versions(self.after.manifest)
    }
}

fn of_spot(spot: Spot) -> Place {
    Place { spot, function: None, text: None }
}

fn folded(before: Side<'_>, after: Side<'_>, filter: &RowFilter) -> Vec<Changed<Spot>> {
    let (one, mut other) = (before.folded(filter), after.folded(filter));
    let row = |spot: Spot, change: Change| {
        let [before, after] =
            [change.before, change.after].map(|ran| (ran.executions > 0).then(|| spot.clone()));
        Changed { before, after, edit: Edit::Same, change }
    };
    let mut rows = Vec::new();
    for (spot, ran) in one {
        let after = other.remove(&spot).unwrap_or_default();
        rows.push(row(spot, Change { before: ran, after }));
    }
    rows.extend(
        other.into_iter().map(|(spot, ran)| row(spot, Change { before: Ran::default(), after: ran })),
    );
    rows
}

fn files(
    (_, before): (Side<'_>, &[SideFile]),
    (_, after): (Side<'_>, &[SideFile]),
    map: &LineMap,
) -> Vec<Changed<Spot>> {
    let ran = |file: &SideFile| {
        file.lines.values().fold(Ran::default(), |mut sum, ran| {
            sum.add(*ran);
            sum
        })
    };
    let spot = |file: &SideFile| Spot::File(file.name.clone());
    let mut rows = Vec::new();
    let mut taken = BTreeSet::new();
    for (file, pair) in before.iter().zip(&map.files) {
        let other = pair.map(|(place, _)| &after[place]);
        taken.extend(pair.map(|(place, _)| place));
        let same_name =
            |other: &SideFile| other.facts.path.rsplit('/').next() == file.facts.path.rsplit('/').next();
        rows.push(Changed {
            before: Some(spot(file)),
            after: other.map(spot),
            edit: match other {
                None => Edit::Removed,
                Some(other) if same_name(other) => Edit::Same,
                Some(_) => Edit::Moved,
            },
            change: Change { before: ran(file), after: other.map(ran).unwrap_or_default() },
        });
    }
    for (_, file) in after.iter().enumerate().filter(|(place, _)| !taken.contains(place)) {
        let change = Change { before: Ran::default(), after: ran(file) };
        rows.push(Changed { before: None, after: Some(spot(file)), edit: Edit::Added, change });
    }
    rows
}

/// The minor versions of the interpreters that were metered.
fn versions(manifest: &Manifest) -> BTreeSet<(u32, u32)> {
    let metered = manifest.processes.iter().filter(|process| process.state == ProcessState::Metered);
    metered.filter_map(|process| version(&process.python)).collect()
}

fn version(python: &str) -> Option<(u32, u32)> {
    let mut parts = python.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// Whether comprehensions are part of the function that they stand in: from CPython 3.12 on.
fn inlines(manifest: &Manifest) -> bool {
    versions(manifest).iter().all(|version| *version >= (3, 12))
}
