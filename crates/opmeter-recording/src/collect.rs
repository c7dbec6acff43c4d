//! From live counter files to a recording: which processes ran, what they executed, what is missing.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use opmeter_live::{
    CELLS_EXTENSION, CODE_EXTENSION, CONTROL_NAME, CONTROL_SIZE, CodeLog, Control, Counts, EXTENSION,
    LiveFile, PAIRS_EXTENSION, PHASES, Pairs, ReadError, Status, Text, Word,
};
use opmeter_opcodes::{Execution, Folding, OpcodeTable};
use rustc_hash::FxHashMap;

use crate::code_rows::{CodeRows, ProcessCode};
use crate::pair_rows::pair_rows;
use crate::running::{is_between_programs, is_running};
use crate::sources::sources;
use crate::{
    Dispatch, Error, InstructionRow, LineHits, OpcodeRow, Phase, Process, ProcessState, Tables, lines,
};

/// What live files hold at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    /// The processes that loaded a CPython, in the order in which they began.
    pub processes: Vec<Process>,
    /// What they executed.
    pub tables: Tables,
    /// What is missing, a sentence each.
    pub incomplete: Vec<String>,
    /// Processes whose counters could not be kept: how many, and the system's last error about them.
    pub unrecorded: Option<(u64, String)>,
}

/// Phases by their number in live files.
const PHASE_NAMES: [Phase; PHASES] = [Phase::Startup, Phase::Main, Phase::Shutdown];

/// Registers by the machine's number.
const REGISTERS: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
    "r15",
];

/// Dispatches after which the agent knows the interpreter's registers, and some.
const DISCOVERY: u64 = 2000;

