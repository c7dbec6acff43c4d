use std::io::{self, Write};

use opmeter_analysis::{RowFilter, TimeSum, Totals};
use opmeter_recording::{Manifest, Phase, Process, ProcessState};

use crate::Style;
use crate::number::{counted, grouped, percent};
use crate::terminal_text::{command_line, cut, visible, wrapped};

/// What is counted, one and many.
pub(crate) const EXECUTIONS: (&str, &str) = ("execution", "executions");

/// Writes what a report is about: the command, and below it the interpreters, processes, phases, the sum
/// of executions, how long the command ran (seconds of wall time, metered) and how it failed if it did.
pub(crate) fn write_heading(
    out: &mut dyn Write,
    manifest: &Manifest,
    totals: &Totals,
    nouns: (&str, &str),
    columns: usize,
    style: Style,
) -> io::Result<()> {
    writeln!(out, "{}", style.heading(&cut(&command_line(&manifest.command), columns)))?;
    let mut facts = interpreters(manifest, &totals.filter);
    facts.push(processes(manifest, &totals.filter));
    facts.push(phases(totals));
    facts.push(executions(totals, nouns));
    facts.extend(totals.time.map(|time| times(&time, totals.executions)));
    facts.push(format!("ran for {:.2} s", manifest.wall_seconds));
    facts.extend(failure(manifest));
    for line in wrapped(facts.iter().map(String::as_str), " · ", columns) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// How the command failed, if it did.
pub(crate) fn failure(manifest: &Manifest) -> Option<String> {
    match (manifest.exit.code, manifest.exit.signal) {
        (_, Some(signal)) => Some(format!("ended by signal {signal}")),
        (Some(0) | None, None) => None,
        (Some(code), None) => Some(format!("exit code {code}")),
    }
}

/// The name and version of a process's interpreter, such as `CPython 3.13.0 free-threaded`.
pub(crate) fn interpreter(process: &Process) -> String {
    let mut words = vec![process.implementation.as_str(), process.python.as_str()];
    if process.free_threaded {
        words.push("free-threaded");
    }
    words.retain(|word| !word.is_empty());
    visible(&words.join(" "))
}

/// The different interpreters of the metered processes that a filter takes, in the order of the processes.
pub(crate) fn interpreters(manifest: &Manifest, filter: &RowFilter) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for process in &manifest.processes {
        if process.state == ProcessState::Metered && filter.takes_process(process.process) {
            let name = interpreter(process);
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// How many processes there are, and how many of them the report leaves out.
pub(crate) fn processes(manifest: &Manifest, filter: &RowFilter) -> String {
    let all = manifest.processes.len();
    let taken = manifest.processes.iter().filter(|process| filter.takes_process(process.process));
    let (metered, others): (Vec<&Process>, Vec<&Process>) =
        taken.partition(|process| process.state == ProcessState::Metered);
    let taken = metered.len() + others.len();
    let mut text = counted(taken, "process", "processes");
    if taken < all {
        text = format!("{taken} of {}", counted(all, "process", "processes"));
    }
    if !others.is_empty() {
        text += &format!(" ({} not metered)", others.len());
    }
    text
}

/// What the report counts, and of how many where patterns leave files out.
pub(crate) fn executions(totals: &Totals, (one, many): (&str, &str)) -> String {
    let all = totals.executions + totals.left_out;
    let noun = if all == 1 { one } else { many };
    if totals.left_out == 0 {
        return format!("{} {noun}", grouped(all));
    }
    format!("{} of {} {noun}", grouped(totals.executions), grouped(all))
}

/// What the executions took, and how many of them were timed.
pub(crate) fn times(time: &TimeSum, executions: u128) -> String {
    let timed = percent(time.timed_executions as f64 / executions.max(1) as f64);
    format!("{:.3} s net, estimated from {timed} % of them", time.ns_net as f64 / 1e9)
}

pub(crate) fn phases(totals: &Totals) -> String {
    let taken: Vec<&str> =
        Phase::ALL.into_iter().filter(|&phase| totals.filter.takes_phase(phase)).map(Phase::name).collect();
    match taken.len() {
        3 => "all phases".to_owned(),
        0 => "no phase".to_owned(),
        _ => format!("phase {}", taken.join(", ")),
    }
}
