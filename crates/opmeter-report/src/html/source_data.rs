use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use opmeter_analysis::{Annotation, LineCount, Spot, TimeSum};
use serde::Serialize;

use super::Recorded;
use super::data::{Count, write_data};
use crate::SourceText;
use crate::file_label::file_label;
use crate::terminal_text::{visible, visible_line};

/// What the script has to know of all recordings before it opens a source.
#[derive(Serialize)]
struct Index {
    recordings: Vec<RecordingIndex>,
}

#[derive(Serialize)]
struct RecordingIndex {
    /// What stands beside each line, from left to right.
    line_columns: Vec<Column>,
    /// What stands beside each instruction.
    instruction_columns: Vec<Column>,
    /// The place of the numbers that make a line hot, and how much the hottest has.
    heat: usize,
    most: Count,
    files: Vec<FileIndex>,
}

#[derive(Serialize)]
struct FileIndex {
    label: String,
    /// The file's part of what makes lines hot, as its numbers are.
    heat: Count,
    functions: Functions,
}

/// The functions of a file in the order of their first lines, a list for each property.
#[derive(Default, Serialize)]
struct Functions {
    name: Vec<String>,
    line: Vec<u32>,
    heat: Vec<Count>,
}

/// A column of numbers beside the source.
#[derive(Debug, Clone, Copy, Serialize)]
struct Column {
    name: &'static str,
    /// How the numbers are shown: `count`, `share` (percent of `total`), `milliseconds` (of nanoseconds), `error` (percent
    /// of the numbers before them), `each` (divided by the numbers before them).
    kind: &'static str,
    /// The place of its numbers in the file's data.
    of: usize,
    /// What a share is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Count>,
    /// Whether they are estimated, not counted or measured.
    estimate: bool,
}

/// A source file: its text, and lists of what ran, each number beside those of the same line or instruction.
#[derive(Serialize)]
struct SourceData {
    warning: Option<String>,
    /// The lines, joined by line feeds; none where there is no text that fits.
    text: Option<String>,
    /// The lines that have instructions, each as the step from the one before.
    line: Vec<i64>,
    /// For each column of numbers those of the lines.
    line_numbers: Vec<Vec<Count>>,
    /// The functions that have parts in lines.
    functions: Vec<String>,
    /// The parts that code objects have in lines, by line: the place of the line in `line`, of the function in
    /// `functions`, and how many instructions it is.
    part_line: Vec<usize>,
    part_function: Vec<usize>,
    part_length: Vec<usize>,
    /// The opcodes' names.
    opcodes: Vec<Arc<str>>,
    /// The instructions, part by part: the offset as the step from the one before, the place of the opcode, the argument.
    offset: Vec<i64>,
    opcode: Vec<usize>,
    argument: Vec<u32>,
    instruction_numbers: Vec<Vec<Count>>,
}

