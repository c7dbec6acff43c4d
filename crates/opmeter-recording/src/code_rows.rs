//! From a process's code log and cells to rows: which instructions ran, how often, and in which form.

use std::sync::Arc;

use opmeter_code::{Instructions, line_entries, lines};
use opmeter_live::{CodeLog, LoggedCode, LongExecution, PHASES};
use opmeter_opcodes::OpcodeTable;
use rustc_hash::FxHashMap;

use crate::code_files::code_files;
use crate::net_times::CellTime;
use crate::{InstructionRow, LineHits, Phase, SpecializationRow};

/// Phases by their number in live files.
const PHASE_NAMES: [Phase; PHASES] = [Phase::Startup, Phase::Main, Phase::Shutdown];

/// The rows of one process.
#[derive(Debug, Default)]
pub(crate) struct CodeRows {
    /// Executions by instruction.
    pub instructions: Vec<InstructionRow>,
    /// What their cells say of times, for each of them; empty where no times were taken.
    pub times: Vec<CellTime>,
    /// The forms in which instructions of families ran.
    pub specialization: Vec<SpecializationRow>,
    /// Hits of lines, by code object.
    pub hits: Vec<LineHits>,
    /// Long executions that were seen outside of timed slices.
    pub seen: Vec<LongExecution>,
}

impl CodeRows {
    /// Executions in a phase, by the opcode that the compiler wrote.
    pub(crate) fn executions_by_base(&self, phase: Phase) -> FxHashMap<&str, u64> {
        let mut sums = FxHashMap::default();
        for row in self.instructions.iter().filter(|row| row.phase == phase) {
            let sum: &mut u64 = sums.entry(&*row.opcode).or_default();
            *sum = sum.wrapping_add(row.executions);
        }
        sums
    }
}

/// A process's log with what it refers to.
pub(crate) struct ProcessCode<'a> {
    /// The process's ordinal.
    pub process: u32,
    /// Its opcodes.
    pub opcodes: &'a OpcodeTable<'static>,
    /// Its code log.
    pub log: &'a CodeLog,
    /// Its cells, as bytes.
    pub cells: &'a [u8],
    /// Its long executions that were seen outside of timed slices.
    pub seen: &'a [LongExecution],
}

/// What the cells of a code object's units say, by phase; none for a phase in which it did not run.
type Counts = [Option<Cells>; PHASES];

/// What the cells of a code object's units say.
#[derive(Debug, Clone, Default)]
struct Cells {
    executions: Vec<u64>,
    /// As long, or empty where no times were taken.
    times: Vec<CellTime>,
}

