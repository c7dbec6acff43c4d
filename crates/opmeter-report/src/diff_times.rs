use std::io::{self, Write};

use opmeter_analysis::TimeSum;

use crate::diff_report::{DiffPage, ShownRow, ShownTable};
use crate::grid::{Column, Grid, Row};
use crate::number::{counted, significant};

/// A change of an estimate says something where it is more than so many times its standard error.
const TIMES_ERROR: f64 = 2.0;

/// Writes what a table's rows took in both recordings, where both took times: those whose estimates differ by more than
/// their errors.
pub(crate) fn write_times(page: &DiffPage<'_>, table: &ShownTable, out: &mut dyn Write) -> io::Result<()> {
    let comparison = page.comparison;
    if comparison.total.times().is_none() {
        return Ok(());
    }
    let (one, many) = table.nouns;
    let mut timed: Vec<(&ShownRow, i128, f64)> = table
        .rows
        .iter()
        .filter_map(|row| row.change.net_cycles().map(|(change, error)| (row, change, error)))
        .collect();
    let all = timed.len();
    timed.retain(|(_, change, error)| change.unsigned_abs() as f64 > TIMES_ERROR * error);
    timed.sort_by_key(|(_, change, _)| std::cmp::Reverse(change.unsigned_abs()));
    let within = all - timed.len();
    writeln!(out)?;
    if timed.is_empty() {
        return writeln!(
            out,
            "No {one} took longer or shorter, as far as times tell: all estimates are within twice their error."
        );
    }
    let heading = format!("Time of {many}, estimated");
    writeln!(out, "{}", page.style.heading(&heading))?;
    let mut columns = vec![table.places[0]];
    columns.extend(
        ["net Mcycles before", "after", "change", "±", "raw each before", "after"].map(Column::number),
    );
    let rows = timed.iter().take(page.top).map(|(row, change, error)| {
        let (before, after) = row.change.times().unwrap_or_default();
        let like = (*change as f64 / 1e6).abs().max(*error / 1e6);
        let cells = vec![
            row.place[0].clone(),
            mega(before.cycles_net, like),
            mega(after.cycles_net, like),
            signed_mega(*change, like),
            significant(*error / 1e6, like),
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
    if !remarks.is_empty() {
        writeln!(out, "{}", page.style.faint(&remarks.join(" · ")))?;
    }
    Ok(())
}

fn mega(cycles: u128, like: f64) -> String {
    significant(cycles as f64 / 1e6, like)
}

fn signed_mega(cycles: i128, like: f64) -> String {
    let text = significant(cycles as f64 / 1e6, like);
    if cycles > 0 { format!("+{text}") } else { text }
}

/// What an execution that was timed took with the probe's cost: measured, but in no relation to how many were timed.
fn raw_each(time: &TimeSum) -> String {
    if time.timed_executions == 0 {
        return String::new();
    }
    format!("{:.1}", time.cycles_raw as f64 / time.timed_executions as f64)
}
