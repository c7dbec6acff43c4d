use std::cmp::Reverse;

use maud::{Markup, html};
use opmeter_analysis::{Change, Spot};

use super::aligned_data::AlignedFiles;
use super::graphic::change_bar;
use super::table::{Cell, Column, ESTIMATED, Table, legend_of_estimates, rest};
use crate::diff_rows::{ShownRow, ShownTable};
use crate::diff_times::{TIMES_ERROR, mega, raw_each, signed_mega};
use crate::number::{counted, grouped, signed, signed_percent};
use crate::terminal_text::cut;

/// The rows of a table; the source view has all others.
const MOST_ROWS: usize = 500;

/// The columns of a source's text that a row shows.
const TEXT: usize = 60;

/// What is there after, and was not before, in place of a percentage.
const NEW: &str = "new";

/// A table of what changed: those rows whose executions did, and where both recordings have `timed` executions, those
/// that take longer or shorter by more than the errors of the estimates.
pub(crate) fn change_table(table: &ShownTable<'_>, timed: bool, files: &AlignedFiles<'_>) -> Markup {
    let (one, many) = table.nouns;
    let takes_other_time = |change: &Change| timed && is_beyond_error(change);
    let (mut changed, same): (Vec<&ShownRow<'_>>, Vec<&ShownRow<'_>>) =
        table.rows.iter().partition(|row| row.change.size() > 0 || takes_other_time(&row.change));
    // They are sorted by their executions; among those that ran as often it is their times that tell.
    let by_time = timed && changed.iter().all(|row| row.change.size() == 0);
    changed.sort_by_key(|row| Reverse(size(&row.change, timed)));
    let (shown, hidden) = changed.split_at(MOST_ROWS.min(changed.len()));
    let most = shown.iter().map(|row| row.change.size()).max().unwrap_or(0).max(1) as f64;
    let mut notes = Vec::new();
    let sum: i128 = hidden.iter().map(|row| row.change.executions()).sum();
    notes.extend(rest(
        hidden.len(),
        (&format!("{one} that changed"), &format!("{many} that changed")),
        &format!("{} executions", signed(sum)),
    ));
    if !same.is_empty() {
        let as_before = if timed {
            "ran as often as before, and no longer or shorter beyond twice the error"
        } else {
            "ran as often as before"
        };
        notes.push(format!("{} {as_before}", counted(same.len(), one, many)));
    }
    if table.rows.is_empty() {
        notes.push(format!("No {many} ran."));
    }
    let rows = shown.iter().map(|row| cells(row, table, timed, most, files));
    let table = Table {
        id: format!("{many}-changed"),
        caption: format!("{} that changed", capitalised(many)),
        columns: columns(table, timed, by_time),
        rows: rows.collect(),
        filter: Some((one, many)),
        note: (!notes.is_empty()).then(|| notes.join(" · ")),
    };
    if table.rows.is_empty() {
        return html! { h3 { (table.caption) } p { "No " (one) " changed. " (table.note.unwrap_or_default()) } };
    }
    table.markup()
}

/// What tells readers how to read the times.
pub(crate) fn legend() -> Markup {
    html! {
        (legend_of_estimates())
        p.note {
            "Net times are in millions of cycles of the time-stamp counter. Changes that are not beyond twice their "
            "error are " span.within { "grey" } ": they say nothing. Raw cycles are the mean of the executions that "
            "were timed, what measuring cost included."
        }
    }
}

/// By how much it changed: in executions; where there are as many as before, in net cycles.
fn size(change: &Change, timed: bool) -> (u128, Option<u128>) {
    let net = change.net_cycles().filter(|_| timed && change.size() == 0);
    (change.size(), net.map(|(net, _)| net.unsigned_abs()))
}