impl Collected {
    /// Reads all live files in a folder. Files that can't be read are named as missing, the others count.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder can't be read.
    pub fn from_live(folder: &Path) -> Result<Self, Error> {
        let mut collected = Self { unrecorded: unrecorded(folder), ..Self::default() };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(|source| Error::io("read", folder, source))? {
            let path = entry.map_err(|source| Error::io("read", folder, source))?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            match LiveFile::read(&path) {
                Ok(file) => files.push(file),
                Err(ReadError::NotBegun(_)) => {}
                Err(error) => collected.incomplete.push(format!("one process is missing: {error}")),
            }
        }
        files.retain(|file| !is_between_programs(file));
        files.sort_by_key(|file| (file.word(Word::StartedNs), file.word(Word::Pid)));
        // The newest process of each process ID so far, to tell who started whom.
        let mut newest = BTreeMap::new();
        let mut hits = Vec::new();
        for (ordinal, file) in files.iter().enumerate() {
            let ordinal = ordinal as u32;
            let parent = newest.get(&file.word(Word::ParentPid)).copied();
            let before = newest.insert(file.word(Word::Pid), ordinal);
            let last = !files[ordinal as usize + 1..].iter().any(|later| same_process(file, later));
            hits.extend(collected.add(ordinal, file, before.or(parent), last && is_running(file)));
        }
        let (instructions, processes) = (&collected.tables.instructions, &collected.processes);
        (collected.tables.lines, collected.tables.sources) = std::thread::scope(|scope| {
            let sources = scope.spawn(|| sources(instructions, processes));
            let lines = lines(instructions, &hits);
            (lines, sources.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        if let Some((count, error)) = &collected.unrecorded {
            collected.incomplete.push(format!(
                "{count} of the processes could not be given counters ({error}); what they ran is missing"
            ));
        }
        Ok(collected)
    }

    /// Adds what one process executed. Gives the hits of lines.
    fn add(&mut self, process: u32, file: &LiveFile, parent: Option<u32>, running: bool) -> Vec<LineHits> {
        let version = (file.word(Word::Major), file.word(Word::Minor), file.word(Word::Micro));
        let table = OpcodeTable::built_in(version.0 as u8, version.1 as u8);
        let first = self.tables.opcodes.len();
        let first_instruction = self.tables.instructions.len();
        let (mut redispatches, mut unplaced) = (0, 0u64);
        let pairs = fs::read(file.path().with_extension(PAIRS_EXTENSION)).unwrap_or_default();
        let code = table.as_ref().map(|table| CodeSummary::of(process, file, table)).unwrap_or_default();
        for (phase, name) in PHASE_NAMES.into_iter().enumerate() {
            let counts = file.phase(phase);
            redispatches += counts.redispatches;
            unplaced = counts.unplaced.iter().fold(unplaced, |sum, count| sum.wrapping_add(*count));
            if let Some(table) = &table {
                let placed = code.rows.executions_by_base(name);
                rows(process, name, table, &counts, &placed, &mut self.tables.opcodes);
                if file.word(Word::Pairs) != 0 {
                    let (current, slots) = (file.word(Word::Phase), file.word(Word::Slots));
                    let pairs = Pairs::of_phase(&pairs, phase, current as usize, slots as usize);
                    self.tables.pairs.extend(pair_rows(process, name, table, &counts, &pairs));
                }
            }
        }
        let rows = &self.tables.opcodes[first..];
        self.tables.instructions.extend(code.rows.instructions);
        self.tables.specialization.extend(code.rows.specialization);
        if let Some(table) = &table {
            self.tables.instructions.extend(placeless(table, rows, code.codes));
        }
        let executions: u64 = rows.iter().map(|row| row.executions).sum();
        if unplaced > 0 {
            // And what combined opcodes executed besides.
            let placed = self.tables.instructions[first_instruction..].iter().map(|row| row.executions);
            unplaced = executions.saturating_sub(placed.sum());
        }
        let compiled = rows.iter().any(|row| row.opcode == "ENTER_EXECUTOR");
        let register = (file.word(Word::Register) as usize).checked_sub(1);
        let who = format!("process {process} (PID {})", file.word(Word::Pid));
        let mut missing = |problem: String| self.incomplete.push(format!("{who}: {problem}"));
        let state = match file.status() {
            Status::Metered => ProcessState::Metered,
            Status::Refused => ProcessState::Refused,
            Status::Unmetered | Status::Starting => ProcessState::Unmetered,
        };
        let mut reason = file.text(Text::Reason);
        if file.status() == Status::Starting && !running {
            reason = "it ended before it ran any bytecode".to_owned();
        }
        match file.status() {
            Status::Metered => {}
            // What has ended by now has run no bytecode.
            Status::Starting if !running => {}
            Status::Starting => missing("the meter was not set up yet".to_owned()),
            Status::Refused | Status::Unmetered => missing(format!("not metered: {reason}")),
        }
        if compiled {
            missing(
                "part of the program ran as code that the JIT compiled, and is not counted; \
                 run it with PYTHON_JIT=0 to count all of it"
                    .to_owned(),
            );
        }
        if let Some(problem) = code.torn {
            missing(problem);
        }
        if unplaced > 0 {
            let why = if file.word(Word::LostCode) > 0 {
                ": no more room for its counts by instruction"
            } else if register.is_none() && executions > DISCOVERY {
                ": no register holds the address of the next instruction"
            } else if register.is_none() {
                ": it ended too soon"
            } else {
                ""
            };
            missing(format!(
                "it is not known where {unplaced} of its {executions} instructions ran, only how often each \
                 opcode did{why}"
            ));
        }
        if file.word(Word::SharedSlots) > 0 {
            missing("more threads than can count at a time ran; counts may be short".to_owned());
        }
        if file.word(Word::RepeatsKnown) == 0 && executions > DISCOVERY {
            missing(
                "dispatches that repeat an instruction could not be told apart, and count as executions"
                    .to_owned(),
            );
        }
        if running {
            missing("it was still running; its counts are those up to the end of the command".to_owned());
        }
        let known = version.0 > 0;
        self.processes.push(Process {
            process,
            pid: file.word(Word::Pid) as u32,
            parent,
            executable: file.text(Text::Executable),
            arguments: file.text(Text::Arguments).split('\u{1f}').map(str::to_owned).collect(),
            directory: code.directory,
            implementation: "CPython".to_owned(),
            python: if known { format!("{}.{}.{}", version.0, version.1, version.2) } else { String::new() },
            build: file.text(Text::Build),
            free_threaded: file.word(Word::FreeThreaded) != 0,
            started: rfc3339(file.word(Word::StartedNs)),
            state,
            reason: (!reason.is_empty()).then_some(reason),
            dispatch: Dispatch {
                table: format!("{:#x}", file.word(Word::TableOffset)),
                module: file.text(Text::Module),
                switch_table: file.word(Word::SwitchOffset) != 0,
                per_thread: file.word(Word::Slots) > 1,
                next_instr_register: register.map(|number| REGISTERS[number & 15].to_owned()),
                executions,
                unplaced,
                redispatches,
            },
            end: if running { "running" } else { "exited" }.to_owned(),
        });
        code.rows.hits
    }
}

/// What a process's code log says.
#[derive(Default)]
struct CodeSummary {
    rows: CodeRows,
    /// How many code objects it has.
    codes: u32,
    directory: String,
    torn: Option<String>,
}

impl CodeSummary {
    fn of(process: u32, file: &LiveFile, table: &OpcodeTable<'static>) -> Self {
        let read = |extension| fs::read(file.path().with_extension(extension)).unwrap_or_default();
        let (log, torn) = CodeLog::read(&read(CODE_EXTENSION));
        let mut summary = Self {
            codes: log.codes.len() as u32,
            directory: log.texts.first().cloned().unwrap_or_default(),
            torn: torn.map(|torn| torn.to_string()),
            ..Self::default()
        };
        if file.word(Word::ByInstruction) != 0 {
            let cells = read(CELLS_EXTENSION);
            summary.rows = ProcessCode { process, opcodes: table, log: &log, cells: &cells }.rows();
        }
        summary
    }
}

/// The rows of one process and phase: a row for each opcode that ran, and one for each instruction that
/// a combined opcode ran in its stead.
///
/// `placed` is how often instructions of each base were executed, of those that were counted by address: a
/// base opcode's own executions are those that neither its forms nor combined opcodes account for.
fn rows(
    process: u32,
    phase: Phase,
    table: &OpcodeTable<'_>,
    counts: &Counts,
    placed: &FxHashMap<&str, u64>,
    rows: &mut Vec<OpcodeRow>,
) {
    let by_forms = by_forms(table, counts);
    let mut next_arrays = counts.next.iter();
    for opcode in table.iter() {
        let number = usize::from(opcode.number);
        let execution = Execution::of(opcode, table);
        let mut executions = counts.executions[number].wrapping_add(counts.unplaced[number]);
        if !opcode.is_derived() && execution.is_instruction && execution.has_place {
            let placed = placed.get(opcode.name).copied().unwrap_or(0);
            let accounted = by_forms.get(opcode.name).copied().unwrap_or(0);
            executions = executions.wrapping_add(placed.saturating_sub(accounted));
        }
        let mut push = |name: String, base: &str, executions: u64| {
            if executions > 0 {
                let base_opcode = base.to_owned();
                rows.push(OpcodeRow {
                    process,
                    phase,
                    opcode: name,
                    base_opcode,
                    number: opcode.number,
                    executions,
                });
            }
        };
        if execution.is_instruction {
            push(opcode.name.to_owned(), opcode.base, executions);
        }
        match execution.folding {
            Folding::None => {}
            Folding::Always(folded) => {
                for base in folded {
                    let executions = executions.saturating_sub(counts.unfolded[number]);
                    push(format!("{}/{base}", opcode.name), base, executions);
                }
            }
            Folding::Next => {
                let Some(array) = next_arrays.next() else { continue };
                let mut by_base = BTreeMap::new();
                for next in table.iter() {
                    *by_base.entry(next.base).or_insert(0) += array[usize::from(next.number)];
                }
                for (base, executions) in by_base {
                    push(format!("{}/{base}", opcode.name), base, executions);
                }
            }
        }
    }
}

/// How often instructions of each base were executed in specialised and other forms, and by combined
/// opcodes, of those that were counted by address.
fn by_forms<'t>(table: &OpcodeTable<'t>, counts: &Counts) -> HashMap<&'t str, u64> {
    let mut sums = HashMap::new();
    let mut add = |base: &'t str, executions: u64| {
        let sum: &mut u64 = sums.entry(base).or_default();
        *sum = sum.wrapping_add(executions);
    };
    let mut next_arrays = counts.next.iter();
    for opcode in table.iter() {
        let number = usize::from(opcode.number);
        let execution = Execution::of(opcode, table);
        if opcode.is_derived() && execution.is_instruction {
            add(opcode.base, counts.executions[number]);
        }
        match execution.folding {
            Folding::None => {}
            Folding::Always(folded) => {
                let executions = counts.executions[number].saturating_sub(counts.unfolded[number]);
                folded.iter().for_each(|base| add(base, executions));
            }
            Folding::Next => {
                let Some(array) = next_arrays.next() else { continue };
                table.iter().for_each(|next| add(next.base, array[usize::from(next.number)]));
            }
        }
    }
    sums
}

