//! From live counter files to a recording: which processes ran, what they executed, what is missing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use opmeter_files::read_whole;
use opmeter_live::{
    CELLS_EXTENSION, CODE_EXTENSION, CONTROL_NAME, CONTROL_SIZE, CodeLog, Control, EXTENSION, LONG_EXTENSION,
    LiveFile, LongExecution, MAX_SLOTS, PAIRS_EXTENSION, PHASES, Pairs, RING_EXTENSION, ReadError, RingFile,
    RingWord, Status, TIMES_EXTENSION, Text, Word, read_companion,
};
use opmeter_opcodes::OpcodeTable;

use crate::code_rows::{CodeRows, ProcessCode};
use crate::events::{EVENTS_EXTENSION, EVENTS_FOLDER, EventFile, event_sites};
use crate::missing::missing;
use crate::opcode_rows::{opcode_rows, placeless_rows};
use crate::pair_rows::pair_rows;
use crate::running::{is_between_programs, is_running};
use crate::saturating_sum::saturating_sum;
use crate::side_by_side::side_by_side;
use crate::sources::sources;
use crate::time_rows::fill_times;
use crate::{
    Dispatch, Error, EventSiteRow, EventSummary, LineHits, Outliving, Phase, Process, ProcessState, Tables,
    lines,
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
    /// Processes that outlive the command and have not counted anything.
    pub uncounted: Vec<Outliving>,
}

/// Phases by their number in live files.
const PHASE_NAMES: [Phase; PHASES] = [Phase::Startup, Phase::Main, Phase::Shutdown];

/// Registers by the machine's number.
const REGISTERS: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
    "r15",
];

