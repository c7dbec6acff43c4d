use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};

use super::Profile;
use super::profile::Function;
use crate::terminal_text::{command_line, visible};

/// Writes a profile in the format of Callgrind, which KCachegrind opens: the executions of each
/// instruction of each function. There are no calls in it.
///
/// # Errors
/// Whatever `out` gives, unchanged.
pub fn write_callgrind(profile: &Profile<'_>, out: &mut dyn Write) -> io::Result<()> {
    let paths = profile.paths();
    let functions = profile.function_names();
    // By offset and line.
    let mut costs: BTreeMap<Function<'_>, BTreeMap<(u32, u32), u128>> = BTreeMap::new();
    let mut total = 0;
    for row in profile.instructions.iter().filter(|row| row.executions > 0) {
        let executions = u128::from(row.executions);
        *costs.entry(Function::of(row)).or_default().entry((row.offset, row.line)).or_default() += executions;
        total += executions;
    }
    let mut out = BufWriter::new(out);
    writeln!(out, "# callgrind format")?;
    writeln!(out, "version: 1")?;
    writeln!(out, "creator: opmeter {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "cmd: {}", command_line(profile.command))?;
    writeln!(out, "positions: instr line")?;
    writeln!(out, "event: Ir : Executed bytecode instructions")?;
    writeln!(out, "events: Ir")?;
    writeln!(out, "summary: {total}")?;
    let mut numbers = Numbers::default();
    let mut file = None;
    for (function, costs) in &costs {
        writeln!(out)?;
        if file != Some(function.file) {
            file = Some(function.file);
            let path = paths.get(function.file).copied().unwrap_or(function.file);
            let path = if path.is_empty() { "???".to_owned() } else { visible(path) };
            writeln!(out, "fl={}", numbers.files.compressed(path))?;
        }
        let name = functions.get(function).map(String::as_str).filter(|name| !name.is_empty());
        writeln!(out, "fn={}", numbers.functions.compressed(name.unwrap_or("???").to_owned()))?;
        for ((offset, line), executions) in costs {
            writeln!(out, "{offset:#x} {line} {executions}")?;
        }
    }
    writeln!(out, "\ntotals: {total}")?;
    out.flush()
}

/// The numbers that stand for names.
#[derive(Default)]
struct Numbers {
    files: Names,
    functions: Names,
}

#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    /// A name with its number where it is new, or else its number.
    fn compressed(&mut self, name: String) -> String {
        let next = self.0.len() + 1;
        if let Some(number) = self.0.get(&name) {
            return format!("({number})");
        }
        let text = format!("({next}) {name}");
        self.0.insert(name, next);
        text
    }
}
