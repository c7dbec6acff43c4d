//! Which counters are read, and what is said of those that can't be.

use opmeter_energy::{Declared, Found, Meter, Refusal, Sysfs, best, sources};

use super::gauge::GaugeArgs;
use crate::error::Failure;

/// A meter for the source that was asked for, or the best there is; and what of that source can't be measured, a
/// sentence each.
///
/// # Errors
/// When there is none that can be read, with what was tried and how to allow it.
pub fn choose(args: &GaugeArgs, sysfs: &Sysfs) -> Result<(Meter, Vec<String>), Failure> {
    if let Some(watts) = args.watts {
        return Ok((Meter::new(Box::new(Declared::new(watts))), Vec::new()));
    }
    let mut found = sources(sysfs);
    if let Some(asked) = args.source {
        found.retain(|found| found.name == asked.name());
    }
    let tried: Vec<String> = found.iter().flat_map(lines).collect();
    let Some(Found { source: Some(source), refused, name }) = best(found) else {
        return Err(Failure::not_done(format_args!(
            "no energy counter can be read here, so nothing was run:\n{}\nWhere there are none, --watts W estimates \
             the energy from a constant power of W watts.",
            tried.join("\n")
        )));
    };
    let meter = Meter::new(source);
    let (still, moving): (Vec<usize>, Vec<usize>) =
        (0..meter.source().domains().len()).partition(|domain| meter.period(*domain).is_none());
    let names: Vec<String> =
        still.iter().map(|domain| meter.source().domains()[*domain].to_string()).collect();
    if moving.is_empty() {
        return Err(Failure::not_done(format_args!(
            "no counter of {name} moves ({}), so nothing was run; they may be switched off, or frozen copies; choose \
             another --source, or --watts W for an estimate",
            names.join(", ")
        )));
    }
    let mut missing: Vec<String> = refused.iter().map(sentence).collect();
    let stands =
        |name| format!("{name} stands still: its counter did not move before the runs, so it has no joules");
    missing.extend(names.into_iter().map(stands));
    Ok((meter, missing))
}

/// What can be read here, and what can't, source by source: `(name, text)`.
pub fn describe(sysfs: &Sysfs) -> Vec<(String, String)> {
    let mut described = Vec::new();
    for found in sources(sysfs) {
        let name = format!("energy, {}", found.name);
        if let Some(source) = &found.source {
            let domains: Vec<String> = source.domains().iter().map(ToString::to_string).collect();
            described.push((name.clone(), format!("reads {}", domains.join(", "))));
        }
        for Refusal { problem, remedy } in found.refused {
            described.push((name.clone(), problem));
            described.extend(remedy.map(|remedy| (String::new(), format!("to allow it: {remedy}"))));
        }
    }
    described
}

/// What a source can't read, for an error.
fn lines(found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    for Refusal { problem, remedy } in &found.refused {
        lines.push(format!("  {}: {problem}", found.name));
        lines.extend(remedy.iter().map(|remedy| format!("    to allow it: {remedy}")));
    }
    lines
}

fn sentence(Refusal { problem, remedy }: &Refusal) -> String {
    let remedy = remedy.as_ref().map_or(String::new(), |remedy| format!("; to allow it: {remedy}"));
    format!("{problem}, so it has no joules{remedy}")
}
