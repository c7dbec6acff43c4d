use std::io;

use opmeter_recording::{
    DistributionRow, Energy, EnergyRow, Machine, Manifest, OpcodeRow, Phase, Recording, RunRow,
};
use serde::{Deserialize, Serialize};

use super::event_times::fill_event_times;
use crate::{EnergySummary, Sample};

/// What was measured of a program on an interpreter.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// The program's name.
    pub program: String,
    /// The interpreter's name, such as `cpython 3.11.7`.
    pub interpreter: String,
    /// The machine.
    pub machine: Machine,
    /// Executions by process, phase and opcode.
    pub opcodes: Vec<OpcodeRow>,
    /// How many of the timed executions took how long, where times were taken.
    pub distributions: Vec<DistributionRow>,
    /// How long runs without the agent took.
    pub runs: Vec<RunRow>,
    /// What they cost.
    pub energy: Vec<EnergyRow>,
    /// How that was measured.
    pub measurement: Energy,
}

/// The times of a recording's opcodes: what takes long to read where it has to be made of events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StudyTimes {
    /// The opcodes, with times if there are any.
    pub opcodes: Vec<OpcodeRow>,
    /// How many of the timed executions took how long.
    pub distributions: Vec<DistributionRow>,
}

impl StudyTimes {
    /// The tables that they are made of.
    pub const TABLES: [&'static str; 3] = ["opcodes", "distributions", "event_sites"];

    /// Whether they have to be made of events, of which there may be billions: a run tells either those or times.
    pub fn are_of_events(manifest: &Manifest) -> bool {
        manifest.processes.iter().any(|process| process.events.is_some())
    }

    /// The times of a recording, of which [`StudyTimes::TABLES`] were read. Events are read block by block; `read` is
    /// told how many.
    ///
    /// # Errors
    /// When a file of events can't be read.
    pub fn of(recording: &Recording, read: &(dyn Fn(u64) + Sync)) -> io::Result<Self> {
        let tables = &recording.tables;
        let mut times = Self { opcodes: tables.opcodes.clone(), distributions: tables.distributions.clone() };
        if Self::are_of_events(&recording.manifest) {
            let sites = &tables.event_sites;
            times.distributions =
                fill_event_times(&recording.path, &recording.manifest, sites, &mut times.opcodes, read)?;
        }
        Ok(times)
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
            machine: manifest.machine,
            opcodes: times.opcodes,
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

    /// Executions in these phases.
    pub fn executions(&self, phases: &[Phase]) -> u64 {
        self.opcodes_in(phases).map(|row| row.executions).fold(0, u64::saturating_add)
    }

    /// Seconds of a run without the agent.
    pub fn seconds(&self) -> Option<Sample> {
        Sample::new(self.runs.iter().map(|run| run.seconds).collect())
    }

    /// Processor time of a run without the agent, in seconds.
    pub fn cpu_seconds(&self) -> Option<Sample> {
        Sample::new(self.runs.iter().map(|run| run.cpu_seconds).collect())
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
