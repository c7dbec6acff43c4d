use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};

use super::Profile;
use super::profile::Function;
use crate::terminal_text::visible;

/// Writes line coverage in the format of LCOV, as `geninfo` does: for each file its functions, how often
/// they were called, and how often its lines were entered. What has no file is left out: code from texts,
/// and the modules frozen into the interpreter.
///
/// # Errors
/// Whatever `out` gives, unchanged.
pub fn write_lcov(profile: &Profile<'_>, out: &mut dyn Write) -> io::Result<()> {
    let paths = profile.paths();
    let mut lines: BTreeMap<&str, BTreeMap<u32, u128>> = BTreeMap::new();
    for row in profile.lines.iter().filter(|row| row.line > 0) {
        *lines.entry(&row.file).or_default().entry(row.line).or_default() += u128::from(row.hits);
    }
    let mut functions: BTreeMap<&str, Vec<(u32, String, u128)>> = BTreeMap::new();
    let calls = calls(profile);
    for (function, name) in profile.function_names() {
        let calls = calls.get(&function).copied().unwrap_or(0);
        functions.entry(function.file).or_default().push((function.first_line, name, calls));
    }
    let mut out = BufWriter::new(out);
    for (file, lines) in &lines {
        let path = paths.get(file).copied();
        if path.is_none() && (file.is_empty() || file.starts_with('<')) {
            continue;
        }
        let path = visible(path.unwrap_or(file));
        writeln!(out, "TN:")?;
        writeln!(out, "SF:{path}")?;
        let functions = functions.get(file).map(Vec::as_slice).unwrap_or_default();
        for (first_line, name, _) in functions {
            writeln!(out, "FN:{first_line},{name}")?;
        }
        for (_, name, calls) in functions {
            writeln!(out, "FNDA:{calls},{name}")?;
        }
        writeln!(out, "FNF:{}", functions.len())?;
        writeln!(out, "FNH:{}", functions.iter().filter(|(.., calls)| *calls > 0).count())?;
        for (line, hits) in lines {
            writeln!(out, "DA:{line},{hits}")?;
        }
        writeln!(out, "LF:{}", lines.len())?;
        writeln!(out, "LH:{}", lines.values().filter(|hits| **hits > 0).count())?;
        writeln!(out, "end_of_record")?;
    }
    out.flush()
}

/// How often each function was entered: executions of the first instruction of its code objects.
fn calls<'a>(profile: &Profile<'a>) -> HashMap<Function<'a>, u128> {
    let mut first: HashMap<(u32, u32), u32> = HashMap::new();
    for row in profile.instructions {
        let offset = first.entry((row.process, row.code)).or_insert(row.offset);
        *offset = row.offset.min(*offset);
    }
    let mut calls = HashMap::new();
    for row in profile.instructions {
        if first.get(&(row.process, row.code)) == Some(&row.offset) {
            *calls.entry(Function::of(row)).or_default() += u128::from(row.executions);
        }
    }
    calls
}