impl Collected {
    /// Reads all live files in a folder. Files that can't be read are named as missing, the others count. `outliving` are
    /// the processes that the command has left running, if it has ended.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder can't be read.
    pub fn from_live(folder: &Path, outliving: &[Outliving]) -> Result<Self, Error> {
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
            let outlives = || outliving.iter().any(|process| process.counts_in(file));
            let running = last && (is_running(file) || outlives());
            hits.extend(collected.add(ordinal, file, before.or(parent), running));
        }
        collected.name_uncounted(outliving, &files);
        let (instructions, processes) = (&collected.tables.instructions, &collected.processes);
        let ((sources, texts), lines) =
            side_by_side(|| sources(instructions, processes), || lines(instructions, &hits));
        collected.tables = Tables { lines, sources, source_texts: texts, ..collected.tables };
        if let Some((count, error)) = &collected.unrecorded {
            collected.incomplete.push(format!(
                "{count} of the processes could not be given counters ({error}); what they ran is missing"
            ));
        }
        Ok(collected)
    }

    /// Names the processes that the command has left running and that count in none of these files.
    fn name_uncounted(&mut self, outliving: &[Outliving], files: &[LiveFile]) {
        let counts = |process: &Outliving| files.iter().any(|file| process.counts_in(file));
        self.uncounted = outliving.iter().filter(|process| !counts(process)).cloned().collect();
        self.incomplete.extend(self.uncounted.iter().map(|process| {
            format!(
                "{process} still ran after the command's end, without counters; what Python it runs is not counted"
            )
        }));
    }

    /// Adds what one process executed. Gives the hits of lines.
    fn add(&mut self, process: u32, file: &LiveFile, parent: Option<u32>, running: bool) -> Vec<LineHits> {
        let version = [Word::Major, Word::Minor].map(|word| u8::try_from(file.word(word)).unwrap_or(0));
        let table = OpcodeTable::built_in(version[0], version[1]);
        let mut problems = Vec::new();
        let first = self.tables.opcodes.len();
        let first_instruction = self.tables.instructions.len();
        let (mut redispatches, mut unplaced) = (0, 0u64);
        let pairs = companion(file, PAIRS_EXTENSION, &mut problems);
        let code = table
            .as_ref()
            .map(|table| CodeSummary::of(process, file, table, &mut problems))
            .unwrap_or_default();
        for (phase, name) in PHASE_NAMES.into_iter().enumerate() {
            let counts = file.phase(phase);
            redispatches = counts.redispatches.wrapping_add(redispatches);
            unplaced = counts.unplaced.iter().fold(unplaced, |sum, count| sum.wrapping_add(*count));
            if let Some(table) = &table {
                let placed = code.rows.executions_by_base(name);
                opcode_rows(process, name, table, &counts, &placed, &mut self.tables.opcodes);
                if file.word(Word::Pairs) != 0 {
                    let (current, slots) = (file.word(Word::Phase), file.word(Word::Slots));
                    let pairs = Pairs::of_phase(&pairs, phase, current as usize, slots as usize);
                    self.tables.pairs.extend(pair_rows(process, name, table, &counts, &pairs));
                }
            }
        }
        let mut placed = code.rows.instructions;
        let timed = table.is_some() && file.word(Word::Timed) != 0;
        let timing = timed.then(|| {
            let (opcodes, distributions) =
                (&mut self.tables.opcodes[first..], &mut self.tables.distributions);
            let times = companion(file, TIMES_EXTENSION, &mut problems);
            let of = (&mut placed[..], &code.rows.times[..], &code.rows.seen[..]);
            fill_times(file, &times, opcodes, of, distributions)
        });
        let rows = &self.tables.opcodes[first..];
        self.tables.instructions.extend(placed);
        self.tables.specialization.extend(code.rows.specialization);
        if let Some(table) = &table {
            self.tables.instructions.extend(placeless_rows(table, rows, code.codes));
        }
        let executions = saturating_sum(rows.iter().map(|row| row.executions));
        if unplaced > 0 {
            // And what combined opcodes executed besides.
            let placed = self.tables.instructions[first_instruction..].iter().map(|row| row.executions);
            unplaced = executions.saturating_sub(saturating_sum(placed));
        }
        let compiled = rows.iter().any(|row| row.opcode == "ENTER_EXECUTOR");
        let mut described = describe(process, file, running);
        described.parent = parent;
        described.directory = code.directory;
        described.timing = timing;
        described.dispatch = Dispatch { executions, unplaced, redispatches, ..described.dispatch };
        match code.events {
            Some(events) => {
                self.tables.event_sites.extend(events.sites);
                described.events = Some(events.summary);
                problems.extend(events.missing);
            }
            None if file.word(Word::Events) != 0 && executions > 0 => {
                let error = file.word(Word::Events).checked_sub(2);
                let why = error.map_or(String::new(), |error| {
                    format!(
                        ": there was no room for them ({})",
                        std::io::Error::from_raw_os_error(error as i32)
                    )
                });
                problems.push(format!("its events are missing{why}"));
            }
            None => {}
        }
        self.incomplete.extend(missing(file, &described, compiled, code.torn, problems));
        self.processes.push(described);
        code.rows.hits
    }
}