impl ProcessCode<'_> {
    /// Makes the rows, in the order in which code objects first ran.
    pub(crate) fn rows(&self) -> CodeRows {
        let texts: Vec<Arc<str>> = self.log.texts.iter().map(|text| text.as_str().into()).collect();
        let names: Vec<Option<Arc<str>>> =
            (0..=255).map(|number| Some(self.opcodes.get(number)?.base.into())).collect();
        let those_that = |hold: &dyn Fn(&str) -> bool| -> Vec<bool> {
            (0..=255).map(|number| self.opcodes.get(number).is_some_and(|opcode| hold(opcode.base))).collect()
        };
        let families = those_that(&|base| self.opcodes.specialises(base));
        // In 3.11 misses of some families stand in the cell of the second inline cache entry.
        let in_cells = those_that(&|base| self.opcodes.misses_in_cell(base));
        let counts = self.counts();
        let misses = self.misses();
        let mut rows = CodeRows::default();
        let files = code_files(self.log, self.opcodes, &texts);
        for (number, ((code, counts), file)) in self.log.codes.iter().zip(counts).zip(files).enumerate() {
            let text = |number: u32| texts.get(number as usize).cloned().unwrap_or_default();
            let common = InstructionRow {
                process: self.process,
                phase: Phase::Startup,
                file,
                function: text(code.function),
                first_line: code.first_line,
                line: 0,
                offset: 0,
                opcode: "".into(),
                executions: 0,
                code: number as u32,
                argument: 0,
                time: None,
            };
            if code.own {
                own_rows(code, &counts, &common, &names, &mut rows);
                continue;
            }
            let version = self.opcodes.version();
            let lines = lines(version, code.first_line, &code.line_table, code.bytecode.len());
            for instruction in Instructions::of(self.opcodes, &code.bytecode) {
                let unit = instruction.offset as usize / 2;
                // Most instructions of the interpreter's start have no row.
                let row = || InstructionRow {
                    line: lines.get(unit).copied().unwrap_or(0),
                    offset: instruction.offset,
                    opcode: names[usize::from(instruction.number)].clone().unwrap_or_else(|| "?".into()),
                    argument: instruction.argument,
                    ..common.clone()
                };
                let family = families[usize::from(instruction.number)];
                let in_cell = in_cells[usize::from(instruction.number)];
                let missed = |phase: usize| {
                    let told = misses.get(&(number as u32, phase as u32, unit as u32)).copied().unwrap_or(0);
                    let counted = if in_cell { at(&counts, phase, unit + 2) } else { 0 };
                    counted.saturating_add(told)
                };
                add_instruction(row, unit, &counts, &mut rows, family, missed);
            }
            self.add_hits(code, &lines, &counts, &common.file, &mut rows.hits);
        }
        rows
    }

    /// Adds how often the lines of a code object were come to.
    fn add_hits(
        &self,
        code: &LoggedCode,
        lines: &[u32],
        counts: &Counts,
        file: &Arc<str>,
        hits: &mut Vec<LineHits>,
    ) {
        let entries = line_entries(self.opcodes, &code.bytecode, lines);
        for (phase, cells) in PHASE_NAMES.into_iter().zip(counts) {
            let Some(cells) = cells else { continue };
            let at = |offset: u32| cells.executions.get(offset as usize / 2).copied().unwrap_or(0);
            for entry in &entries {
                let less = entry.less.iter().fold(0u64, |sum, offset| sum.saturating_add(at(*offset)));
                let count = at(entry.offset).saturating_sub(less);
                if count > 0 {
                    let (process, file, line) = (self.process, file.clone(), entry.line);
                    hits.push(LineHits { process, phase, file, line, hits: count });
                }
            }
        }
    }

    fn counts(&self) -> Vec<Counts> {
        let mut counts: Vec<Counts> = vec![Default::default(); self.log.codes.len()];
        let mut seen = self.seen.to_vec();
        seen.sort_unstable_by_key(|execution| execution.cell);
        // Blocks have cells of their own each: those of a damaged log that have the same are not read over and over.
        let mut left = self.cells.len();
        for block in &self.log.blocks {
            let Some(code) = self.log.codes.get(block.code as usize) else { continue };
            let Some(counts) = counts[block.code as usize].get_mut(block.phase as usize) else { continue };
            let length = code.bytecode.len() / 2;
            let sums = counts.get_or_insert_with(Cells::default);
            sums.executions.resize(length, 0);
            let start = usize::try_from(block.offset).unwrap_or(usize::MAX);
            let size = if block.timed { 32 } else { 8 };
            let cells = self.cells.get(start..).unwrap_or_default();
            let cells = &cells[..cells.len().min(length.saturating_mul(size)).min(left)];
            left -= cells.len();
            let cells = cells.chunks_exact(size);
            let word =
                |cell: &[u8], index: usize| cell[index * 8..][..8].try_into().map_or(0, u64::from_le_bytes);
            if block.timed {
                sums.times.resize(length, CellTime::default());
                let first = seen.partition_point(|execution| execution.cell < block.address);
                for execution in &seen[first..] {
                    let unit = (execution.cell - block.address) as usize / size;
                    let Some(time) = sums.times.get_mut(unit) else { break };
                    time.seen = time.seen.saturating_add(execution.nanoseconds);
                }
            }
            for (unit, cell) in cells.enumerate() {
                let mut executions = word(cell, 0);
                if block.timed {
                    let time = &mut sums.times[unit];
                    executions = executions.wrapping_add(word(cell, 1));
                    time.executions = time.executions.wrapping_add(word(cell, 1));
                    time.segments = time.segments.wrapping_add(word(cell, 2));
                    time.cycles = time.cycles.wrapping_add(word(cell, 3));
                }
                sums.executions[unit] = sums.executions[unit].wrapping_add(executions);
            }
        }
        counts
    }

    fn misses(&self) -> FxHashMap<(u32, u32, u32), u64> {
        let mut misses = FxHashMap::default();
        for miss in &self.log.misses {
            let sum: &mut u64 = misses.entry((miss.code, miss.phase, miss.unit)).or_default();
            *sum = sum.saturating_add(miss.count);
        }
        misses
    }
}

/// The count of a code unit in a phase.
fn at(counts: &Counts, phase: usize, unit: usize) -> u64 {
    counts[phase].as_ref().and_then(|cells| cells.executions.get(unit)).copied().unwrap_or(0)
}

