use std::cmp::Ordering;
use std::collections::BTreeMap;

use maud::{Markup, html};
use opmeter_analysis::MixEntry;

use super::Recorded;
use super::frame::letter;
use super::graphic::grouped_bars;
use super::table::{Cell, Column, Table, legend_of_estimates};
use crate::number::{each, grouped, percent};
use crate::terminal_text::visible;

/// The opcodes of several recordings side by side: those with the largest share in any of them first.
pub(crate) fn opcodes(recordings: &[Recorded<'_>]) -> Markup {
    let mut opcodes: BTreeMap<(&str, &str), Vec<Option<&MixEntry>>> = BTreeMap::new();
    for (place, recorded) in recordings.iter().enumerate() {
        for entry in &recorded.mix.entries {
            let names = (entry.opcode.as_str(), entry.base_opcode.as_deref().unwrap_or_default());
            opcodes.entry(names).or_insert_with(|| vec![None; recordings.len()])[place] = Some(entry);
        }
    }
    let share = |entry: &Option<&MixEntry>| entry.map_or(0.0, |entry| entry.share);
    let largest = |entries: &[Option<&MixEntry>]| entries.iter().map(share).fold(0.0, f64::max);
    let most = opcodes.values().map(|entries| largest(entries)).fold(f64::MIN_POSITIVE, f64::max);
    let mut opcodes: Vec<_> = opcodes.into_iter().collect();
    opcodes
        .sort_by(|(_, one), (_, other)| largest(other).partial_cmp(&largest(one)).unwrap_or(Ordering::Equal));
    let timed: Vec<bool> = recordings.iter().map(|recorded| recorded.mix.totals.time.is_some()).collect();
    let mut columns =
        vec![Column::name("opcode"), Column::name("base opcode"), Column::text("family").choice()];
    for (place, timed) in timed.iter().enumerate() {
        let name = letter(place);
        columns.push(Column::number(format!("{name} executions")));
        columns.push(Column::number(format!("{name} share %")));
        columns.extend(timed.then(|| Column::number(format!("{name} net ns each")).estimated()));
    }
    columns.push(Column::picture("shares"));
    let rows = opcodes.iter().map(|((opcode, base), entries)| {
        let family = entries.iter().flatten().next().map_or("", |entry| entry.family().name());
        let mut cells: Vec<Cell> = vec![visible(opcode).into(), visible(base).into(), family.into()];
        for (entry, timed) in entries.iter().zip(&timed) {
            cells.push(entry.map_or(String::new(), |entry| grouped(entry.executions)).into());
            cells.push(entry.map_or(String::new(), |entry| percent(entry.share)).into());
            let time = entry.and_then(|entry| Some(each(entry.time?.ns_net, entry.executions)));
            cells.extend(timed.then(|| time.unwrap_or_default().into()));
        }
        let parts: Vec<f64> = entries.iter().map(|entry| share(entry) / most).collect();
        cells.push(grouped_bars(&parts).into());
        cells
    });
    let table = Table {
        id: "opcodes-side-by-side".to_owned(),
        caption: "Opcodes side by side".to_owned(),
        columns,
        rows: rows.collect(),
        filter: Some(("opcode", "opcodes")),
        note: None,
    };
    html! {
        (key(recordings))
        (table.markup())
        @if timed.contains(&true) { (legend_of_estimates()) }
    }
}

/// Which colour and letter is which recording.
fn key(recordings: &[Recorded<'_>]) -> Markup {
    html! {
        ul.key aria-label="Recordings" {
            @for (place, recorded) in recordings.iter().enumerate() {
                li {
                    svg.swatch aria-hidden="true" { rect.(format!("recording-{}", place % 6)) width="100%" height="100%" {} }
                    (letter(place)) " · " (recorded.name)
                }
            }
        }
    }
}
