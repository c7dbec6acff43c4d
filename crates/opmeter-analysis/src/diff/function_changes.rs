use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::comprehensions::Comprehensions;
use super::line_map::{LineMap, Way};
use super::side::{Side, SideFile};
use super::{Change, Changed, Edit};
use crate::{Ran, RowFilter, Spot};

/// A function of a side: its file's place, its first line and its name.
type FunctionAt = (usize, u32, Arc<str>);
/// What functions of a side ran.
type Functions = BTreeMap<FunctionAt, Ran>;

/// Functions, by first line and name, of a file and a last part of the name.
type ByName = HashMap<(usize, String), Vec<(u32, Arc<str>)>>;

/// The functions of two recordings, and which are which.
pub(crate) struct FunctionPairs<'a> {
    before: &'a [SideFile],
    after: &'a [SideFile],
    map: &'a LineMap,
    functions: Functions,
    functions_after: Functions,
    /// Functions after by file and last part of the name.
    by_name: ByName,
}

impl<'a> FunctionPairs<'a> {
    /// Adds up what functions ran. Where `with_comprehensions` is set, comprehensions are part of the function that they
    /// stand in: only one of the interpreters has them as functions of their own.
    pub(crate) fn new(
        before: (Side<'a>, &'a [SideFile]),
        after: (Side<'a>, &'a [SideFile]),
        map: &'a LineMap,
        filter: &RowFilter,
        with_comprehensions: bool,
    ) -> Self {
        let functions = sums(before, filter, with_comprehensions);
        let functions_after = sums(after, filter, with_comprehensions);
        let mut by_name: ByName = HashMap::new();
        for (file, line, name) in functions_after.keys() {
            by_name.entry((*file, last_part(name).to_owned())).or_default().push((*line, name.clone()));
        }
        Self { before: before.1, after: after.1, map, functions, functions_after, by_name }
    }

    /// What every function ran.
    pub(crate) fn changes(&self) -> Vec<Changed<Spot>> {
        let mut rows = Vec::new();
        let mut taken: HashSet<FunctionAt> = HashSet::new();
        for (at, ran) in &self.functions {
            let other = self.function_after(at).filter(|other| !taken.contains(other));
            let after = other.as_ref().and_then(|other| self.functions_after.get(other));
            let edit = match &other {
                None => Edit::Removed,
                Some((file, _, name)) if self.is_same_place(at, *file, name) => Edit::Same,
                Some(_) => Edit::Moved,
            };
            rows.push(Changed {
                before: Some(spot(self.before, at)),
                after: other.as_ref().map(|other| spot(self.after, other)),
                edit,
                change: Change { before: *ran, after: after.copied().unwrap_or_default() },
            });
            taken.extend(other);
        }
        for (at, ran) in self.functions_after.iter().filter(|(at, _)| !taken.contains(*at)) {
            let change = Change { before: Ran::default(), after: *ran };
            let after = Some(spot(self.after, at));
            rows.push(Changed { before: None, after, edit: Edit::Added, change });
        }
        rows
    }

    fn is_same_place(&self, (file, _, name): &FunctionAt, other: usize, other_name: &str) -> bool {
        let is_same_file = self.map.files[*file].is_some_and(|(pair, _)| pair == other);
        // Up to 3.10 names are not qualified.
        is_same_file
            && (**name == *other_name
                || last_part(name) == &**name && last_part(other_name) == &**name
                || last_part(other_name) == other_name && last_part(name) == other_name)
    }

    /// The function after that one before is, also if it did not run.
    fn function_after(&self, at: &FunctionAt) -> Option<FunctionAt> {
        let (file, line, name) = at;
        let last = last_part(name);
        let source = self.map.before.get(*file);
        if let Some(scope) = source.and_then(|source| source.outline.defined_at(*line, last)) {
            let (other, place) = self.map.scope_after((*file, scope))?;
            let scope = &self.map.after.get(other)?.outline.scopes[place];
            let lines = [scope.first as u32 + 1, scope.header as u32 + 1];
            let ran = |known: &&(u32, Arc<str>)| place == 0 || lines.contains(&known.0);
            let known = self.named(other, &scope.name).iter().find(ran);
            let known = known.cloned().unwrap_or_else(|| (lines[0], scope.qualified.as_str().into()));
            return Some((other, known.0, known.1));
        }
        match self.map.files[*file] {
            // What a file held is not known: functions of one name in their order.
            Some((other, Way::Number)) => {
                let earlier =
                    |key: &&FunctionAt| key.0 == *file && last_part(&key.2) == last && key.1 < *line;
                let place = self.functions.keys().filter(earlier).count();
                self.named(other, last).get(place).map(|(line, name)| (other, *line, name.clone()))
            }
            _ => {
                let (other, line) = self.map.line_after((*file, *line))?;
                let known = self.named(other, last).iter().find(|known| known.0 == line)?;
                Some((other, known.0, known.1.clone()))
            }
        }
    }

    fn named(&self, file: usize, last_part: &str) -> &[(u32, Arc<str>)] {
        self.by_name.get(&(file, last_part.to_owned())).map_or(&[], Vec::as_slice)
    }
}

fn spot(files: &[SideFile], (file, line, name): &FunctionAt) -> Spot {
    Spot::Function(files[*file].name.clone(), *line, name.clone())
}

/// The last part of a qualified name.
fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// What the functions of a side ran.
fn sums((side, files): (Side<'_>, &[SideFile]), filter: &RowFilter, with_comprehensions: bool) -> Functions {
    let places: HashMap<&str, usize> =
        files.iter().enumerate().map(|(place, file)| (&*file.name, place)).collect();
    let comprehensions = with_comprehensions.then(|| Comprehensions::of(&side.tables.instructions));
    let mut functions = Functions::new();
    for row in side.tables.instructions.iter().filter(|row| filter.takes(*row) && row.executions > 0) {
        let Some(file) = places.get(&*row.file) else { continue };
        let outer = comprehensions.as_ref().and_then(|known| known.function_around(row));
        let (line, name) = outer.unwrap_or((row.first_line, &row.function));
        functions.entry((*file, line, name.clone())).or_default().add(Ran::of(row));
    }
    functions
}