/// The times of a code unit in a phase.
fn time_at(counts: &Counts, phase: usize, unit: usize) -> CellTime {
    counts[phase].as_ref().and_then(|cells| cells.times.get(unit)).copied().unwrap_or_default()
}

/// Adds the rows of an instruction: one for each phase in which it ran, or one without executions.
fn add_instruction(
    row: impl Fn() -> InstructionRow,
    unit: usize,
    counts: &Counts,
    rows: &mut CodeRows,
    family: bool,
    missed: impl Fn(usize) -> u64,
) {
    for (phase, name) in PHASE_NAMES.into_iter().enumerate() {
        let executions = at(counts, phase, unit);
        if executions == 0 {
            continue;
        }
        let row = InstructionRow { phase: name, executions, ..row() };
        if family {
            let unspecialized = at(counts, phase, unit + 1).min(executions);
            let missed = missed(phase).min(executions - unspecialized);
            rows.specialization.push(SpecializationRow {
                process: row.process,
                phase: name,
                file: row.file.clone(),
                function: row.function.clone(),
                first_line: row.first_line,
                line: row.line,
                offset: row.offset,
                opcode: row.opcode.clone(),
                executions,
                specialized: executions - unspecialized - missed,
                unspecialized,
                missed,
                code: row.code,
            });
        }
        rows.instructions.push(row);
        rows.times.push(time_at(counts, phase, unit));
    }
    // What the interpreter's own start left out is of no interest.
    let first = (1..PHASES).find(|phase| counts[*phase].is_some());
    if let Some(first) = first.filter(|_| (0..PHASES).all(|phase| at(counts, phase, unit) == 0)) {
        rows.instructions.push(InstructionRow { phase: PHASE_NAMES[first], ..row() });
        rows.times.push(CellTime::default());
    }
}

