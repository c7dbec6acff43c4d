use maud::{Markup, html};
use opmeter_recording::Process;

use super::Recorded;
use super::frame::letter;
use super::table::{Cell, Column, Table};
use crate::file_label::file_label;
use crate::heading::{EXECUTIONS, executions, failure, interpreters, phases, processes, times};
use crate::number::grouped;
use crate::page::missing;
use crate::processes::{executions_of, row};
use crate::terminal_text::{command_line, visible};

/// What a recording is of, how much ran, and what is to be known before its numbers are read.
pub(crate) fn part(place: usize, recorded: &Recorded<'_>) -> Markup {
    let (manifest, totals) = (recorded.manifest, &recorded.mix.totals);
    let warnings = warnings(recorded);
    html! {
        p.command { code { (command_line(&manifest.command)) } }
        @if manifest.has_counts() {
            dl.figures {
                div { dt { "executions" } dd { (grouped(totals.executions)) } }
                @if let Some(time) = totals.time {
                    div {
                        dt { "net time, s" }
                        dd.estimate { "≈\u{202f}" (format!("{:.3}", time.ns_net as f64 / 1e9)) }
                    }
                }
                div { dt { "ran for, s" } dd { (format!("{:.2}", manifest.wall_seconds)) } }
                div { dt { (noun(recorded.mix.entries.len(), "opcode", "opcodes")) } dd { (grouped(recorded.mix.entries.len() as u128)) } }
                @if recorded.functions.totals.executions > 0 {
                    div { dt { (noun(recorded.annotations.files().len(), "file", "files")) } dd { (grouped(recorded.annotations.files().len() as u128)) } }
                }
            }
        }
        @if !warnings.is_empty() {
            div.warnings role="note" aria-label="Warnings" {
                @for warning in &warnings { p { strong { "Warning: " } (visible(warning)) } }
            }
        }
        dl.facts {
            @for (name, text) in facts(recorded) { div { dt { (name) } dd { (text) } } }
        }
        @if manifest.processes.len() > 1 { (process_table(place, recorded).markup()) }
    }
}

fn noun(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// The facts of several recordings, a row each.
pub(crate) fn side_by_side(recordings: &[Recorded<'_>]) -> Markup {
    let rows = recordings.iter().enumerate().map(|(place, recorded)| -> Vec<Cell> {
        let totals = &recorded.mix.totals;
        let time = totals.time.map(|time| format!("{:.3}", time.ns_net as f64 / 1e9));
        let counted = recorded.manifest.has_counts();
        vec![
            letter(place).into(),
            recorded.name.clone().into(),
            command_line(&recorded.manifest.command).into(),
            interpreters(recorded.manifest, &totals.filter).join(", ").into(),
            if counted { grouped(totals.executions) } else { String::new() }.into(),
            time.unwrap_or_default().into(),
            if counted { format!("{:.2}", recorded.manifest.wall_seconds) } else { String::new() }.into(),
            warnings(recorded).len().to_string().into(),
        ]
    });
    let table = Table {
        id: "recordings".to_owned(),
        caption: "Recordings".to_owned(),
        columns: vec![
            Column::text(""),
            Column::name("recording"),
            Column::name("command"),
            Column::text("interpreter"),
            Column::number("executions"),
            Column::number("net time, s").estimated(),
            Column::number("ran for, s"),
            Column::number("warnings"),
        ],
        rows: rows.collect(),
        filter: None,
        note: None,
    };
    table.markup()
}

fn facts(recorded: &Recorded<'_>) -> Vec<(&'static str, String)> {
    let (manifest, totals) = (recorded.manifest, &recorded.mix.totals);
    let energy = manifest.energy.as_ref();
    let machine = match energy {
        Some(energy) if manifest.machine.cpu.is_empty() => &energy.machine,
        _ => &manifest.machine,
    };
    let mut facts = Vec::new();
    if manifest.has_counts() {
        facts.push(("interpreter", interpreters(manifest, &totals.filter).join(", ")));
        facts.push(("processes", processes(manifest, &totals.filter)));
        facts.push(("counted", format!("{}, {}", executions(totals, EXECUTIONS), phases(totals))));
        facts.extend(totals.time.map(|time| ("timed", times(&time, totals.executions))));
        facts.extend(probe(&manifest.processes).map(|cost| ("taken off", cost)));
    }
    facts.extend(failure(manifest).map(|how| ("ended", how)));
    let started = energy.map(|energy| energy.started.as_str()).filter(|_| manifest.started.is_empty());
    facts.push(("started", visible(started.unwrap_or(&manifest.started))));
    if !machine.cpu.is_empty() {
        let kernel = if machine.kernel.is_empty() { String::new() } else { format!(", {}", machine.kernel) };
        let cores = if machine.cores == 1 { "core" } else { "cores" };
        facts.push(("machine", visible(&format!("{}, {} {cores}{kernel}", machine.cpu, machine.cores))));
    }
    facts.push(("folder", visible(&manifest.directory)));
    facts.retain(|(_, text)| !text.is_empty());
    facts
}

/// What timing an execution cost and was taken off, in cycles, of the process that it is known best of.
fn probe(processes: &[Process]) -> Option<String> {
    let timings = processes.iter().filter_map(|process| process.timing.as_ref());
    let timing = timings.max_by_key(|timing| timing.timed_executions)?;
    Some(format!(
        "{:.1} ± {:.1} cycles for each timed execution; {:.2} GHz time-stamp counter",
        timing.probe_cycles,
        timing.probe_cycles_se,
        timing.tsc_hz / 1e9
    ))
}

/// What is missing or may not be what ran.
fn warnings(recorded: &Recorded<'_>) -> Vec<String> {
    let mut warnings = if recorded.manifest.has_counts() { missing(recorded.manifest) } else { Vec::new() };
    if !recorded.manifest.has_counts() {
        warnings.push("this recording has no counts, only energy".to_owned());
    }
    if recorded.manifest.has_counts() && recorded.lines.totals.executions == 0 {
        warnings.push("there are no counts by line in what is shown".to_owned());
    }
    let directory = &recorded.manifest.directory;
    let mut changed: Vec<String> = recorded
        .annotations
        .files()
        .zip(&recorded.sources)
        // Code that was made by the program never was in a file: there is nothing to warn of.
        .filter(|(file, _)| !file.starts_with('<'))
        .filter_map(|(file, source)| {
            let warning = source.warning.as_ref()?;
            let is_named = warning.contains(&**file);
            Some(if is_named {
                warning.clone()
            } else {
                format!("{}: {warning}", file_label(file, directory))
            })
        })
        .collect();
    let rest = changed.split_off(MOST_SOURCES.min(changed.len()));
    warnings.extend(changed);
    if !rest.is_empty() {
        warnings.push(format!("{} more sources may not be what ran", rest.len()));
    }
    warnings
}

/// The most sources that have a warning each.
const MOST_SOURCES: usize = 5;

fn process_table(place: usize, recorded: &Recorded<'_>) -> Table {
    let totals = &recorded.mix.totals;
    let taken = recorded.manifest.processes.iter();
    let rows = taken
        .filter(|process| totals.filter.takes_process(process.process))
        .map(|process| row(process, executions_of(process, totals)).into_iter().map(Cell::Text).collect());
    Table {
        id: format!("processes-{place}"),
        caption: "Processes".to_owned(),
        columns: vec![
            Column::number("process"),
            Column::number("pid"),
            Column::text("interpreter"),
            Column::number("executions"),
            Column::name("command"),
        ],
        rows: rows.collect(),
        filter: Some(("process", "processes")),
        note: None,
    }
}
