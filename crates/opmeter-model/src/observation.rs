use std::collections::BTreeMap;

use opmeter_recording::Machine;

/// A program, with what it executed and what its runs without the agent took.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The program's name: its path from its folder on, or its command.
    pub program: String,
    /// The SHA-256 of its content, hexadecimal; empty where that is not known.
    pub sha256: String,
    /// The template that it was synthesised from, or its own name.
    pub template: String,
    /// The machine that it was measured on.
    pub machine: Machine,
    /// Executions by opcode, all phases and processes.
    pub counts: BTreeMap<String, f64>,
    /// What these took by themselves in the metered run, by opcode, in nanoseconds: estimated; empty where no times were
    /// taken.
    pub nanoseconds: BTreeMap<String, f64>,
    /// All executions.
    pub executions: f64,
    /// The mean of its runs: seconds or joules.
    pub response: f64,
    /// The mean wall time of the same runs, in seconds.
    pub seconds: f64,
}

impl Observation {
    /// The part that an opcode is of all executions, from 0 to 1.
    pub fn share(&self, opcode: &str) -> f64 {
        self.counts.get(opcode).map_or(0.0, |count| count / self.executions)
    }
}
