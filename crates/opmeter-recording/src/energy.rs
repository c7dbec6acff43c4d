use serde::{Deserialize, Serialize};

use crate::Machine;

/// How the energy of a command was measured: on runs of their own, without the agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Energy {
    /// Where the readings come from: `perf`, `powercap`, `hwmon`; or `estimate` for a power that was declared.
    pub source: String,
    /// Whether the joules are no measurement, but a declared power times the seconds.
    pub estimate: bool,
    /// The folder that the command was run in.
    pub directory: String,
    /// When measuring began: RFC 3339, UTC.
    pub started: String,
    /// The machine that was measured.
    pub machine: Machine,
    /// Runs that were asked for.
    pub runs: u32,
    /// Runs before these, which do not count.
    pub warmup_runs: u32,
    /// How long the idle power was measured, in seconds; 0 where it was not.
    pub idle_seconds: f64,
    /// What was measured.
    pub domains: Vec<EnergyDomain>,
    /// Whether there are joules of all runs and domains.
    pub complete: bool,
    /// What is missing: a plain sentence each.
    pub incomplete: Vec<String>,
    /// What may have disturbed the measurement, and what to do about it: a sentence or two each.
    pub warnings: Vec<String>,
}

/// A part of a machine that has an energy counter of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnergyDomain {
    /// Its name: `package-0`, `package-0-die-1`, `dram-1`, `psys`, `machine`.
    pub domain: String,
    /// What it is: `package`, `cores`, `gpu`, `dram`, `psys`, `machine`. Cores and gpu are parts
    /// of a package, psys holds everything.
    pub kind: String,
    /// The processor socket; none for what no socket has by itself.
    pub socket: Option<u32>,
    /// The die in the socket; none where there is but one.
    pub die: Option<u32>,
    /// How long the counter takes from one update to the next, in seconds; none where that could not be seen.
    pub update_seconds: Option<f64>,
    /// The idle power, in watts, where it was measured.
    pub idle_watts: Option<f64>,
    /// The standard error of the idle power, in watts.
    pub idle_watts_se: Option<f64>,
}
