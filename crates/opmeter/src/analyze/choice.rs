use glob::Pattern;
use opmeter_corpus::CollectedResult;

use super::AnalyzeArgs;
use crate::error::Failure;

/// So many of what there is are named where nothing fits.
const NAMED: usize = 8;

/// The results that the arguments ask for.
///
/// # Errors
/// When a pattern is none; or none fits: by which option, and what there is.
pub(super) fn chosen(
    mut results: Vec<CollectedResult>,
    args: &AnalyzeArgs,
) -> Result<Vec<CollectedResult>, Failure> {
    if let Some(text) = &args.program {
        let pattern = Pattern::new(text).map_err(|error| {
            Failure::wrong(format_args!("--program {text:?} is no pattern: {}", error.msg))
        })?;
        let fits = |result: &CollectedResult| pattern.matches(&result.program());
        results = kept(results, fits, ("--program", text), CollectedResult::program)?;
    }
    if let Some(python) = &args.python {
        let fits = |result: &CollectedResult| result.is_on(python);
        results = kept(results, fits, ("--python", python), CollectedResult::interpreter)?;
    }
    if let Some(machine) = &args.machine {
        let name = |result: &CollectedResult| result.manifest.machine.hostname.clone();
        results = kept(results, |result| name(result) == *machine, ("--machine", machine), name)?;
    }
    Ok(results)
}

/// Those that fit; where none does, what there is besides.
fn kept(
    mut results: Vec<CollectedResult>,
    fits: impl Fn(&CollectedResult) -> bool,
    (option, value): (&str, &str),
    name: impl Fn(&CollectedResult) -> String,
) -> Result<Vec<CollectedResult>, Failure> {
    let mut names: Vec<String> = results.iter().map(name).collect();
    let was_empty = results.is_empty();
    results.retain(fits);
    if was_empty || !results.is_empty() {
        return Ok(results);
    }
    names.iter_mut().filter(|name| name.is_empty()).for_each(|name| *name = "(not known)".to_owned());
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(Failure::not_done(format_args!(
        "no result fits {option} {value:?}; there is {}{more}",
        names.join(", ")
    )))
}
