use std::cmp::Reverse;
use std::io::{self, Write};

use opmeter_analysis::Totals;
use opmeter_recording::{Manifest, Process, ProcessState};

use crate::Style;
use crate::heading::interpreter;
use crate::number::{counted, grouped};
use crate::terminal_text::{command_line, cut, left, right, visible, width};

/// The most processes that the table shows: those with the most executions.
const MOST_ROWS: usize = 20;
const GAP: &str = "  ";
/// The names of the columns; numbers are aligned to the right.
const NAMES: [&str; 5] = ["process", "pid", "python", "executions", "command"];

/// Writes a table of the processes that the totals' filter takes, if there are several.
pub(crate) fn write_processes(
    out: &mut dyn Write,
    manifest: &Manifest,
    totals: &Totals,
    columns: usize,
    style: Style,
) -> io::Result<()> {
    let mut processes: Vec<(&Process, u128)> = manifest
        .processes
        .iter()
        .filter(|process| totals.filter.takes_process(process.process))
        .map(|process| (process, executions_of(process, totals)))
        .collect();
    if processes.len() < 2 {
        return Ok(());
    }
    processes.sort_by_key(|(process, executions)| (Reverse(*executions), process.process));
    let rest = processes.split_off(MOST_ROWS.min(processes.len()));
    processes.sort_by_key(|(process, _)| process.process);

    let rows: Vec<[String; 5]> =
        processes.iter().map(|(process, executions)| row(process, *executions)).collect();
    let widths: [usize; 4] = std::array::from_fn(|column| {
        rows.iter().map(|row| width(&row[column])).max().unwrap_or(0).max(NAMES[column].len())
    });
    let line = |cells: [&str; 5]| {
        let [process, pid, python, executions, command] = cells;
        let fixed = [
            right(process, widths[0]),
            right(pid, widths[1]),
            left(python, widths[2]),
            right(executions, widths[3]),
        ];
        let fixed = fixed.join(GAP) + GAP;
        let room = columns.saturating_sub(width(&fixed));
        fixed + &cut(command, room)
    };
    writeln!(out, "{}", style.heading(&line(NAMES)))?;
    for row in &rows {
        writeln!(out, "{}", line(row.each_ref().map(String::as_str)).trim_end())?;
    }
    if !rest.is_empty() {
        let executions: u128 = rest.iter().map(|(_, executions)| executions).sum();
        let processes = counted(rest.len(), "more process", "more processes");
        writeln!(out, "{}", style.faint(&format!("… {processes}, {} executions", grouped(executions))))?;
    }
    writeln!(out)
}

/// What a process executed of what is taken.
pub(crate) fn executions_of(process: &Process, totals: &Totals) -> u128 {
    let place = totals.processes.binary_search_by_key(&process.process, |total| total.process);
    place.map_or(0, |place| totals.processes[place].executions)
}

/// Its number, pid, interpreter, executions (or that there are none) and command.
pub(crate) fn row(process: &Process, executions: u128) -> [String; 5] {
    let command = match process.arguments.as_slice() {
        [] => visible(&process.executable),
        arguments => command_line(arguments),
    };
    let executions = match process.state {
        ProcessState::Metered => grouped(executions),
        ProcessState::Refused => "refused".to_owned(),
        ProcessState::Unmetered => "not metered".to_owned(),
    };
    [process.process.to_string(), process.pid.to_string(), interpreter(process), executions, command]
}
