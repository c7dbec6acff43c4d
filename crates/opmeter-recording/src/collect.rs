//! From live counter files to a recording: which processes ran, what they executed, what is missing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use opmeter_live::{
    CELLS_EXTENSION, CODE_EXTENSION, CONTROL_NAME, CONTROL_SIZE, CodeLog, Control, Counts, EXTENSION,
    LiveFile, PHASES, Status, Text, Word,
};
use opmeter_opcodes::{Execution, Folding, OpcodeTable};

use crate::code_rows::ProcessCode;
use crate::running::{is_between_programs, is_running};
use crate::sources::sources;
use crate::{Dispatch, Error, OpcodeRow, Phase, Process, ProcessState, Tables, lines};

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
                Err(error) => collected.incomplete.push(format!("one process is missing: {error}")),
            }
        }
        files.retain(|file| !is_between_programs(file));
        files.sort_by_key(|file| (file.word(Word::StartedNs), file.word(Word::Pid)));
        // The newest process of each process ID so far, to tell who started whom.
        let mut newest = BTreeMap::new();
        for (ordinal, file) in files.iter().enumerate() {
            let ordinal = ordinal as u32;
            let parent = newest.get(&file.word(Word::ParentPid)).copied();
            let before = newest.insert(file.word(Word::Pid), ordinal);
            let last = !files[ordinal as usize + 1..].iter().any(|later| same_process(file, later));
            collected.add(ordinal, file, before.or(parent), last && is_running(file));
        }
        collected.tables.lines = lines(&collected.tables.instructions);
        collected.tables.sources = sources(&collected.tables.instructions, &collected.processes);
        if let Some((count, error)) = &collected.unrecorded {
            collected.incomplete.push(format!(
                "{count} of the processes could not be given counters ({error}); what they ran is missing"
            ));
        }
        Ok(collected)
    }

    fn add(&mut self, process: u32, file: &LiveFile, parent: Option<u32>, running: bool) {
        let version = (file.word(Word::Major), file.word(Word::Minor), file.word(Word::Micro));
        let table = OpcodeTable::built_in(version.0 as u8, version.1 as u8);
        let first = self.tables.opcodes.len();
        let mut redispatches = 0;
        for (phase, name) in PHASE_NAMES.into_iter().enumerate() {
            let counts = file.phase(phase);
            redispatches += counts.redispatches;
            if let Some(table) = &table {
                rows(process, name, table, &counts, &mut self.tables.opcodes);
            }
        }
        let code = table.as_ref().map(|table| self.add_code(process, file, table, first)).unwrap_or_default();
        let rows = &self.tables.opcodes[first..];
        let executions = rows.iter().map(|row| row.executions).sum();
        let compiled = rows.iter().any(|row| row.opcode == "ENTER_EXECUTOR");
        let register = (file.word(Word::Register) as usize).checked_sub(1);
        let who = format!("process {process} (PID {})", file.word(Word::Pid));
        let mut missing = |problem: String| self.incomplete.push(format!("{who}: {problem}"));
        let state = match file.status() {
            Status::Metered => ProcessState::Metered,
            Status::Refused => ProcessState::Refused,
            Status::Unmetered | Status::Starting => ProcessState::Unmetered,
        };
        let reason = file.text(Text::Reason);
        match file.status() {
            Status::Metered => {}
            Status::Starting => missing("it ended before the meter was set up".to_owned()),
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
        if file.word(Word::LostCode) > 0 {
            missing(format!(
                "counts by instruction of {} code objects had no room on the disk and are missing",
                file.word(Word::LostCode)
            ));
        }
        if file.word(Word::ByInstruction) == 0 && executions > 2000 {
            missing("it is not known where its instructions ran, only how often each opcode did".to_owned());
        }
        if file.word(Word::SharedSlots) > 0 {
            missing("more threads than can count at a time ran; counts may be short".to_owned());
        }
        if file.word(Word::RepeatsKnown) == 0 && executions > 2000 {
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
                redispatches,
            },
            end: if running { "running" } else { "exited" }.to_owned(),
        });
    }
}

/// What a process's code log says besides its rows.
#[derive(Default)]
struct CodeSummary {
    directory: String,
    torn: Option<String>,
}

impl Collected {
    /// Adds the rows that say where a process's instructions ran. Its opcodes begin at `first`.
    fn add_code(
        &mut self,
        process: u32,
        file: &LiveFile,
        table: &OpcodeTable<'static>,
        first: usize,
    ) -> CodeSummary {
        let read = |extension| fs::read(file.path().with_extension(extension)).unwrap_or_default();
        let (log, torn) = CodeLog::read(&read(CODE_EXTENSION));
        let cells = read(CELLS_EXTENSION);
        let code = ProcessCode { process, opcodes: table, log: &log, cells: &cells };
        let rows = code.rows(&self.tables.opcodes[first..]);
        if file.word(Word::ByInstruction) != 0 {
            self.tables.instructions.extend(rows.instructions);
            self.tables.specialization.extend(rows.specialization);
        }
        CodeSummary {
            directory: log.texts.first().cloned().unwrap_or_default(),
            torn: torn.map(|torn| torn.to_string()),
        }
    }
}

/// The rows of one process and phase: a row for each opcode that ran, and one for each instruction that
/// a combined opcode ran in its stead.
fn rows(process: u32, phase: Phase, table: &OpcodeTable<'_>, counts: &Counts, rows: &mut Vec<OpcodeRow>) {
    let mut next_arrays = counts.next.iter();
    for opcode in table.iter() {
        let number = usize::from(opcode.number);
        let execution = Execution::of(opcode, table);
        let executions = counts.executions[number];
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
        rows(0, Phase::Main, &table, &counts, &mut found);
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