/// Rows for what stands in no code object, and is not counted by address. `code` stands for the lack of
/// one.
fn placeless(table: &OpcodeTable<'_>, rows: &[OpcodeRow], code: u32) -> Vec<InstructionRow> {
    let placeless = rows
        .iter()
        .filter(|row| table.named(&row.opcode).is_some_and(|opcode| !Execution::of(opcode, table).has_place));
    let row = |row: &OpcodeRow| InstructionRow {
        process: row.process,
        phase: row.phase,
        file: "".into(),
        function: "".into(),
        first_line: 0,
        line: 0,
        offset: 0,
        opcode: row.base_opcode.as_str().into(),
        executions: row.executions,
        code,
        argument: 0,
    };
    placeless.map(row).collect()
}

/// Whether two files are of the same process, which has executed another program in between.
fn same_process(one: &LiveFile, other: &LiveFile) -> bool {
    let identity = |file: &LiveFile| (file.word(Word::Pid), file.word(Word::StartTicks));
    identity(one) == identity(other)
}

fn unrecorded(folder: &Path) -> Option<(u64, String)> {
    let bytes = fs::read(folder.join(CONTROL_NAME)).ok().filter(|bytes| bytes.len() >= CONTROL_SIZE)?;
    let word = |word: Control| {
        let at = word as usize * 8;
        bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes)
    };
    let count = word(Control::Unrecorded);
    let error = std::io::Error::from_raw_os_error(word(Control::UnrecordedError) as i32);
    (count > 0).then(|| (count, error.to_string()))
}

