use std::io::{self, Write};

use opmeter_analysis::{MixEntry, OpcodeMix, Terms};

use crate::Style;
use crate::number::{counted, grouped, percent};
use crate::terminal_text::{left, right, visible, width};

const SHARE: &str = "share %";
const CUMULATIVE: &str = "cumulative %";
const EXECUTIONS: &str = "executions";
const BASE: &str = "base opcode";
const GAP: &str = "  ";
/// The bars' widest and narrowest column.
const BAR: (usize, usize) = (20, 4);
/// The narrowest that names are cut to: opcodes first, since a combined opcode's end is its base too.
const NARROWEST_OPCODE: usize = 24;
const NARROWEST_BASE: usize = 14;

/// The widths of a table's columns; `base` and `bar` are 0 where the table has no such column.
#[derive(Debug, PartialEq, Eq)]
struct Widths {
    opcode: usize,
    base: usize,
    executions: usize,
    bar: usize,
}

impl Widths {
    /// Fits columns of these natural widths into a terminal's.
    fn fitted(columns: usize, mut opcode: usize, mut base: usize, executions: usize) -> Widths {
        let gaps = GAP.len() * if base > 0 { 5 } else { 4 };
        let numbers = executions + SHARE.len() + CUMULATIVE.len() + gaps;
        let room = columns.saturating_sub(numbers);
        let mut excess = (opcode + base + BAR.1).saturating_sub(room);
        let narrower = excess.min(opcode.saturating_sub(NARROWEST_OPCODE));
        opcode -= narrower;
        excess -= narrower;
        let narrower = excess.min(base.saturating_sub(NARROWEST_BASE));
        base -= narrower;
        let bar = room.saturating_sub(opcode + base).min(BAR.0);
        Widths { opcode, base, executions, bar: if bar < BAR.1 { 0 } else { bar } }
    }

    fn of(entries: &[MixEntry], opcode_name: &str, columns: usize) -> Widths {
        let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or(0);
        let opcode = widest(&mut entries.iter().map(|entry| width(&visible(&entry.opcode))));
        let base = widest(&mut entries.iter().filter_map(|entry| Some(width(entry.base_opcode.as_ref()?))));
        let executions = widest(&mut entries.iter().map(|entry| grouped(entry.executions).len()));
        let base = if base == 0 { 0 } else { base.max(BASE.len()) };
        Widths::fitted(columns, opcode.max(opcode_name.len()), base, executions.max(EXECUTIONS.len()))
    }
}

/// Writes a mix as a table of at most `columns` columns, the first `top` opcodes only if given, and a line
/// about the rest.
pub(crate) fn write_table(
    out: &mut dyn Write,
    mix: &OpcodeMix,
    top: Option<usize>,
    columns: usize,
    style: Style,
) -> io::Result<()> {
    if mix.entries.is_empty() {
        return writeln!(out, "No executions were counted.");
    }
    let (shown, rest) = mix.entries.split_at(top.unwrap_or(usize::MAX).min(mix.entries.len()));
    if !shown.is_empty() {
        let opcode_name = match mix.terms {
            Terms::AsExecuted => "opcode",
            Terms::Base => BASE,
        };
        let widths = Widths::of(shown, opcode_name, columns);
        let mut names = left(opcode_name, widths.opcode);
        if widths.base > 0 {
            names = names + GAP + &left(BASE, widths.base);
        }
        let executions = right(EXECUTIONS, widths.executions);
        let line = [names.as_str(), &executions, SHARE, CUMULATIVE].join(GAP);
        writeln!(out, "{}", style.heading(&line))?;
        let most = shown[0].executions;
        for entry in shown {
            writeln!(out, "{}", line_of(entry, &widths, most, style))?;
        }
    }
    if !rest.is_empty() {
        // Summed from whole numbers: shares are rounded.
        let executions: u128 = rest.iter().map(|entry| entry.executions).sum();
        let share = executions as f64 / mix.executions as f64;
        let opcodes = counted(rest.len(), "more opcode", "more opcodes");
        let noun = if executions == 1 { "execution" } else { "executions" };
        let line = format!("… {opcodes}, {} {noun} ({} %)", grouped(executions), percent(share));
        writeln!(out, "{}", style.faint(&line))?;
    }
    Ok(())
}

/// A row of the table; `most` is the executions of the longest bar.
fn line_of(entry: &MixEntry, widths: &Widths, most: u128, style: Style) -> String {
    let mut line = left(&visible(&entry.opcode), widths.opcode);
    if widths.base > 0 {
        let base = visible(entry.base_opcode.as_deref().unwrap_or_default());
        line = line + GAP + &style.faint(&left(&base, widths.base));
    }
    for (text, columns) in [
        (grouped(entry.executions), widths.executions),
        (percent(entry.share), SHARE.len()),
        (percent(entry.cumulative_share), CUMULATIVE.len()),
    ] {
        line = line + GAP + &right(&text, columns);
    }
    let bar = bar(entry.executions as f64 / most as f64, widths.bar);
    if !bar.is_empty() {
        line = line + GAP + &style.bar(&bar);
    }
    line
}

/// A bar of `part` (0 to 1) of `columns`, to an eighth of a column.
fn bar(part: f64, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part * (columns * 8) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_eighths_of_a_column() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 5), "██▌");
        assert_eq!(bar(0.0, 5), "");
        assert_eq!(bar(1.0, 0), "");
    }

    #[test]
    fn columns_fit_a_terminal() {
        for (opcode, base, executions) in [(10, 0, 10), (37, 17, 13), (45, 25, 26), (60, 40, 10)] {
            let widths = Widths::fitted(100, opcode, base, executions);
            let gaps = GAP.len() * if base > 0 { 5 } else { 4 };
            let numbers = widths.executions + SHARE.len() + CUMULATIVE.len();
            let all = widths.opcode + widths.base + numbers + gaps + widths.bar;
            assert!(all <= 100, "{widths:?}");
            assert!(widths.bar == 0 || widths.bar >= BAR.1, "{widths:?}");
        }
        // Names are cut only when the bar can give no more.
        let widths = Widths::fitted(100, 37, 17, 13);
        assert_eq!(widths, Widths { opcode: 37, base: 17, executions: 13, bar: 4 });
    }
}