/// Adds the rows of instructions that belong to no code object: only those that ran are instructions.
fn own_rows(
    code: &LoggedCode,
    counts: &Counts,
    common: &InstructionRow,
    names: &[Option<Arc<str>>],
    rows: &mut CodeRows,
) {
    for (phase, (name, cells)) in PHASE_NAMES.into_iter().zip(counts).enumerate() {
        let executions = cells.iter().flat_map(|cells| &cells.executions);
        for (unit, executions) in executions.enumerate().filter(|(_, executions)| **executions > 0) {
            let number = code.bytecode.get(unit * 2).copied().unwrap_or(0);
            let argument = code.bytecode.get(unit * 2 + 1).copied().unwrap_or(0);
            rows.times.push(time_at(counts, phase, unit));
            rows.instructions.push(InstructionRow {
                phase: name,
                offset: unit as u32 * 2,
                opcode: names[usize::from(number)].clone().unwrap_or_else(|| "?".into()),
                executions: *executions,
                argument: u32::from(argument),
                ..common.clone()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use opmeter_live::{Block, Misses};

    use super::*;

    fn table() -> OpcodeTable<'static> {
        OpcodeTable::built_in(3, 12).unwrap()
    }

    /// Bytecode of 3.12: names with arguments; `CACHE` for an inline cache entry.
    fn bytecode(instructions: &[(&str, u8)]) -> Vec<u8> {
        let unit = |&(name, argument): &(&str, u8)| [table().named(name).unwrap().number, argument];
        instructions.iter().flat_map(unit).collect()
    }

    /// `def add(a): return a + a`, with the body in the line below the first. The line table has two entries
    /// without columns (form 13): one unit with no line more, four with one more.
    fn add() -> LoggedCode {
        let body = [("RESUME", 0), ("LOAD_FAST", 0), ("BINARY_OP", 0), ("CACHE", 0), ("RETURN_VALUE", 0)];
        LoggedCode {
            file: 1,
            function: 2,
            first_line: 7,
            bytecode: bytecode(&body),
            line_table: vec![0x80 | 13 << 3, 0, 0x80 | 13 << 3 | 3, 2],
            own: false,
        }
    }

    fn rows(codes: Vec<LoggedCode>, blocks: &[(u32, u32, &[u64])], misses: Vec<Misses>) -> CodeRows {
        let mut cells = Vec::new();
        let mut log = CodeLog { codes, misses, ..CodeLog::default() };
        log.texts = ["/home", "add.py", "add"].map(str::to_owned).to_vec();
        for (code, phase, counts) in blocks {
            log.blocks.push(Block {
                code: *code,
                phase: *phase,
                offset: cells.len() as u64,
                timed: false,
                address: 0,
            });
            cells.extend(counts.iter().flat_map(|count| count.to_le_bytes()));
        }
        ProcessCode { process: 4, opcodes: &table(), log: &log, cells: &cells, seen: &[] }.rows()
    }

    fn brief(rows: &CodeRows) -> Vec<(Phase, &str, u32, u32, u64)> {
        let row = |row: &InstructionRow| (row.phase, row.line, row.offset, row.executions);
        rows.instructions
            .iter()
            .map(|one| (row(one).0, &*one.opcode, row(one).1, row(one).2, row(one).3))
            .collect()
    }

    #[test]
    fn instructions_are_counted_by_phase_and_those_that_never_ran_are_named_once() {
        let found = rows(vec![add()], &[(0, 0, &[1, 1, 0, 0, 0]), (0, 1, &[3, 3, 3, 1, 0])], Vec::new());
        let expected = [
            (Phase::Startup, "RESUME", 7, 0, 1),
            (Phase::Main, "RESUME", 7, 0, 3),
            (Phase::Startup, "LOAD_FAST", 8, 2, 1),
            (Phase::Main, "LOAD_FAST", 8, 2, 3),
            (Phase::Main, "BINARY_OP", 8, 4, 3),
            (Phase::Main, "RETURN_VALUE", 8, 8, 0),
        ];
        assert_eq!(brief(&found), expected);
        assert!(found.instructions.iter().all(|row| &*row.file == "add.py" && &*row.function == "add"));
        assert_eq!(found.executions_by_base(Phase::Main)["LOAD_FAST"], 3);
        // Of what only ran at the start, only what did.
        let found = rows(vec![add()], &[(0, 0, &[1, 1, 0, 0, 0])], Vec::new());
        assert_eq!(brief(&found), [expected[0], expected[2]]);
    }

    #[test]
    fn blocks_of_a_code_object_are_added_up_and_torn_ones_count_as_far_as_they_go() {
        let blocks: [(u32, u32, &[u64]); 3] =
            [(0, 1, &[3, 3, 3, 0, 3]), (0, 1, &[1, 1, 1, 0, 1]), (0, 2, &[5])];
        let found = rows(vec![add()], &blocks, Vec::new());
        let of =
            |phase| brief(&found).iter().filter(|row| row.0 == phase).map(|row| row.4).collect::<Vec<_>>();
        assert_eq!((of(Phase::Main), of(Phase::Shutdown)), (vec![4, 4, 4, 4], vec![5]));
        // A block of a code object that the log lost, and one of a phase that there is not.
        assert!(rows(vec![add()], &[(9, 1, &[1; 5]), (0, 3, &[1; 5])], Vec::new()).instructions.is_empty());
    }

    #[test]
    fn forms_of_a_family_add_up() {
        let miss = |phase, count| Misses { code: 0, phase, unit: 2, count };
        let cells: &[u64] = &[9, 9, 9, 2, 9];
        let found =
            rows(vec![add()], &[(0, 1, cells), (0, 2, cells)], vec![miss(1, 3), miss(1, 1), miss(2, 50)]);
        let forms: Vec<_> = found
            .specialization
            .iter()
            .map(|row| (row.phase, &*row.opcode, row.offset, row.specialized, row.unspecialized, row.missed))
            .collect();
        // More failures than there can have been are of code that had the place before.
        let expected = [(Phase::Main, "BINARY_OP", 4, 3, 2, 4), (Phase::Shutdown, "BINARY_OP", 4, 0, 2, 7)];
        assert_eq!(forms, expected);
    }

    #[test]
    fn a_line_is_hit_where_it_is_come_to() {
        let found = rows(vec![add()], &[(0, 0, &[1, 1, 1, 0, 1]), (0, 1, &[3, 3, 3, 1, 3])], Vec::new());
        let hits: Vec<_> = found.hits.iter().map(|hit| (hit.phase, hit.line, hit.hits)).collect();
        assert_eq!(hits, [(Phase::Startup, 8, 1), (Phase::Main, 8, 3)]);
    }

    #[test]
    fn the_interpreters_own_instructions_have_rows_only_where_they_ran() {
        let own = LoggedCode {
            file: 9,
            function: 9,
            bytecode: bytecode(&[("CACHE", 0), ("INTERPRETER_EXIT", 0)]),
            own: true,
            ..add()
        };
        let found = rows(vec![add(), own], &[(1, 1, &[0, 6])], Vec::new());
        assert_eq!(brief(&found), [(Phase::Main, "INTERPRETER_EXIT", 0, 2, 6)]);
        assert_eq!((&*found.instructions[0].file, found.instructions[0].code), ("", 1));
    }
}
