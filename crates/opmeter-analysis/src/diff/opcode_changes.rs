use std::collections::BTreeMap;

use opmeter_opcodes::Family;

use super::side::Side;
use super::{Change, Changed, Edit};
use crate::{Ran, RowFilter, Terms};

/// What the opcodes of two recordings ran, by name: of all that a filter takes, or of the files that are taken alone.
pub(crate) fn opcode_changes(
    before: Side<'_>,
    after: Side<'_>,
    filter: &RowFilter,
    terms: Terms,
    by_file: bool,
) -> Vec<Changed<String>> {
    let sums = |side: Side<'_>| match (by_file, terms) {
        (true, _) => sums_of_files(side, filter),
        (false, Terms::Base) => sums(side, filter, |row| &row.base_opcode),
        (false, Terms::AsExecuted) => sums(side, filter, |row| &row.opcode),
    };
    changes(sums(before), sums(after))
}

/// What the families of the opcodes of two recordings ran.
pub(crate) fn family_changes(
    before: Side<'_>,
    after: Side<'_>,
    filter: &RowFilter,
    by_file: bool,
) -> Vec<Changed<String>> {
    let families = |side: Side<'_>| {
        let opcodes =
            if by_file { sums_of_files(side, filter) } else { sums(side, filter, |row| &row.base_opcode) };
        let mut families: BTreeMap<String, Ran> = BTreeMap::new();
        for (opcode, ran) in opcodes {
            families.entry(Family::of(&opcode).to_string()).or_default().add(ran);
        }
        families
    };
    changes(families(before), families(after))
}

fn sums(
    side: Side<'_>,
    filter: &RowFilter,
    name: impl Fn(&opmeter_recording::OpcodeRow) -> &String,
) -> BTreeMap<String, Ran> {
    let mut sums: BTreeMap<String, Ran> = BTreeMap::new();
    for row in side.tables.opcodes.iter().filter(|row| filter.takes(*row)) {
        sums.entry(name(row).clone()).or_default().add(Ran::of(row));
    }
    sums
}

fn sums_of_files(side: Side<'_>, filter: &RowFilter) -> BTreeMap<String, Ran> {
    let mut sums: BTreeMap<&str, Ran> = BTreeMap::new();
    for row in &side.tables.instructions {
        if filter.takes(row) && side.files.takes(&row.file) {
            sums.entry(&row.opcode).or_default().add(Ran::of(row));
        }
    }
    sums.into_iter().map(|(name, ran)| (name.to_owned(), ran)).collect()
}

fn changes(before: BTreeMap<String, Ran>, mut after: BTreeMap<String, Ran>) -> Vec<Changed<String>> {
    let mut rows = Vec::new();
    for (name, ran) in before {
        let other = after.remove(&name).unwrap_or_default();
        rows.push((name, Change { before: ran, after: other }));
    }
    rows.extend(after.into_iter().map(|(name, ran)| (name, Change { before: Ran::default(), after: ran })));
    let changed = |(name, change): (String, Change)| {
        let ran = [change.before, change.after].map(|ran| ran.executions > 0);
        let [before, after] = ran.map(|ran| ran.then(|| name.clone()));
        let edit = match ran {
            [false, true] => Edit::Added,
            [true, false] => Edit::Removed,
            _ => Edit::Same,
        };
        Changed { before, after, edit, change }
    };
    rows.into_iter().map(changed).collect()
}
