use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

use opmeter_recording::{InstructionRow, LineRow, Tables};

use crate::{Ran, RowFilter, Target, TimeSum, Totals};

/// How often one instruction ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionCount {
    /// Where it stands in its code object's bytecode, in bytes.
    pub offset: u32,
    /// The opcode that the compiler wrote.
    pub opcode: Arc<str>,
    /// Its argument; 0 where it has none.
    pub argument: u32,
    /// How often it was executed.
    pub executions: u128,
    /// How long that took, where times were taken.
    pub time: Option<TimeSum>,
}

/// The part that a code object has in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeObject {
    /// Its qualified name.
    pub function: Arc<str>,
    /// Its first line.
    pub first_line: u32,
    /// Its instructions on the line, by offset.
    pub instructions: Vec<InstructionCount>,
}

/// How often a line ran, and what it consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCount {
    /// Executions of its instructions.
    pub executions: u128,
    /// How often it was entered.
    pub hits: u128,
    /// How long its instructions took, where times were taken.
    pub time: Option<TimeSum>,
    /// The code objects that have a part in it, by first line and name. Those that are alike in all but
    /// their counts, such as those of several processes, are one.
    pub code: Vec<CodeObject>,
}

/// How often the lines of one file ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// What is annotated.
    pub target: Target,
    /// The lines that are shown; none for all of the file's.
    pub range: Option<RangeInclusive<u32>>,
    /// The lines that have instructions, those that never ran included, in the range; line 0 for
    /// instructions that belong to none.
    pub lines: BTreeMap<u32, LineCount>,
    /// Executions of these lines.
    pub executions: u128,
    /// All executions of the recording that are taken, in whatever file.
    pub totals: Totals,
}

/// What tells code objects apart when they are put together: name, first line, and the bytecode by line.
type Shape<'a> = (u32, &'a Arc<str>, Vec<(u32, u32, &'a Arc<str>, u32)>);

/// The instructions of a code object by offset, a row of each and how often it ran.
type ByOffset<'a> = BTreeMap<u32, (&'a InstructionRow, Ran)>;

impl Annotation {
    /// Adds up what `filter` takes of a file or function.
    pub fn new(tables: &Tables, filter: RowFilter, target: Target) -> Annotation {
        let totals = Totals::add_up(&tables.instructions, filter, |_| true, |_| {});
        let instructions: Vec<&InstructionRow> =
            tables.instructions.iter().filter(|row| row.file == target.file).collect();
        let lines: Vec<&LineRow> = tables.lines.iter().filter(|row| row.file == target.file).collect();
        Annotation::of_rows(target, &instructions, &lines, totals)
    }

    /// Adds up the rows of the target's file; `totals` tells which of them are taken.
    pub(crate) fn of_rows(
        target: Target,
        instructions: &[&InstructionRow],
        line_rows: &[&LineRow],
        totals: Totals,
    ) -> Annotation {
        let rows = || instructions.iter().copied();
        let range =
            target.function.as_ref().map(|(function, first)| *first..=last_line(rows(), function, *first));
        let shown = |line: u32| range.as_ref().is_none_or(|range| range.contains(&line));
        let mut lines: BTreeMap<u32, LineCount> = BTreeMap::new();
        for row in line_rows.iter().copied().filter(|row| shown(row.line)) {
            if !totals.filter.takes_process(row.process) {
                continue;
            }
            // A line that only other phases ran is there all the same, with nothing.
            let line = lines.entry(row.line).or_default();
            if totals.filter.takes(row) {
                line.executions += u128::from(row.executions);
                line.hits += u128::from(row.hits);
                if let Some(time) = &row.time {
                    line.time.get_or_insert_default().add(time.into());
                }
            }
        }
        for ((first_line, function, shape), counts) in code_objects(rows(), &totals.filter) {
            let mut parts: BTreeMap<u32, Vec<InstructionCount>> = BTreeMap::new();
            for ((line, offset, opcode, argument), Ran { executions, time }) in shape.into_iter().zip(counts)
            {
                let opcode = opcode.clone();
                let instruction = InstructionCount { offset, opcode, argument, executions, time };
                parts.entry(line).or_default().push(instruction);
            }
            for (line, instructions) in parts.into_iter().filter(|(line, _)| shown(*line)) {
                let part = CodeObject { function: function.clone(), first_line, instructions };
                lines.entry(line).or_default().code.push(part);
            }
        }
        let executions = lines.values().map(|line| line.executions).sum();
        Annotation { target, range, lines, executions, totals }
    }
}

/// The last line of a function and of those inside it.
fn last_line<'a>(rows: impl Iterator<Item = &'a InstructionRow>, function: &str, first: u32) -> u32 {
    let inside = format!("{function}.");
    // By first line and whether it is inside: the last line.
    let mut ends: BTreeMap<(u32, bool), u32> = BTreeMap::new();
    for row in rows.filter(|row| row.first_line >= first) {
        let own = &*row.function == function && row.first_line == first;
        if own || row.function.starts_with(&inside) {
            let end = ends.entry((row.first_line, !own)).or_default();
            *end = row.line.max(*end);
        }
    }
    // What begins behind the end is inside another function of the same name.
    let inside_of = |end: u32, ((begin, _), last)| if begin <= end { end.max(last) } else { end };
    ends.into_iter().fold(first, inside_of)
}

/// The file's code objects in the order of first line, name and bytecode, and for each how often its
/// instructions ran, in the order of their offsets.
fn code_objects<'a>(
    rows: impl Iterator<Item = &'a InstructionRow>,
    filter: &RowFilter,
) -> BTreeMap<Shape<'a>, Vec<Ran>> {
    let mut objects: HashMap<(u32, u32), ByOffset<'_>> = HashMap::new();
    for row in rows {
        let instructions = objects.entry((row.process, row.code)).or_default();
        let ran = &mut instructions.entry(row.offset).or_insert((row, Ran::default())).1;
        if filter.takes(row) {
            ran.add(Ran::of(row));
        }
    }
    let mut shapes: BTreeMap<Shape<'_>, Vec<Ran>> = BTreeMap::new();
    for ((process, _), instructions) in objects {
        let Some((first, _)) = instructions.values().next() else { continue };
        if !filter.takes_process(process) {
            continue;
        }
        let shape = instructions.values().map(|(row, _)| (row.line, row.offset, &row.opcode, row.argument));
        let shape = (first.first_line, &first.function, shape.collect());
        let sums = shapes.entry(shape).or_insert_with(|| vec![Ran::default(); instructions.len()]);
        for (sum, (_, ran)) in sums.iter_mut().zip(instructions.values()) {
            sum.add(*ran);
        }
    }
    shapes
}