/// Whether its time changed by more than the estimates' errors explain.
fn is_beyond_error(change: &Change) -> bool {
    change.net_cycles().is_some_and(|(net, error)| net.unsigned_abs() as f64 > TIMES_ERROR * error)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn columns(table: &ShownTable<'_>, timed: bool, by_time: bool) -> Vec<Column> {
    let sorted = |column: Column, is_sorted: bool| if is_sorted { column.sorted() } else { column };
    let mut columns: Vec<Column> = table.places.iter().map(|column| Column::name(column.heading())).collect();
    columns.extend([
        Column::number("executions before"),
        Column::number("after"),
        sorted(Column::number("change").by_size(), !by_time),
        Column::number("change %").by_size().about("Of the executions before."),
        Column::picture("shrank · grew"),
    ]);
    if timed {
        columns.extend([
            Column::number("net Mcycles before").estimated(),
            Column::number("after").estimated(),
            sorted(Column::number("change").by_size().estimated().about("Estimated."), by_time),
            Column::number("±").error().about("The standard error of the change, in millions of cycles."),
            Column::number("raw cycles each before").about("Measured, what measuring cost included."),
            Column::number("after").about("Measured, what measuring cost included."),
        ]);
    }
    columns.extend(table.details.iter().map(|column| match column.heading() {
        "edit" => Column::text("edit").choice().about("What became of it."),
        heading => Column::name(heading),
    }));
    columns
}

fn cells(
    row: &ShownRow<'_>,
    table: &ShownTable<'_>,
    timed: bool,
    most: f64,
    files: &AlignedFiles<'_>,
) -> Vec<Cell> {
    let change = &row.change;
    let link = files.link(row.spots);
    let mut cells: Vec<Cell> = row.place.iter().cloned().map(Cell::Text).collect();
    // Functions are known by their names, all else by its place.
    let linked = usize::from(row.spots.iter().flatten().any(|spot| matches!(spot, Spot::Function(..))));
    if let (Some(link), Some(Cell::Text(text))) = (link, cells.get(linked)) {
        cells[linked] = Cell::Link(link, text.clone());
    }
    cells.extend([
        grouped(change.before.executions).into(),
        grouped(change.after.executions).into(),
        signed(change.executions()).into(),
        change.percent().map_or(NEW.to_owned(), signed_percent).into(),
        change_bar(change.executions() as f64 / most).into(),
    ]);
    if timed {
        cells.extend(times(change));
    }
    cells.extend(row.details.iter().zip(&table.details).map(|(text, column)| match column.heading() {
        "source" => Cell::Text(cut(&text.replace('\t', " "), TEXT)),
        _ => Cell::Text(text.clone()),
    }));
    cells
}

/// Net times, estimated, and raw ones as they were measured.
fn times(change: &Change) -> Vec<Cell> {
    let (Some((before, after)), Some((net, error))) = (change.times(), change.net_cycles()) else {
        // Too few executions to be timed in both.
        return (0..6).map(|_| "".into()).collect();
    };
    let shown = html! { (ESTIMATED) (signed_mega(net)) };
    vec![
        mega(before.cycles_net).into(),
        mega(after.cycles_net).into(),
        if is_beyond_error(change) {
            shown
        } else {
            html! { span.within { (shown) } }
        }
        .into(),
        format!("± {}", mega(error.round() as u128)).into(),
        raw_each(&before).into(),
        raw_each(&after).into(),
    ]
}

#[cfg(test)]
mod tests {
    use opmeter_analysis::{Ran, TimeSum};

    use super::*;

    fn ran(executions: u128, cycles_net: u128) -> Ran {
        let time = TimeSum {
            timed_executions: 10,
            cycles_raw: 400,
            cycles_net,
            cycles_net_se: 3_000_000,
            ns_net: cycles_net / 2,
        };
        Ran { executions, time: Some(time) }
    }

    #[test]
    fn what_ran_as_often_is_sorted_by_its_time() {
        let change =
            |executions: u128, net: u128| Change { before: ran(10, 500), after: ran(executions, net) };
        let mut changes =
            [change(10, 400), change(10, 900), change(12, 500), change(10, 501), change(7, 501)];
        changes.sort_by_key(|change| Reverse(size(change, true)));
        let order = changes.map(|change| (change.after.executions, change.after.time.unwrap().cycles_net));
        assert_eq!(order, [(7, 501), (12, 500), (10, 900), (10, 400), (10, 501)]);
        assert_eq!(size(&change(10, 900), false), (0, None));
    }

    #[test]
    fn times_within_their_error_are_grey_and_estimates_signed() {
        let cell = |net: u128| {
            let change = Change { before: ran(10, 100_000_000), after: ran(10, net) };
            let cells = times(&change);
            match &cells[2] {
                Cell::Markup(markup) => (markup.clone().into_string(), is_beyond_error(&change)),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(cell(108_000_000), ("<span class=\"within\">≈\u{202f}+8.000</span>".to_owned(), false));
        assert_eq!(cell(90_000_000), ("≈\u{202f}-10.000".to_owned(), true));
        let none = Change { before: Ran::default(), after: Ran { executions: 1, time: None } };
        assert!(times(&none).iter().all(|cell| matches!(cell, Cell::Text(text) if text.is_empty())));
    }
}
