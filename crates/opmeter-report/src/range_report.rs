use std::io::{self, Write};

use crate::Style;
use crate::grid::{Column, Grid, Row};
use crate::number::grouped;
use crate::terminal_text::visible;

/// Widest a report gets, in columns of the terminal.
const ROOM: usize = 100;

/// What was found of a template's sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeRow {
    /// The template's file name.
    pub template: String,
    /// The smallest n that runs.
    pub smallest: Option<u64>,
    /// The largest n within the target time.
    pub largest: Option<u64>,
    /// The time of its run in seconds.
    pub seconds: Option<f64>,
    /// The target time in seconds.
    pub target: f64,
    /// What stopped the search for the largest n.
    pub stopped_by: String,
    /// What else is to be known, a sentence each.
    pub remarks: Vec<String>,
}

/// Writes a table of ranges, and the remarks below it.
///
/// # Errors
/// Those of `out`.
pub fn write_ranges(rows: &[RangeRow], out: &mut dyn Write, style: Style) -> io::Result<()> {
    let columns = vec![
        Column::name("template", 16),
        Column::number("smallest n"),
        Column::number("largest n"),
        Column::number("seconds"),
        Column::number("target %"),
        Column::name("stopped by", 8),
    ];
    let size = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| grouped(n.into()));
    let cells = rows.iter().map(|row| {
        let seconds = row.seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.3}"));
        let part = row.seconds.map(|seconds| seconds / row.target * 100.0);
        let part = part.map_or_else(|| "-".to_owned(), |part| format!("{part:.1}"));
        let (smallest, largest) = (size(row.smallest), size(row.largest));
        let cells = vec![visible(&row.template), smallest, largest, seconds, part, row.stopped_by.clone()];
        Row { cells, bar: 0.0 }
    });
    Grid { columns, bars: false }.write(out, &cells.collect::<Vec<_>>(), ROOM, style)?;
    for (place, row) in rows.iter().filter(|row| !row.remarks.is_empty()).enumerate() {
        if place == 0 {
            writeln!(out)?;
        }
        for remark in &row.remarks {
            let text = visible(&format!("{}: {remark}", row.template));
            for line in textwrap::wrap(&text, textwrap::Options::new(ROOM).subsequent_indent("    ")) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_aligned_and_fit_100_columns() {
        let row = |template: &str, largest, remarks: Vec<String>| RangeRow {
            template: template.to_owned(),
            smallest: Some(1),
            largest,
            seconds: largest.map(|_| 0.975),
            target: 1.0,
            stopped_by: "reached target".to_owned(),
            remarks,
        };
        let remark = "it is remarkable ".repeat(20) + &"x".repeat(150);
        let rows = [row("sorting.py", Some(81_920), vec![]), row(&"long-".repeat(30), None, vec![remark])];
        let mut out = Vec::new();
        write_ranges(&rows, &mut out, Style::PLAIN).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.contains("     81,920    0.975      97.5  reached target\n"), "{text}");
        assert!(text.contains("          -        -         -  reached target\n"), "{text}");
    }
}
