use std::collections::BTreeMap;

use opmeter_recording::{Manifest, Phase, ProcessState};

use super::line_map::LineMap;
use super::side::{Side, SideFile};

/// The variable that makes hashes of texts the same in each run.
const HASH_SEED: &str = "PYTHONHASHSEED";

/// What may make a comparison of two recordings mean something else than it seems to, a sentence each.
pub(crate) fn remarks(
    before: (Side<'_>, &[SideFile]),
    after: (Side<'_>, &[SideFile]),
    map: &LineMap,
) -> Vec<String> {
    let (one, other) = (before.0.manifest, after.0.manifest);
    let mut remarks = Vec::new();
    for (name, manifest) in [("before", one), ("after", other)] {
        remarks.extend(manifest.incomplete.iter().map(|sentence| format!("{name}: {sentence}")));
        if !manifest.complete && manifest.incomplete.is_empty() {
            remarks.push(format!("{name}: the recording is not complete, and does not say what is missing"));
        }
    }
    if one.exit != other.exit {
        remarks.push(format!("the runs ended differently: before {}, after {}", end(one), end(other)));
    } else if one.exit.signal.is_some() || one.exit.code.is_some_and(|code| code != 0) {
        remarks.push(format!("both runs failed ({})", end(one)));
    }
    remarks.extend(other_program(before, after, map));
    remarks.extend(arguments(one, other));
    remarks.extend(processes(one, other));
    remarks.extend(environment(one, other));
    remarks.extend(compiled(before.0, after.0));
    remarks.extend(map.warnings.iter().cloned());
    remarks
}

/// How a run ended.
pub(crate) fn end(manifest: &Manifest) -> String {
    match (manifest.exit.code, manifest.exit.signal) {
        (_, Some(signal)) => format!("by signal {signal}"),
        (Some(code), None) => format!("with status {code}"),
        (None, None) => "in a way that was not recorded".to_owned(),
    }
}

/// Whether the programs have nothing in common.
fn other_program(
    before: (Side<'_>, &[SideFile]),
    after: (Side<'_>, &[SideFile]),
    map: &LineMap,
) -> Option<String> {
    let main = |files: &[SideFile]| files.iter().position(|file| file.facts.is_main);
    let (i, j) = (main(before.1)?, main(after.1)?);
    let (one, other) = (map.before.get(i)?, map.after.get(j)?);
    let content = |source: &super::source::Source| source.content(0..source.lines.len());
    let is_pair = map.files[i].is_some_and(|(pair, _)| pair == j);
    let alike = content(one).similarity(&content(other));
    (alike < 0.1 && (is_pair || map.files[i].is_none())).then(|| {
        format!(
            "these seem to be different programs: {} and {} have next to nothing in common",
            before.1[i].name, after.1[j].name
        )
    })
}

fn arguments(one: &Manifest, other: &Manifest) -> Option<String> {
    // What comes before is the interpreter and the program's place.
    let arguments = |manifest: &Manifest| {
        let all = &manifest.processes.first().map_or(&manifest.command, |process| &process.arguments)[..];
        let script = all.iter().position(|word| word.ends_with(".py"));
        let module = all.iter().position(|word| word == "-m").map(|place| place + 1);
        let start = script.into_iter().chain(module).min()?;
        Some(all.get(start + 1..).unwrap_or_default().to_vec())
    };
    let (one, other) = (arguments(one)?, arguments(other)?);
    (one != other).then(|| {
        let shown = |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(" ") };
        format!("the programs were given different arguments: before {}, after {}", shown(one), shown(other))
    })
}

fn processes(one: &Manifest, other: &Manifest) -> Option<String> {
    let metered = |manifest: &Manifest| {
        manifest.processes.iter().filter(|process| process.state == ProcessState::Metered).count()
    };
    let (one, other) = (metered(one), metered(other));
    (one != other).then(|| format!("there are {one} metered processes before, {other} after"))
}

/// Variables that steer CPython and differ.
fn environment(one: &Manifest, other: &Manifest) -> Vec<String> {
    let (Some(one), Some(other)) = (&one.environment, &other.environment) else { return Vec::new() };
    let shown = |variables: &BTreeMap<String, String>, name: &str| {
        variables.get(name).map_or("not set".to_owned(), |value| format!("{value:?}"))
    };
    let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differing = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    differing
        .map(|name| format!("{name} differs: before {}, after {}", shown(one, name), shown(other, name)))
        .collect()
}

/// Whether hashes of texts were other ones in each run, so that sets may have been gone through in another order.
pub(crate) fn has_random_hashes(manifest: &Manifest) -> bool {
    let Some(variables) = &manifest.environment else { return false };
    variables.get(HASH_SEED).is_none_or(|seed| seed == "random" || seed.is_empty())
}

/// What to say where modules were compiled in one run and read from the cache in the other.
fn compiled(before: Side<'_>, after: Side<'_>) -> Option<String> {
    let (one, other) = (modules_compiled(before), modules_compiled(after));
    (one != other).then(|| {
        format!(
            "modules that were compiled, not read from __pycache__: {one} before, {other} after; what compiling them \
             ran is counted: run the program once before it is recorded"
        )
    })
}

/// How many modules the program compiled when it imported them.
fn modules_compiled(side: Side<'_>) -> u64 {
    // The first instruction of each code object; it is there once for each phase.
    let mut first: BTreeMap<(u32, u32), (u32, u64)> = BTreeMap::new();
    let is_compiler = |row: &&opmeter_recording::InstructionRow| {
        row.phase == Phase::Main
            && row.function.ends_with("source_to_code")
            && row.file.contains("importlib")
            && row.file.contains("_bootstrap_external")
    };
    for row in side.tables.instructions.iter().filter(is_compiler) {
        let found = first.entry((row.process, row.code)).or_insert((row.offset, row.executions));
        if row.offset < found.0 {
            *found = (row.offset, row.executions);
        }
    }
    first.values().map(|(_, executions)| executions).sum()
}
