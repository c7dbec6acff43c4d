use std::collections::BTreeMap;
use std::sync::Arc;

use opmeter_recording::{Manifest, Phase, Process, Tables};

use crate::EventCounts;

/// Two counts of the same thing that are not alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Executions of an opcode: of the opcodes table, and of its instructions added up.
    Opcode {
        /// The opcode that the compiler wrote.
        opcode: String,
        /// Executions in the opcodes table.
        opcodes: u128,
        /// Executions in the instructions table.
        instructions: u128,
    },
    /// Executions of an opcode: of the opcodes table, and of its events.
    Events {
        /// The opcode as it was executed.
        opcode: Arc<str>,
        /// Executions in the opcodes table.
        opcodes: u128,
        /// Its events.
        events: u128,
    },
    /// Executions of a line: of its instructions added up, and of the lines table.
    Line {
        /// The file.
        file: Arc<str>,
        /// The line.
        line: u32,
        /// Executions in the instructions table.
        instructions: u128,
        /// Executions in the lines table.
        lines: u128,
    },
    /// Executions of an instruction of a specialising family, and of its forms added up.
    Forms {
        /// The file.
        file: Arc<str>,
        /// The line.
        line: u32,
        /// The family.
        opcode: Arc<str>,
        /// All executions.
        executions: u128,
        /// Specialised, unspecialised and missed executions.
        forms: u128,
    },
}

impl Difference {
    /// By how much an opcode's instructions fall short of it.
    fn unplaced(&self) -> Option<u128> {
        match self {
            Self::Opcode { opcodes, instructions, .. } => opcodes.checked_sub(*instructions),
            Self::Events { .. } | Self::Line { .. } | Self::Forms { .. } => None,
        }
    }

    /// By how much the two counts differ.
    fn size(&self) -> u128 {
        match self {
            Self::Opcode { opcodes, instructions, .. } => opcodes.abs_diff(*instructions),
            Self::Events { opcodes, events, .. } => opcodes.abs_diff(*events),
            Self::Line { instructions, lines, .. } => instructions.abs_diff(*lines),
            Self::Forms { executions, forms, .. } => executions.abs_diff(*forms),
        }
    }

    fn comparison(&self) -> Comparison {
        match self {
            Self::Opcode { .. } => Comparison::Opcode,
            Self::Events { .. } => Comparison::Events,
            Self::Line { .. } => Comparison::Line,
            Self::Forms { .. } => Comparison::Forms,
        }
    }
}

/// What is compared: the kinds of [`Difference`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Opcode,
    Events,
    Line,
    Forms,
}

/// What was checked in one process: one phase, or all phases where threads counted at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPart {
    /// The process's ordinal.
    pub process: u32,
    /// The phase; none for all phases together.
    pub phase: Option<Phase>,
    /// Different opcodes that ran.
    pub opcodes: usize,
    /// Different lines that have instructions.
    pub lines: usize,
    /// Executions in the opcodes table.
    pub executions: u128,
    /// Executions of which only the opcode is known, as the manifest says of the process.
    pub unplaced: u128,
    /// Executions that lack in one count or the other because the process was ended at that instant.
    pub cut_short: u128,
    /// Whether the process counted on while it was read, so that nothing could be compared.
    pub running: bool,
    /// What does not add up.
    pub differences: Vec<Difference>,
}

/// Whether the tables of a recording, which were counted in different ways, say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// By process and phase.
    pub parts: Vec<CheckedPart>,
    /// How each process ended.
    ends: BTreeMap<u32, End>,
}

/// How a process ended, as far as its counts depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// In good order.
    Settled,
    /// In this phase, at whatever instant. So many threads may have been between one count and the next.
    CutShort(Phase, u128),
    /// It runs on.
    Running,
}

impl End {
    fn of(process: &Process) -> Self {
        match process.last_phase {
            _ if process.end == Process::RUNNING => Self::Running,
            Some(phase) if phase != Phase::Shutdown => {
                Self::CutShort(phase, u128::from(process.dispatch.slots.max(1)))
            }
            _ => Self::Settled,
        }
    }
}

/// The most instructions that one dispatch executes (3.11: a call that appends to a list).
const MOST_COMBINED: u128 = 3;

/// A process, and a phase unless its phases are taken together.
type Part = (u32, Option<Phase>);

/// The sums of two tables, side by side.
type Sums<K> = BTreeMap<K, (u128, u128)>;

#[derive(Default)]
struct Sides<'a> {
    opcodes: Sums<&'a str>,
    lines: Sums<(&'a Arc<str>, u32)>,
    forms: Vec<Difference>,
}

