use maud::{Markup, html};
use opmeter_analysis::{MixEntry, Terms};

use super::Recorded;
use super::distribution_picture::Axis;
use super::graphic::bar;
use super::table::{Cell, Column, Table, legend_of_estimates};
use super::times::{time_cells, time_columns};
use crate::number::{grouped, percent};
use crate::terminal_text::visible;

/// What is not known of the files that are chosen.
const OF_FILES: &str = "Of single files it is known which opcodes the compiler emitted, and how often these were executed; in \
     which specialised form, and how the times of an opcode are distributed, is only known of a process: a page \
     without --include and --exclude shows it.";

/// The table of opcodes, with times where they were taken.
pub(crate) fn part(place: usize, recorded: &Recorded<'_>) -> Markup {
    if recorded.mix.entries.is_empty() {
        return html! { p { "No executions were counted in what is shown." } };
    }
    let timed = recorded.mix.totals.time.is_some();
    html! {
        (table(place, recorded).markup())
        @if recorded.mix.is_of_files { p.note { (OF_FILES) } }
        @if timed { (legend_of_estimates()) }
    }
}

fn table(place: usize, recorded: &Recorded<'_>) -> Table {
    let (mix, all) = (&recorded.mix, recorded.mix.totals.time);
    let share = |entry: &MixEntry| match (all, entry.time) {
        (Some(all), Some(time)) => time.share_of(&all),
        _ => entry.share,
    };
    let most = mix.entries.iter().map(share).fold(f64::MIN_POSITIVE, f64::max);
    let axis = Axis::of(recorded.distributions.values());
    let as_executed = mix.terms == Terms::AsExecuted;
    // Distributions are of opcodes as executed.
    let pictures = axis.as_ref().filter(|_| as_executed);
    let rows = mix.entries.iter().map(|entry| {
        let mut cells: Vec<Cell> = vec![visible(&entry.opcode).into()];
        cells.push(grouped(entry.executions).into());
        cells.push(percent(entry.share).into());
        if let Some(all) = all {
            cells.extend(time_cells(entry.time, &all, Some(entry.executions)).into_iter().map(Cell::from));
        }
        cells.push(bar(share(entry) / most).into());
        if let Some(axis) = pictures {
            let distribution = recorded.distributions.get(entry.opcode.as_str());
            cells.push(distribution.map_or(html! {}, |distribution| axis.picture(distribution)).into());
        }
        cells.push(entry.family().name().into());
        if as_executed {
            cells.push(visible(entry.base_opcode.as_deref().unwrap_or_default()).into());
        }
        cells
    });
    Table {
        id: format!("opcodes-{place}"),
        caption: match mix.terms {
            Terms::AsExecuted => "Opcodes as executed",
            Terms::Base if mix.is_of_files => "Opcodes of the chosen files, as compiled",
            Terms::Base => "Opcodes as compiled",
        }
        .to_owned(),
        columns: columns(as_executed, all.is_some(), pictures),
        rows: rows.collect(),
        filter: Some(("opcode", "opcodes")),
        note: None,
    }
}

fn columns(as_executed: bool, timed: bool, pictures: Option<&Axis>) -> Vec<Column> {
    let mut columns =
        vec![Column::name("opcode").about("As the interpreter executed it; A/B is B, run inside A.")];
    let executions = Column::number("executions").about("How often it ran: counted, exact.");
    columns.push(if timed { executions } else { executions.sorted() });
    columns.push(Column::number("share %").about("Of all executions."));
    if timed {
        columns.extend(time_columns(true));
    }
    columns.push(Column::picture(if timed { "share of time" } else { "share of executions" }));
    if let Some(axis) = pictures {
        columns.push(
            Column::picture(format!(
                "raw cycles, {} to {}, log scale",
                grouped(axis.from.into()),
                grouped(axis.to.into())
            ))
            .about("How many of the timed executions took how long; the mark is the median."),
        );
    }
    columns.push(Column::text("family").choice());
    if as_executed {
        columns.push(Column::name("base opcode").about("What the compiler wrote, where that is another."));
    }
    columns
}