/// Writes what the script has to know before it opens a source.
pub(crate) fn write_index(out: &mut dyn Write, recordings: &[Recorded<'_>]) -> io::Result<()> {
    let recordings = recordings.iter().map(recording_index).collect();
    write_data(out, "index", &Index { recordings })
}

/// Writes the sources of a recording, an element for each file.
pub(crate) fn write_sources(out: &mut dyn Write, place: usize, recorded: &Recorded<'_>) -> io::Result<()> {
    let timed = is_timed(recorded);
    for (file, (annotation, source)) in recorded.annotations.iter().zip(&recorded.sources).enumerate() {
        write_data(out, &format!("source-{place}-{file}"), &source_data(&annotation, source, timed))?;
    }
    Ok(())
}

fn is_timed(recorded: &Recorded<'_>) -> bool {
    recorded.lines.totals.time.is_some()
}

fn recording_index(recorded: &Recorded<'_>) -> RecordingIndex {
    let timed = is_timed(recorded);
    let heat = |executions: u128, time: Option<TimeSum>| {
        Count(if timed { time.unwrap_or_default().ns_net } else { executions })
    };
    let mut functions: BTreeMap<&str, Functions> = BTreeMap::new();
    let mut entries: Vec<_> = recorded.functions.entries.iter().collect();
    // Also those of no entry are there: what never ran has no place to go to.
    entries.sort_by(|one, other| one.spot.cmp(&other.spot));
    for entry in entries {
        if let Spot::Function(file, line, name) = &entry.spot {
            let functions = functions.entry(file).or_default();
            functions.name.push(visible(name));
            functions.line.push(*line);
            functions.heat.push(heat(entry.executions, entry.time));
        }
    }
    let by_file: BTreeMap<&str, Count> = recorded
        .by_file
        .entries
        .iter()
        .filter_map(|entry| match &entry.spot {
            Spot::File(file) => Some((&**file, heat(entry.executions, entry.time))),
            _ => None,
        })
        .collect();
    let lines = recorded.lines.entries.iter().filter(|entry| matches!(entry.spot, Spot::Line(..)));
    let most = lines.map(|entry| heat(entry.executions, entry.time).0).max().unwrap_or(0);
    let files = recorded.annotations.files().map(|file| FileIndex {
        label: file_label(file, &recorded.manifest.directory),
        heat: by_file.get(&**file).copied().unwrap_or(Count(0)),
        functions: functions.remove(&**file).unwrap_or_default(),
    });
    let totals = &recorded.lines.totals;
    RecordingIndex {
        line_columns: columns(totals.executions, totals.time, true),
        instruction_columns: columns(totals.executions, totals.time, false),
        heat: if timed { HEAT_OF_TIMES } else { 0 },
        most: Count(most),
        files: files.collect(),
    }
}

/// The place of the net times in the numbers of a line: executions, hits, timed executions, raw cycles, net nanoseconds
/// and their standard error.
const HEAT_OF_TIMES: usize = 4;

/// The columns of lines, or of instructions, which have all numbers but hits.
fn columns(executions: u128, time: Option<TimeSum>, lines: bool) -> Vec<Column> {
    let column = |name, kind, of, total: Option<u128>, estimate| Column {
        name,
        kind,
        of: if lines || of == 0 { of } else { of - 1 },
        total: total.map(Count),
        estimate,
    };
    let mut columns = vec![column("executions", "count", 0, None, false)];
    match time {
        None => columns.push(column("share %", "share", 0, Some(executions), false)),
        Some(time) => columns.extend([
            column("raw cycles each", "each", 3, None, false),
            column("net ms", "milliseconds", 4, None, true),
            column("± %", "error", 5, None, true),
            column("time %", "share", 4, Some(time.ns_net), true),
        ]),
    }
    columns.extend(lines.then(|| column("hits", "count", 1, None, false)));
    columns
}

/// A line's numbers, or an instruction's, which has no hits.
fn numbers(executions: u128, hits: Option<u128>, time: Option<TimeSum>, timed: bool) -> Vec<Count> {
    let mut numbers = vec![Count(executions)];
    numbers.extend(hits.map(Count));
    if timed {
        let time = time.unwrap_or_default();
        let error = time.relative_error().unwrap_or(0.0) * time.ns_net as f64;
        numbers
            .extend([time.timed_executions, time.cycles_raw, time.ns_net, error.round() as u128].map(Count));
    }
    numbers
}

fn source_data(annotation: &Annotation, source: &SourceText, timed: bool) -> SourceData {
    let text = source
        .lines
        .as_ref()
        .map(|lines| lines.iter().map(|line| visible_line(line)).collect::<Vec<String>>().join("\n"));
    let mut data = SourceData {
        warning: source.warning.as_deref().map(visible),
        text,
        line: steps(annotation.lines.keys().copied()),
        line_numbers: by_column(
            annotation.lines.values().map(|line| numbers(line.executions, Some(line.hits), line.time, timed)),
        ),
        functions: Vec::new(),
        part_line: Vec::new(),
        part_function: Vec::new(),
        part_length: Vec::new(),
        opcodes: Vec::new(),
        offset: Vec::new(),
        opcode: Vec::new(),
        argument: Vec::new(),
        instruction_numbers: Vec::new(),
    };
    let mut opcodes: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    let mut functions: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    let instructions =
        || annotation.lines.values().flat_map(|line| &line.code).flat_map(|code| &code.instructions);
    for (place, LineCount { code, .. }) in annotation.lines.values().enumerate() {
        for code in code {
            data.part_line.push(place);
            let next = functions.len();
            let function = *functions.entry(&code.function).or_insert(next);
            if function == next {
                data.functions.push(visible(&code.function));
            }
            data.part_function.push(function);
            data.part_length.push(code.instructions.len());
            for instruction in &code.instructions {
                let next = opcodes.len();
                let opcode = *opcodes.entry(&instruction.opcode).or_insert(next);
                if opcode == next {
                    data.opcodes.push(instruction.opcode.clone());
                }
                data.opcode.push(opcode);
                data.argument.push(instruction.argument);
            }
        }
    }
    data.offset = steps(instructions().map(|instruction| instruction.offset));
    data.instruction_numbers = by_column(
        instructions().map(|instruction| numbers(instruction.executions, None, instruction.time, timed)),
    );
    data
}

/// Numbers as the steps from one to the next, the first from 0: mostly short.
fn steps(numbers: impl Iterator<Item = u32>) -> Vec<i64> {
    let mut last = 0;
    let step = |number: u32| {
        let number = i64::from(number);
        number - std::mem::replace(&mut last, number)
    };
    numbers.map(step).collect()
}

/// Rows of numbers as a list for each of their columns.
fn by_column(rows: impl Iterator<Item = Vec<Count>>) -> Vec<Vec<Count>> {
    let mut columns: Vec<Vec<Count>> = Vec::new();
    for row in rows {
        columns.resize_with(row.len(), Vec::new);
        columns.iter_mut().zip(row).for_each(|(column, number)| column.push(number));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_steps_and_by_column() {
        assert_eq!(steps([0, 7, 9, 2].into_iter()), [0, 7, 2, -7]);
        let columns = by_column([vec![Count(1), Count(2)], vec![Count(3), Count(4)]].into_iter());
        assert_eq!(serde_json::to_string(&columns).unwrap(), "[[1,3],[2,4]]");
        assert!(by_column([].into_iter()).is_empty());
    }

    #[test]
    fn columns_point_to_their_numbers() {
        let time =
            TimeSum { timed_executions: 1, cycles_raw: 2, cycles_net: 4, cycles_net_se: 2, ns_net: 10 };
        let of_line = numbers(9, Some(8), Some(time), true);
        let of_instruction = numbers(9, None, Some(time), true);
        assert_eq!(serde_json::to_string(&of_line).unwrap(), "[9,8,1,2,10,5]");
        assert_eq!(of_line[HEAT_OF_TIMES].0, 10);
        for column in columns(9, Some(time), false) {
            let line =
                columns(9, Some(time), true).into_iter().find(|other| other.name == column.name).unwrap();
            assert_eq!(of_line[line.of].0, of_instruction[column.of].0, "{}", column.name);
        }
    }
}