/// What a live file's header says of its process.
fn describe(process: u32, file: &LiveFile, running: bool) -> Process {
    let version = [Word::Major, Word::Minor, Word::Micro].map(|word| file.word(word));
    let register = (file.word(Word::Register) as usize).checked_sub(1);
    let mut reason = file.text(Text::Reason);
    if file.status() == Status::Starting && !running {
        reason = "it ended before it ran any bytecode".to_owned();
    }
    Process {
        process,
        pid: file.word(Word::Pid) as u32,
        executable: file.text(Text::Executable),
        arguments: file.text(Text::Arguments).split('\u{1f}').map(str::to_owned).collect(),
        implementation: "CPython".to_owned(),
        python: if version[0] > 0 {
            version.map(|number| number.to_string()).join(".")
        } else {
            String::new()
        },
        build: file.text(Text::Build),
        free_threaded: file.word(Word::FreeThreaded) != 0,
        started: rfc3339(file.word(Word::StartedNs)),
        state: match file.status() {
            Status::Metered => ProcessState::Metered,
            Status::Refused => ProcessState::Refused,
            Status::Unmetered | Status::Starting => ProcessState::Unmetered,
        },
        reason: (!reason.is_empty()).then_some(reason),
        dispatch: Dispatch {
            table: format!("{:#x}", file.word(Word::TableOffset)),
            module: file.text(Text::Module),
            switch_table: file.word(Word::SwitchOffset) != 0,
            slots: file.word(Word::Slots).clamp(1, MAX_SLOTS as u64) as u32,
            per_thread: file.word(Word::Slots) > 1,
            next_instr_register: register.map(|number| REGISTERS[number & 15].to_owned()),
            ..Dispatch::default()
        },
        last_phase: PHASE_NAMES.get(file.word(Word::Phase) as usize).copied(),
        end: if running { Process::RUNNING } else { Process::EXITED }.to_owned(),
        ..Process::default()
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
    events: Option<ProcessEvents>,
}

/// What a process has told of its executions, one by one.
struct ProcessEvents {
    summary: EventSummary,
    sites: Vec<EventSiteRow>,
    missing: Vec<String>,
}

impl ProcessEvents {
    /// Those of the process with a live file, which lie in the recording's folder.
    fn of(process: u32, file: &LiveFile, table: &OpcodeTable<'static>, log: &CodeLog) -> Option<Self> {
        let name = Path::new(file.path().file_stem()?).with_extension(EVENTS_EXTENSION);
        let name = Path::new(EVENTS_FOLDER).join(name);
        let recording = file.path().parent()?.parent()?;
        let events = EventFile::open(&recording.join(&name)).ok()?;
        let ring = RingFile::open(&file.path().with_extension(RING_EXTENSION)).ok();
        let lost = ring.map_or(0, |ring| ring.word(RingWord::Lost));
        let summary = EventSummary::new(name.display().to_string(), &events, file.path(), lost);
        let missing = summary.missing(&events, lost);
        Some(Self { summary, sites: event_sites(process, &events.sites, table, log), missing })
    }
}

impl CodeSummary {
    fn of(process: u32, file: &LiveFile, table: &OpcodeTable<'static>, problems: &mut Vec<String>) -> Self {
        let (log, torn) = CodeLog::read(&companion(file, CODE_EXTENSION, problems));
        let mut summary = Self {
            codes: log.codes.len() as u32,
            directory: log.texts.first().cloned().unwrap_or_default(),
            torn: torn.map(|torn| torn.to_string()),
            ..Self::default()
        };
        if file.word(Word::Events) != 0 {
            summary.events = ProcessEvents::of(process, file, table, &log);
        }
        let seen = LongExecution::read(&companion(file, LONG_EXTENSION, problems));
        if file.word(Word::ByInstruction) != 0 {
            let cells = companion(file, CELLS_EXTENSION, problems);
            let code = ProcessCode { process, opcodes: table, log: &log, cells: &cells, seen: &seen };
            summary.rows = code.rows();
        }
        summary.rows.seen = seen;
        summary
    }
}

/// What the file with this extension beside a live file holds, or a problem more.
fn companion(file: &LiveFile, extension: &str, problems: &mut Vec<String>) -> Vec<u8> {
    read_companion(file.path(), extension).unwrap_or_else(|error| {
        problems.push(error.to_string());
        Vec::new()
    })
}

/// Whether two files are of the same process, which has executed another program in between.
fn same_process(one: &LiveFile, other: &LiveFile) -> bool {
    let identity = |file: &LiveFile| (file.word(Word::Pid), file.word(Word::StartTicks));
    identity(one) == identity(other)
}

fn unrecorded(folder: &Path) -> Option<(u64, String)> {
    let bytes = read_whole(&folder.join(CONTROL_NAME), CONTROL_SIZE as u64).ok();
    let bytes = bytes.filter(|bytes| bytes.len() == CONTROL_SIZE)?;
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