impl Check {
    /// Checks a recording: instructions against opcodes, lines against instructions, the forms of
    /// specialising instructions against their executions.
    pub fn new(manifest: &Manifest, tables: &Tables) -> Check {
        let together: Vec<u32> = manifest
            .processes
            .iter()
            .filter(|process| phases_together(process))
            .map(|process| process.process)
            .collect();
        let part = |process: u32, phase: Phase| (process, (!together.contains(&process)).then_some(phase));
        let mut parts: BTreeMap<Part, Sides<'_>> = BTreeMap::new();
        for row in tables.opcodes.iter().filter(|row| row.executions > 0) {
            let sides = parts.entry(part(row.process, row.phase)).or_default();
            sides.opcodes.entry(&row.base_opcode).or_default().0 += u128::from(row.executions);
        }
        for row in &tables.instructions {
            let sides = parts.entry(part(row.process, row.phase)).or_default();
            sides.lines.entry((&row.file, row.line)).or_default().0 += u128::from(row.executions);
            if row.executions > 0 {
                sides.opcodes.entry(&row.opcode).or_default().1 += u128::from(row.executions);
            }
        }
        for row in &tables.lines {
            let sides = parts.entry(part(row.process, row.phase)).or_default();
            sides.lines.entry((&row.file, row.line)).or_default().1 += u128::from(row.executions);
        }
        for row in &tables.specialization {
            let executions = u128::from(row.executions);
            let forms = [row.specialized, row.unspecialized, row.missed].map(u128::from).iter().sum();
            if executions != forms {
                let (file, opcode) = (row.file.clone(), row.opcode.clone());
                let difference = Difference::Forms { file, line: row.line, opcode, executions, forms };
                parts.entry(part(row.process, row.phase)).or_default().forms.push(difference);
            }
        }
        let mut check = Check {
            parts: parts.into_iter().map(|(part, sides)| sides.compare(part)).collect(),
            ends: manifest.processes.iter().map(|process| (process.process, End::of(process))).collect(),
        };
        for process in manifest.processes.iter().filter(|process| process.dispatch.unplaced > 0) {
            check.expect_unplaced(process.process, u128::from(process.dispatch.unplaced));
        }
        check.allow_for_ends();
        check
    }

    /// Checks the events, too: against the opcodes.
    pub fn add_events(&mut self, tables: &Tables, events: &EventCounts) {
        let together =
            |process| self.parts.iter().any(|part| part.process == process && part.phase.is_none());
        let part = |process, phase| (process, (!together(process)).then_some(phase));
        let mut sums: BTreeMap<(Part, &str), (u128, u128)> = BTreeMap::new();
        for row in tables.opcodes.iter().filter(|row| events.processes.contains(&row.process)) {
            let sum = sums.entry((part(row.process, row.phase), &row.opcode)).or_default();
            sum.0 += u128::from(row.executions);
        }
        for ((process, phase, opcode), count) in &events.counts {
            sums.entry((part(*process, *phase), opcode)).or_default().1 += u128::from(*count);
        }
        let unlike = sums.into_iter().filter(|(_, (opcodes, events))| opcodes != events);
        let unlike: Vec<(Part, Difference)> = unlike
            .map(|((part, opcode), (opcodes, events))| {
                (part, Difference::Events { opcode: opcode.into(), opcodes, events })
            })
            .collect();
        for (part, difference) in unlike {
            let checked = self.parts.iter_mut().find(|checked| (checked.process, checked.phase) == part);
            checked.into_iter().for_each(|checked| checked.differences.push(difference.clone()));
        }
        self.allow_for_ends();
    }

    /// Takes out the differences that come from how a process ended: of one that runs on, all; of one that was cut short,
    /// those of the dispatch that each thread was at.
    fn allow_for_ends(&mut self) {
        for part in &mut self.parts {
            match self.ends.get(&part.process) {
                Some(End::Running) => {
                    part.running = true;
                    part.differences.clear();
                }
                Some(End::CutShort(last, threads)) if part.phase.is_none_or(|phase| phase == *last) => {
                    let by = |comparison: Comparison| -> u128 {
                        let of = part.differences.iter().filter(|one| one.comparison() == comparison);
                        of.map(Difference::size).sum()
                    };
                    let allowed = [Comparison::Opcode, Comparison::Events, Comparison::Forms];
                    let allowed = allowed.map(|comparison| (comparison, by(comparison)));
                    let few = |sum: u128| sum > 0 && sum <= threads * MOST_COMBINED;
                    for (comparison, sum) in allowed.into_iter().filter(|(_, sum)| few(*sum)) {
                        part.cut_short += sum;
                        part.differences.retain(|one| one.comparison() != comparison);
                    }
                }
                _ => {}
            }
        }
    }

    /// So many executions of a process lack in its instructions: which, if that is what lacks.
    fn expect_unplaced(&mut self, process: u32, expected: u128) {
        let parts = || self.parts.iter().filter(|part| part.process == process);
        let lacking = parts().flat_map(|part| &part.differences).filter_map(Difference::unplaced);
        if lacking.sum::<u128>() != expected {
            return;
        }
        for part in self.parts.iter_mut().filter(|part| part.process == process) {
            part.unplaced = part.differences.iter().filter_map(Difference::unplaced).sum();
            part.differences.retain(|difference| difference.unplaced().is_none());
        }
    }

    /// Whether everything that could be compared adds up.
    pub fn is_ok(&self) -> bool {
        self.parts.iter().all(|part| part.differences.is_empty())
    }
}

/// Whether the end of a phase is not one moment in all tables of a process.
fn phases_together(process: &Process) -> bool {
    process.free_threaded || process.dispatch.per_thread
}

impl Sides<'_> {
    fn compare(self, (process, phase): Part) -> CheckedPart {
        let executions = self.opcodes.values().map(|(opcodes, _)| opcodes).sum();
        let mut differences = Vec::new();
        let unlike = self.opcodes.iter().filter(|(_, (opcodes, instructions))| opcodes != instructions);
        differences.extend(unlike.map(|(opcode, &(opcodes, instructions))| Difference::Opcode {
            opcode: (*opcode).to_owned(),
            opcodes,
            instructions,
        }));
        let unlike = self.lines.iter().filter(|(_, (instructions, lines))| instructions != lines);
        differences.extend(unlike.map(|(&(file, line), &(instructions, lines))| Difference::Line {
            file: file.clone(),
            line,
            instructions,
            lines,
        }));
        differences.extend(self.forms);
        CheckedPart {
            process,
            phase,
            opcodes: self.opcodes.len(),
            lines: self.lines.len(),
            executions,
            unplaced: 0,
            cut_short: 0,
            running: false,
            differences,
        }
    }
}
