use std::io;

use opmeter_opcodes::Family;
use opmeter_recording::{
    DistributionRow, Energy, EnergyRow, Machine, Manifest, OpcodeRow, Phase, Recording, RunRow,
};
use serde::{Deserialize, Serialize};

use super::event_gap::EventGap;
use super::event_times::{EventTimes, fill_event_times};
use super::subscript_places::SubscriptPlaces;
use crate::{EnergySummary, Sample, TimeSum};

/// What was measured of a program on an interpreter.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// The program's name.
    pub program: String,
    /// The interpreter's name, such as `cpython 3.11.7`; empty where it is not known.
    pub interpreter: String,
    /// The machine.
    pub machine: Machine,
    /// Whether executions were counted. Where only energy was measured, nothing is known of them.
    pub is_counted: bool,
    /// Executions by process, phase and opcode.
    pub opcodes: Vec<OpcodeRow>,
    /// What of `BINARY_OP` was subscripts and no arithmetic, where it is for both.
    pub subscripts: Vec<GenericSubscripts>,
    /// How many of the timed executions took how long, where times were taken.
    pub distributions: Vec<DistributionRow>,
    /// How long runs without the agent took.
    pub runs: Vec<RunRow>,
    /// What they cost.
    pub energy: Vec<EnergyRow>,
    /// How that was measured.
    pub measurement: Energy,
}

/// Executions of the generic form of an opcode that is for arithmetic and for subscripts, which were subscripts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenericSubscripts {
    /// The row of opcodes that they are part of: its process, phase and opcode.
    pub row: (u32, Phase, String),
    /// How many there were.
    pub executions: u64,
    /// What they took, where times were taken.
    pub time: Option<TimeSum>,
}

/// Executions of an opcode in a study that are of one family: all of a row of opcodes, or a part of it.
pub(crate) struct FamilyPart<'a> {
    pub(crate) row: &'a OpcodeRow,
    pub(crate) family: Family,
    pub(crate) executions: u64,
    pub(crate) time: Option<TimeSum>,
}

/// The times of a recording's opcodes: what takes long to read where it has to be made of events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StudyTimes {
    /// The opcodes, with times if there are any.
    pub opcodes: Vec<OpcodeRow>,
    /// How many of the timed executions took how long.
    pub distributions: Vec<DistributionRow>,
    /// What of `BINARY_OP` was subscripts.
    pub subscripts: Vec<GenericSubscripts>,
    /// What is missing of its events, so that processes have no times. Never of times that were kept: those are whole.
    #[serde(skip)]
    pub gaps: Vec<EventGap>,
}

impl StudyTimes {
    /// The tables that they are made of.
    pub const TABLES: [&'static str; 4] = ["opcodes", "distributions", "event_sites", "instructions"];

    /// Whether a table is read for them. `by_family` is whether it is asked for families of opcodes.
    pub fn need(table: &str, manifest: &Manifest, by_family: bool) -> bool {
        match table {
            // These are long, and only tell what `BINARY_OP` was for.
            "instructions" => {
                (by_family || Self::are_of_events(manifest)) && SubscriptPlaces::are_in(manifest)
            }
            table => Self::TABLES.contains(&table),
        }
    }

    /// Whether they have to be made of events, of which there may be billions: a run tells either those or times.
    pub fn are_of_events(manifest: &Manifest) -> bool {
        manifest.processes.iter().any(|process| process.events.is_some())
    }

    /// The times of a recording, of which the tables were read that [`StudyTimes::need`] names. Events are read block by
    /// block; `read` is told how many.
    ///
    /// # Errors
    /// When a file of events can't be read.
    pub fn of(recording: &Recording, read: &(dyn Fn(u64) + Sync)) -> io::Result<Self> {
        let tables = &recording.tables;
        let mut opcodes = tables.opcodes.clone();
        // Where nothing was timed there is nothing to estimate times from.
        let untimed = |row: &OpcodeRow| {
            let mut processes = recording.manifest.processes.iter();
            let process = processes.find(|process| process.process == row.process);
            process
                .and_then(|process| process.timing.as_ref())
                .is_none_or(|timing| timing.timed_executions == 0)
        };
        opcodes.iter_mut().filter(|row| untimed(row)).for_each(|row| row.time = None);
        let mut distributions = tables.distributions.clone();
        let places = SubscriptPlaces::of(recording);
        let mut of_events = None;
        if Self::are_of_events(&recording.manifest) {
            let sites = (&tables.event_sites[..], &places);
            let mut found =
                fill_event_times(&recording.path, &recording.manifest, sites, &mut opcodes, read)?;
            distributions = std::mem::take(&mut found.distributions);
            of_events = Some(found);
        }
        let subscripts = opcodes.iter().filter_map(|row| {
            let (executions, time) = places.generic(row, &opcodes)?;
            let of_row = |found: &EventTimes| {
                let mut times = found.subscripts.iter();
                times.find(|(process, phase, _)| (*process, *phase) == (row.process, row.phase)).cloned()
            };
            let time = match &of_events {
                Some(found) => of_row(found).map(|(.., time)| TimeSum::from(&time)),
                None => time,
            };
            Some(GenericSubscripts {
                row: (row.process, row.phase, row.opcode.clone()),
                executions,
                time: time.filter(|_| row.time.is_some()),
            })
        });
        let subscripts = subscripts.collect();
        let gaps = of_events.map(|found| found.gaps).unwrap_or_default();
        Ok(Self { opcodes, distributions, subscripts, gaps })
    }
}

impl Study {
    /// What a recording tells of a program on an interpreter, with these times; the tables `runs` and `energy` were
    /// read.
    pub fn new(program: String, interpreter: String, recording: Recording, times: StudyTimes) -> Self {
        let Recording { manifest, tables, .. } = recording;
        Self {
            program,
            interpreter,
            is_counted: manifest.has_counts(),
            machine: manifest.machine,
            opcodes: times.opcodes,
            subscripts: times.subscripts,
            distributions: times.distributions,
            runs: tables.runs,
            energy: tables.energy,
            measurement: manifest.energy.unwrap_or_default(),
        }
    }

