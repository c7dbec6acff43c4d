use maud::{Markup, html};
use opmeter_analysis::{Ran, RowFilter, Side};

use super::comparison_page::{ComparisonPage, Verdict};
use super::table::{Cell, Column, ESTIMATED, Table};
use crate::diff_report::phases;
use crate::diff_times::{mega, signed_mega};
use crate::heading::{failure, interpreters, processes};
use crate::number::{grouped, signed, signed_percent};
use crate::terminal_text::{command_line, visible};

/// What was compared, what it ran in all, and what is to be known before numbers are read.
pub(crate) fn part(page: &ComparisonPage<'_>) -> Markup {
    let comparison = page.comparison;
    let total = comparison.total;
    let net = total.net_cycles().filter(|_| page.is_timed());
    html! {
        @for (name, side) in [("before", &comparison.before), ("after", &comparison.after)] {
            p.command { span.side { (name) " " } code { (command_line(&side.manifest.command)) } }
        }
        dl.figures {
            div { dt { "executions before" } dd { (grouped(total.before.executions)) } }
            div { dt { "executions after" } dd { (grouped(total.after.executions)) } }
            div { dt { "change" } dd { (signed(total.executions())) } }
            div {
                dt { "change %" }
                dd { (total.percent().map_or("new".to_owned(), signed_percent)) }
            }
            @if let Some((change, error)) = net {
                div {
                    dt { "net Mcycles, change" }
                    dd.estimate { (ESTIMATED) (signed_mega(change)) " ± " (mega(error.round() as u128)) }
                }
            }
        }
        @if let Some(verdict) = &page.verdict { (gate(verdict)) }
        @if !comparison.remarks.is_empty() {
            div.warnings role="note" aria-label="Warnings" {
                @for remark in &comparison.remarks { p { strong { "Warning: " } (visible(remark)) } }
            }
        }
        (recordings(page).markup())
        p.note {
            "Compared: " (phases(page.phases)) ". Executions are counted, exact. Lines and functions are matched by what "
            "they hold, through edits, moves and renames."
        }
    }
}

fn gate(verdict: &Verdict<'_>) -> Markup {
    let (class, word) = match verdict.passed {
        Some(true) => ("passed", "Gate passed: "),
        Some(false) => ("failed", "Gate failed: "),
        None => ("undecided", "Gate undecided: "),
    };
    html! { p.gate.(class) { strong { (word) } (visible(verdict.sentence)) } }
}

fn recordings(page: &ComparisonPage<'_>) -> Table {
    let comparison = page.comparison;
    let sides = [
        ("before", &comparison.before, comparison.total.before),
        ("after", &comparison.after, comparison.total.after),
    ];
    let rows = sides
        .iter()
        .zip(page.names)
        .map(|((side_name, side, ran), name)| row(side_name, side, &comparison.filter, ran, name));
    Table {
        id: "recordings".to_owned(),
        caption: "Recordings".to_owned(),
        columns: vec![
            Column::text(""),
            Column::name("recording"),
            Column::text("interpreter"),
            Column::text("processes"),
            Column::number("executions"),
            Column::number("ran for, s"),
            Column::text("ended"),
            Column::text("started"),
            Column::text("machine"),
            Column::name("folder"),
        ],
        rows: rows.collect(),
        filter: None,
        note: None,
    }
}

fn row(side_name: &'static str, side: &Side<'_>, filter: &RowFilter, ran: &Ran, name: &str) -> Vec<Cell> {
    let manifest = side.manifest;
    vec![
        side_name.into(),
        visible(name).into(),
        interpreters(manifest, filter).join(", ").into(),
        processes(manifest, filter).into(),
        grouped(ran.executions).into(),
        format!("{:.2}", manifest.wall_seconds).into(),
        failure(manifest).unwrap_or_else(|| "exit code 0".to_owned()).into(),
        visible(&manifest.started).into(),
        visible(&manifest.machine.cpu).into(),
        visible(&manifest.directory).into(),
    ]
}
