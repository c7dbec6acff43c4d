use maud::{Markup, html};
use opmeter_analysis::{Grouping, Hotspot, Hotspots, Spot, TimeSum};

use super::Recorded;
use super::graphic::bar;
use super::table::{Cell, Column, Table, legend_of_estimates, rest};
use super::times::{time_cells, time_columns};
use crate::file_label::{file_label, place_label};
use crate::number::{grouped, percent};
use crate::terminal_text::{cut, visible, visible_line};

/// The rows of a table; the source view leads to all others.
const MOST_ROWS: usize = 100;

/// The columns of a source's text that a row shows.
const TEXT: usize = 60;

/// The lines, functions and files that ran most, or longest where times were taken.
pub(crate) fn part(place: usize, recorded: &Recorded<'_>) -> Markup {
    if recorded.lines.entries.is_empty() {
        return html! { p { "There are no counts by line in what is shown." } };
    }
    html! {
        @for hotspots in [&recorded.lines, &recorded.functions, &recorded.by_file] {
            (table(place, recorded, hotspots).markup())
        }
        @if recorded.lines.totals.time.is_some() { (legend_of_estimates()) }
    }
}

fn table(place: usize, recorded: &Recorded<'_>, hotspots: &Hotspots) -> Table {
    let all = hotspots.totals.time;
    let (id, caption, one, many) = match hotspots.grouping {
        Grouping::Line => ("lines", "Hottest lines", "line", "lines"),
        Grouping::Function => ("functions", "Hottest functions", "function", "functions"),
        Grouping::File => ("files", "Files", "file", "files"),
    };
    let (shown, hidden) = hotspots.entries.split_at(MOST_ROWS.min(hotspots.entries.len()));
    let share = |entry: &Hotspot| match (all, entry.time) {
        (Some(all), Some(time)) => time.share_of(&all),
        _ => entry.share,
    };
    let most = shown.iter().map(share).fold(f64::MIN_POSITIVE, f64::max);
    let rows = shown.iter().map(|entry| {
        let mut cells = names(place, recorded, entry);
        cells.resize_with(width_of_names(hotspots.grouping), || "".into());
        cells.extend(numbers(entry, all).into_iter().map(Cell::Text));
        if hotspots.grouping == Grouping::Line {
            cells.push(entry.hits.map(grouped).unwrap_or_default().into());
        }
        cells.push(bar(share(entry) / most).into());
        cells
    });
    let executions: u128 = hidden.iter().map(|entry| entry.executions).sum();
    Table {
        id: format!("{id}-{place}"),
        caption: caption.to_owned(),
        columns: columns(hotspots.grouping, all.is_some()),
        rows: rows.collect(),
        filter: Some((one, many)),
        note: rest(hidden.len(), (one, many), &format!("{} executions", grouped(executions))),
    }
}

fn columns(grouping: Grouping, timed: bool) -> Vec<Column> {
    let mut columns = match grouping {
        Grouping::Line => vec![Column::name("line"), Column::name("function"), Column::name("source")],
        Grouping::Function => vec![Column::name("function"), Column::name("defined at")],
        Grouping::File => vec![Column::name("file")],
    };
    let executions = Column::number("executions");
    columns.push(if timed { executions } else { executions.sorted() });
    columns.push(Column::number("share %").about("Of all executions."));
    if timed {
        columns.extend(time_columns(false));
    }
    if grouping == Grouping::Line {
        columns.push(Column::number("hits").about("How often the line was come to from another line."));
    }
    columns.push(Column::picture(if timed { "share of time" } else { "share of executions" }));
    columns
}

/// How many columns say which part of the source a row is of.
fn width_of_names(grouping: Grouping) -> usize {
    match grouping {
        Grouping::Line => 3,
        Grouping::Function => 2,
        Grouping::File => 1,
    }
}

/// The cells that say which part of the source it is.
fn names(place: usize, recorded: &Recorded<'_>, entry: &Hotspot) -> Vec<Cell> {
    let directory = &recorded.manifest.directory;
    let link = recorded.link(place, &entry.spot);
    let linked = |text: String| match link {
        Some(link) => Cell::Link(link, text),
        None => Cell::Text(text),
    };
    match &entry.spot {
        Spot::Line(file, line) => {
            let function = visible(entry.function.as_deref().unwrap_or_default());
            let text = cut(&visible_line(recorded.text(file, *line)).replace('\t', " "), TEXT);
            vec![linked(place_label(file, *line, directory)), function.into(), text.into()]
        }
        Spot::Function(file, line, function) => {
            vec![linked(visible(function)), place_label(file, *line, directory).into()]
        }
        Spot::File(file) => vec![linked(file_label(file, directory))],
        Spot::Folded(origin) => vec![format!("({})", origin.name()).into()],
    }
}

fn numbers(entry: &Hotspot, all: Option<TimeSum>) -> Vec<String> {
    let mut cells = vec![grouped(entry.executions), percent(entry.share)];
    if let Some(all) = all {
        cells.extend(time_cells(entry.time, &all, None));
    }
    cells
}