    /// The rows of opcodes in these phases.
    pub(crate) fn opcodes_in<'a>(&'a self, phases: &'a [Phase]) -> impl Iterator<Item = &'a OpcodeRow> {
        self.opcodes.iter().filter(|row| phases.contains(&row.phase))
    }

    /// What ran in these phases, by opcode and family.
    pub(crate) fn parts_in<'a>(&'a self, phases: &'a [Phase]) -> impl Iterator<Item = FamilyPart<'a>> {
        let rows = self.opcodes_in(phases).filter(|row| row.executions > 0);
        rows.flat_map(|row| {
            let family = Family::of_form(&row.opcode, &row.base_opcode);
            let mut rest = FamilyPart {
                row,
                family,
                executions: row.executions,
                time: row.time.as_ref().map(Into::into),
            };
            let is_its = |part: &&GenericSubscripts| {
                let (process, phase, opcode) = &part.row;
                (*process, *phase, opcode) == (row.process, row.phase, &row.opcode)
            };
            let subscripts = self.subscripts.iter().find(is_its).map(|part| {
                rest.executions = rest.executions.saturating_sub(part.executions);
                if let (Some(time), Some(took)) = (&mut rest.time, part.time) {
                    time.take_off(took);
                }
                FamilyPart { row, family: Family::Subscripts, executions: part.executions, time: part.time }
            });
            [Some(rest), subscripts].into_iter().flatten().filter(|part| part.executions > 0)
        })
    }

    /// Executions in these phases; none where they were not counted.
    pub fn executions(&self, phases: &[Phase]) -> Option<u64> {
        let sum = || self.opcodes_in(phases).map(|row| row.executions).fold(0, u64::saturating_add);
        self.is_counted.then(sum)
    }

    /// Seconds of a run without the agent.
    pub fn seconds(&self) -> Option<Sample> {
        Sample::new(self.runs.iter().map(|run| run.seconds).collect())
    }

    /// Processor time of a run without the agent, in seconds.
    pub fn cpu_seconds(&self) -> Option<Sample> {
        Sample::new(self.runs.iter().map(|run| run.cpu_seconds).collect())
    }

    /// Whether its joules are no measurement, but a declared power times the seconds.
    pub fn is_energy_estimated(&self) -> bool {
        self.measurement.estimate || self.measurement.source == "estimate"
    }

    /// Where its joules come from, such as `perf`, or `estimate`; empty where there are none.
    pub fn energy_source(&self) -> String {
        match (self.energy.is_empty(), self.is_energy_estimated()) {
            (true, _) => String::new(),
            (false, true) => "estimate".to_owned(),
            (false, false) => self.measurement.source.clone(),
        }
    }

    /// Joules and watts of a run without the agent: of all packages, or of what there is where there is none.
    pub fn energy(&self) -> Option<(Sample, Sample)> {
        let domains = EnergySummary::new(&self.measurement, &self.energy)?.domains;
        // Of packages the last is their sum, if there are several.
        let domain = domains.into_iter().max_by_key(|domain| domain.domain.starts_with("package"))?;
        Some((domain.joules, domain.watts))
    }
}

/// The different machines that studies are of, as `hostname (processor)`: times of unlike ones are not alike.
pub fn machines(studies: &[Study]) -> Vec<String> {
    let mut machines: Vec<String> =
        studies.iter().map(|study| format!("{} ({})", study.machine.hostname, study.machine.cpu)).collect();
    machines.sort();
    machines.dedup();
    machines
}
