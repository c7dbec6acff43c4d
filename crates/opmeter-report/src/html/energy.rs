use maud::{Markup, html};
use opmeter_analysis::Sample;

use super::Recorded;
use super::frame::letter;
use super::table::{Cell, Column, Table};
use crate::energy_report::{COLUMNS, all_executions, facts, rows, warnings};
use crate::number::{grouped, significant};
use crate::terminal_text::visible;

/// The sign before numbers that were not measured.
const ESTIMATED: &str = "≈\u{202f}";

/// The picture's width and height, in units of its own.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 18.0;

/// What a run of the command cost: its time, and the joules and watts of each domain.
pub(crate) fn part(place: usize, recorded: &Recorded<'_>) -> Markup {
    let (Some(energy), Some(summary)) = (&recorded.manifest.energy, &recorded.energy) else {
        return html! { p { "No energy was measured; " code { "opmeter energy" } " measures it." } };
    };
    let executions = all_executions(recorded.manifest);
    let with_each = executions.is_some();
    let table = Table {
        id: format!("energy-{place}"),
        caption: "A run of the command, without the meter".to_owned(),
        columns: COLUMNS
            .iter()
            .enumerate()
            .map(|(place, name)| if place < 2 { Column::text(*name) } else { Column::number(*name) })
            .collect(),
        rows: rows(energy, summary, executions, ESTIMATED)
            .into_iter()
            .enumerate()
            // The first row is the time, which is measured even where the power is not.
            .map(|(place, row)| cells(row.cells, energy.estimate && place > 0))
            .collect(),
        filter: None,
        note: with_each.then(|| {
            format!(
                "nJ each: the joules divided by all {} executions, those of the start too.",
                grouped(executions.unwrap_or(0))
            )
        }),
    };
    html! {
        p { (facts(energy, summary).join(" · ")) }
        @if energy.estimate {
            p.note {
                span.estimate { (ESTIMATED) "italic" }
                " numbers are estimates: the declared power times the time. No energy was measured."
            }
        }
        @let warnings = warnings(energy, summary);
        @if !warnings.is_empty() {
            div.warnings role="note" aria-label="Warnings about energy" {
                @for warning in &warnings { p { strong { "Warning: " } (visible(warning)) } }
            }
        }
        (table.markup())
        h4 { "Each run" }
        dl.runs {
            div { dt { "time, s" } dd { (strip(&summary.seconds, "s", "")) } }
            @for domain in summary.domains.iter().filter(|domain| !domain.is_sum) {
                div.estimate[energy.estimate] {
                    dt { (visible(&domain.domain)) ", J" }
                    dd { (strip(&domain.joules, "J", if energy.estimate { ESTIMATED } else { "" })) }
                }
            }
        }
    }
}

/// The joules of several recordings' domains, a row each.
pub(crate) fn side_by_side(recordings: &[Recorded<'_>]) -> Markup {
    let rows = recordings.iter().enumerate().flat_map(|(place, recorded)| {
        let estimate = recorded.manifest.energy.as_ref().is_some_and(|energy| energy.estimate);
        let summary = recorded.energy.as_ref();
        let domains = summary
            .into_iter()
            .flat_map(|summary| summary.domains.iter().map(move |domain| (summary, domain)));
        domains.map(move |(summary, domain)| {
            let sign = if estimate { ESTIMATED } else { "" };
            let number = |value: f64| {
                let text = format!("{sign}{}", significant(value, value));
                if estimate { html! { span.estimate { (text) } }.into() } else { Cell::Text(text) }
            };
            let half = domain.joules.half_width(0.0);
            let seconds = summary.seconds.mean();
            vec![
                letter(place).into(),
                recorded.name.clone().into(),
                visible(&domain.domain).into(),
                summary.seconds.count().to_string().into(),
                number(domain.joules.mean()),
                half.map_or_else(|| "".into(), number),
                number(domain.watts.mean()),
                significant(seconds, seconds).into(),
            ]
        })
    });
    let table = Table {
        id: "energy-side-by-side".to_owned(),
        caption: "Energy side by side".to_owned(),
        columns: vec![
            Column::text(""),
            Column::name("recording"),
            Column::name("domain").choice(),
            Column::number("runs"),
            Column::number("mean J"),
            Column::number("± J (95 %)"),
            Column::number("mean W"),
            Column::number("mean s"),
        ],
        rows: rows.collect(),
        filter: None,
        note: None,
    };
    table.markup()
}

fn cells(cells: Vec<String>, estimated: bool) -> Vec<Cell> {
    let cell = |(place, text): (usize, String)| match place {
        2.. if estimated && !text.is_empty() => html! { span.estimate { (text) } }.into(),
        _ => Cell::Text(text),
    };
    cells.into_iter().enumerate().map(cell).collect()
}

/// A point for each run, from the least to the most, and a band for the interval of the mean.
fn strip(sample: &Sample, unit: &str, sign: &str) -> Markup {
    let (mean, half) = (sample.mean(), sample.half_width(0.0).unwrap_or(0.0));
    let least = sample.min().min(mean - half);
    let most = sample.values().iter().copied().fold(mean + half, f64::max);
    let range = (most - least).max(f64::MIN_POSITIVE);
    let inside = WIDTH - HEIGHT;
    let at = |value: f64| format!("{:.1}", HEIGHT / 2.0 + (value - least) / range * inside);
    let number = |value: f64| format!("{sign}{}", significant(value, mean));
    let text = format!(
        "{} runs from {} to {} {unit}, mean {}",
        sample.count(),
        number(sample.min()),
        number(sample.values().iter().copied().fold(f64::MIN, f64::max)),
        number(mean)
    );
    html! {
        span { (number(least)) }
        svg.strip viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(text) {
            title { (text) }
            rect.interval x=(at(mean - half)) width=(format!("{:.1}", 2.0 * half / range * inside)) y="2" height=(HEIGHT - 4.0) {}
            line x1=(at(mean)) x2=(at(mean)) y1="0" y2=(HEIGHT) {}
            @for value in sample.values() { circle cx=(at(*value)) cy=(HEIGHT / 2.0) r="3" {} }
        }
        span { (number(most)) }
    }
}
