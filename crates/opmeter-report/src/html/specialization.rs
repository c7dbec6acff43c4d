use maud::{Markup, html};
use opmeter_analysis::{Forms, Site, Specialization, Spot};

use super::Recorded;
use super::graphic::stacked_bar;
use super::table::{Cell, Column, Table, rest};
use crate::file_label::place_label;
use crate::number::{grouped, percent};
use crate::terminal_text::visible;

/// The rows of a table of sites.
const MOST_ROWS: usize = 100;

/// In which forms the families of specialising instructions ran, and where they stay generic or keep missing.
pub(crate) fn part(place: usize, recorded: &Recorded<'_>) -> Markup {
    let Some(specialization) = recorded.specialization.as_ref().filter(|found| !found.families.is_empty())
    else {
        return html! { p { "No instruction of a family that specialises ran in what is shown." } };
    };
    let sites = |what: &'static str, count, sites, of: fn(&Forms) -> u128| {
        site_table(place, recorded, what, count, sites, of).map(|table| table.markup())
    };
    html! {
        (families(place, specialization).markup())
        p.key {
            @for (class, name) in [("specialised", "specialised"), ("generic", "unspecialised"), ("missed", "missed")] {
                span { svg.swatch aria-hidden="true" { rect.(class) width="100%" height="100%" {} } (name) }
            }
        }
        @if let Some(table) = sites("stay generic", "unspecialised", &specialization.generic, |forms| forms.unspecialized) { (table) }
        @if let Some(table) = sites("keep missing", "missed", &specialization.missing, |forms| forms.missed) { (table) }
    }
}

fn families(place: usize, specialization: &Specialization) -> Table {
    let rows = specialization.families.iter().map(|(family, forms)| {
        let part = |executions: u128| executions as f64 / forms.executions as f64;
        let parts = [part(forms.specialized), part(forms.unspecialized), part(forms.missed)];
        let mut cells: Vec<Cell> = vec![visible(family).into(), grouped(forms.executions).into()];
        cells.extend(parts.iter().map(|part| percent(*part).into()));
        cells.push(
            stacked_bar(&[(parts[0], "specialised"), (parts[1], "generic"), (parts[2], "missed")]).into(),
        );
        cells
    });
    Table {
        id: format!("families-{place}"),
        caption: "Families of specialising instructions".to_owned(),
        columns: vec![
            Column::name("family"),
            Column::number("executions").sorted(),
            Column::number("specialised %").about("In a specialised form whose guard held."),
            Column::number("unspecialised %").about("In the generic form."),
            Column::number("missed %").about("The guard failed, and the generic form did the work."),
            Column::picture("forms"),
        ],
        rows: rows.collect(),
        filter: None,
        note: None,
    }
}

fn site_table(
    place: usize,
    recorded: &Recorded<'_>,
    what: &str,
    count: &'static str,
    sites: &[Site],
    of: fn(&Forms) -> u128,
) -> Option<Table> {
    let (shown, hidden) = sites.split_at(MOST_ROWS.min(sites.len()));
    let rows: Vec<Vec<Cell>> = shown
        .iter()
        .map(|site| {
            let name = place_label(&site.file, site.line, &recorded.manifest.directory);
            let line = match recorded.link(place, &Spot::Line(site.file.clone(), site.line)) {
                Some(link) => Cell::Link(link, name),
                None => Cell::Text(name),
            };
            vec![
                line,
                visible(&site.function).into(),
                visible(&site.opcode).into(),
                site.offset.to_string().into(),
                grouped(of(&site.forms)).into(),
                grouped(site.forms.executions).into(),
                percent(of(&site.forms) as f64 / site.forms.executions.max(1) as f64).into(),
            ]
        })
        .collect();
    let left: u128 = hidden.iter().map(|site| of(&site.forms)).sum();
    (!rows.is_empty()).then(|| Table {
        id: format!("{count}-{place}"),
        caption: format!("Instructions that {what}"),
        columns: vec![
            Column::name("line"),
            Column::name("function"),
            Column::name("family").choice(),
            Column::number("offset, bytes"),
            Column::number(count).sorted(),
            Column::number("executions"),
            Column::number(format!("{count} %")),
        ],
        rows,
        filter: Some(("instruction", "instructions")),
        note: rest(hidden.len(), ("instruction", "instructions"), &format!("{} {count}", grouped(left))),
    })
}