fn rfc3339(nanoseconds: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_nanos(nanoseconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(minor: u8, set: impl Fn(&OpcodeTable<'_>, &mut Counts)) -> Vec<(String, String, u64)> {
        let table = OpcodeTable::built_in(3, minor).unwrap();
        let mut counts = Counts::zero();
        set(&table, &mut counts);
        let mut found = Vec::new();
        rows(0, Phase::Main, &table, &counts, &FxHashMap::default(), &mut found);
        found.into_iter().map(|row| (row.opcode, row.base_opcode, row.executions)).collect()
    }

    fn number(table: &OpcodeTable<'_>, name: &str) -> usize {
        usize::from(table.named(name).unwrap().number)
    }

    fn row(opcode: &str, base: &str, executions: u64) -> (String, String, u64) {
        (opcode.to_owned(), base.to_owned(), executions)
    }

    #[test]
    fn a_combined_opcode_counts_what_it_stands_for() {
        let rows = run(11, |table, counts| {
            counts.executions[number(table, "PRECALL_NO_KW_LIST_APPEND")] = 10;
            counts.unfolded[number(table, "PRECALL_NO_KW_LIST_APPEND")] = 3;
        });
        assert_eq!(
            rows,
            [
                row("PRECALL_NO_KW_LIST_APPEND", "PRECALL", 10),
                row("PRECALL_NO_KW_LIST_APPEND/CALL", "CALL", 7),
                row("PRECALL_NO_KW_LIST_APPEND/POP_TOP", "POP_TOP", 7),
            ]
        );
    }

    #[test]
    fn a_comparing_jump_counts_the_jump_that_followed() {
        let rows = run(11, |table, counts| {
            counts.executions[number(table, "COMPARE_OP_INT_JUMP")] = 5;
            // The second of the three opcodes that fold whatever follows.
            counts.next[1][number(table, "POP_JUMP_FORWARD_IF_FALSE")] = 4;
            counts.next[1][number(table, "POP_JUMP_BACKWARD_IF_TRUE")] = 1;
        });
        assert_eq!(
            rows,
            [
                row("COMPARE_OP_INT_JUMP", "COMPARE_OP", 5),
                row("COMPARE_OP_INT_JUMP/POP_JUMP_BACKWARD_IF_TRUE", "POP_JUMP_BACKWARD_IF_TRUE", 1),
                row("COMPARE_OP_INT_JUMP/POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_FALSE", 4),
            ]
        );
    }

    #[test]
    fn hooks_are_no_executions() {
        let rows = run(12, |table, counts| {
            counts.executions[number(table, "INSTRUMENTED_LINE")] = 5;
            counts.executions[number(table, "INSTRUMENTED_CALL")] = 2;
        });
        assert_eq!(rows, [row("INSTRUMENTED_CALL", "CALL", 2)]);
    }
}
