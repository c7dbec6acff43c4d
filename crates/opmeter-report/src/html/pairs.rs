use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use maud::{Markup, html};
use opmeter_analysis::PairMix;

use super::Recorded;
use super::graphic::{bar, heat};
use super::table::{Column, Table, rest};
use crate::number::{counted, grouped, percent};
use crate::terminal_text::visible;

/// The opcodes on each side of the map: those that most pairs have.
const MOST_OPCODES: usize = 24;

/// The rows of the table.
const MOST_ROWS: usize = 200;

/// Which opcode followed which: a map of the most frequent, and a table.
pub(crate) fn part(place: usize, recorded: &Recorded<'_>) -> Markup {
    if recorded.has_pairs && recorded.mix.is_of_files {
        return html! {
            p {
                "Pairs are not known by file, only of a process: a page without " code { "--include" } " and "
                code { "--exclude" } " shows them."
            }
        };
    }
    let Some(mix) = recorded.pairs.as_ref().filter(|mix| !mix.entries.is_empty()) else {
        return html! {
            p { "No pairs were counted in what is shown; " code { "opmeter record --pairs" } " counts them." }
        };
    };
    html! { (map(place, mix)) (table(place, mix).markup()) }
}

/// The pairs of the most frequent opcodes as a map: rows are the first, columns what followed.
fn map(place: usize, mix: &PairMix) -> Markup {
    let firsts = most_frequent(mix.entries.iter().map(|entry| (&entry.first, entry.executions)));
    let seconds = most_frequent(mix.entries.iter().map(|entry| (&entry.second, entry.executions)));
    let executions: HashMap<(&str, &str), u128> =
        mix.entries.iter().map(|entry| ((&*entry.first, &*entry.second), entry.executions)).collect();
    let most = mix.entries[0].share;
    let shown: u128 = firsts
        .iter()
        .flat_map(|first| seconds.iter().filter_map(|second| executions.get(&(&**first, &**second))))
        .sum();
    let label = format!("pairs-map-{place}-caption");
    let cell = |first: &str, second: &str| {
        let executions = executions.get(&(first, second)).copied().unwrap_or(0);
        let share = mix.totals.share(executions);
        let title = format!(
            "{}, then {}: {}",
            visible(first),
            visible(second),
            counted(usize::try_from(executions).unwrap_or(usize::MAX), "execution", "executions")
        );
        let title = (executions > 0).then_some(title);
        html! {
            td.(format!("heat-{}", heat(share / most))) title=[title] {
                @if share >= 0.0005 { (format!("{:.1}", share * 100.0)) }
            }
        }
    };
    html! {
        div.scroll.whole tabindex="0" role="region" aria-labelledby=(label) {
            table.map id=(format!("pairs-map-{place}")) {
                caption id=(label) {
                    "Which opcode (across) followed which (down), in % of all pairs: "
                    (percent(mix.totals.share(shown))) " % are in this map"
                }
                thead {
                    tr {
                        td {}
                        @for second in &seconds { th scope="col" { span { (visible(second)) } } }
                    }
                }
                tbody {
                    @for first in &firsts {
                        tr {
                            th scope="row" { (visible(first)) }
                            @for second in &seconds { (cell(first, second)) }
                        }
                    }
                }
            }
        }
    }
}

/// The opcodes with the most executions, most first, by name among equals.
fn most_frequent<'a>(pairs: impl Iterator<Item = (&'a Arc<str>, u128)>) -> Vec<&'a Arc<str>> {
    let mut sums: HashMap<&Arc<str>, u128> = HashMap::new();
    pairs.for_each(|(opcode, executions)| *sums.entry(opcode).or_default() += executions);
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|&(opcode, executions)| (Reverse(executions), opcode));
    sums.into_iter().take(MOST_OPCODES).map(|(opcode, _)| opcode).collect()
}

fn table(place: usize, mix: &PairMix) -> Table {
    let (shown, hidden) = mix.entries.split_at(MOST_ROWS.min(mix.entries.len()));
    let most = mix.entries[0].executions as f64;
    let rows = shown.iter().map(|entry| {
        vec![
            visible(&entry.first).into(),
            visible(&entry.second).into(),
            grouped(entry.executions).into(),
            percent(entry.share).into(),
            bar(entry.executions as f64 / most).into(),
        ]
    });
    let executions: u128 = hidden.iter().map(|entry| entry.executions).sum();
    Table {
        id: format!("pairs-{place}"),
        caption: "Most frequent pairs".to_owned(),
        columns: vec![
            Column::name("first"),
            Column::name("second"),
            Column::number("executions").sorted(),
            Column::number("share %"),
            Column::picture("share of pairs"),
        ],
        rows: rows.collect(),
        filter: Some(("pair", "pairs")),
        note: rest(hidden.len(), ("pair", "pairs"), &format!("{} executions", grouped(executions))),
    }
}
