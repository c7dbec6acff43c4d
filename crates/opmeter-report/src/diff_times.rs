use std::io::{self, Write};

use opmeter_analysis::{Ran, TimeSum};

use crate::diff_report::DiffPage;
use crate::diff_rows::{ShownRow, ShownTable};
use crate::grid::{Column, Grid, Row};
use crate::number::{counted, grouped};
use crate::terminal_text::wrapped;

/// A change of an estimate says something where it is more than so many times its standard error.
pub(crate) const TIMES_ERROR: f64 = 2.0;

/// Writes what a table's rows took in both recordings, where both took times: those whose estimates differ by more than
/// their errors.
pub(crate) fn write_times(
    page: &DiffPage<'_>,
    table: &ShownTable<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let comparison = page.comparison;
    let is_timed = |ran: &Ran| ran.time.is_some();
    if !is_timed(&comparison.total.before) || !is_timed(&comparison.total.after) {
        return Ok(());
    }
    let (one, many) = table.nouns;
    let mut timed: Vec<(&ShownRow<'_>, i128, f64)> = table
        .rows
        .iter()
        .filter_map(|row| row.change.net_cycles().map(|(change, error)| (row, change, error)))
        .collect();
    let all = timed.len();
    timed.retain(|(_, change, error)| change.unsigned_abs() as f64 > TIMES_ERROR * error);
    timed.sort_by_key(|(_, change, _)| std::cmp::Reverse(change.unsigned_abs()));
    let within = all - timed.len();
    let unknown = table.rows.len() - all;
    writeln!(out)?;
    if timed.is_empty() {
        let untimed = if unknown > 0 {
            format!(", and {} ran too seldom to be timed", counted(unknown, one, many))
        } else {
            String::new()
        };
        let text =
            format!("No {one} took longer or shorter beyond twice the error of its estimate{untimed}.");
        return writeln!(out, "{}", wrapped(text.split(' '), " ", page.columns).join("\n"));
    }
    let heading = format!("Time of {many}, estimated");
    writeln!(out, "{}", page.style.heading(&heading))?;
    let mut columns = vec![table.places[0]];
    columns.extend(["net Mcycles", "after", "change", "±", "raw cycles each", "after"].map(Column::number));
    let rows = timed.iter().take(page.top).map(|(row, change, error)| {
        let (before, after) = row.change.times().unwrap_or_default();
        let cells = vec![
            row.place[0].clone(),
            mega(before.cycles_net),
            mega(after.cycles_net),
            signed_mega(*change),
            mega(error.round() as u128),
            raw_each(&before),
            raw_each(&after),
        ];
        Row { cells, bar: 0.0 }
    });
    let rows: Vec<Row> = rows.collect();
    Grid { columns, bars: false }.write(out, &rows, page.columns, page.style)?;
    let mut remarks = Vec::new();
    if timed.len() > page.top {
        remarks.push(format!(
            "… {}",
            counted(timed.len() - page.top, &format!("more {one}"), &format!("more {many}"))
        ));
    }
    if within > 0 {
        remarks.push(format!("{}: no difference beyond twice the error", counted(within, one, many)));
    }
    if unknown > 0 {
        remarks.push(format!("{}: too few executions to be timed in both", counted(unknown, one, many)));
    }
    if !remarks.is_empty() {
        writeln!(out, "{}", page.style.faint(&remarks.join(" · ")))?;
    }
    Ok(())
}

/// Cycles in millions, to a thousand: `1,234.567`.
pub(crate) fn mega(cycles: u128) -> String {
    let thousands = (cycles + 500) / 1000;
    format!("{}.{:03}", grouped(thousands / 1000), thousands % 1000)
}

/// As [`mega`], with its sign.
pub(crate) fn signed_mega(cycles: i128) -> String {
    let sign = if cycles < 0 { "-" } else { "+" };
    sign.to_owned() + &mega(cycles.unsigned_abs())
}

/// What an execution that was timed took with the probe's cost: measured, but in no relation to how many were timed.
pub(crate) fn raw_each(time: &TimeSum) -> String {
    if time.timed_executions == 0 {
        return String::new();
    }
    format!("{:.1}", time.cycles_raw as f64 / time.timed_executions as f64)
}
