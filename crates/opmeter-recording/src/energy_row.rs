use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::table_row::table;

/// A row of the energy table: what one run of the uninstrumented command cost in one domain of the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnergyRow {
    /// The run, from 0. Runs without a row were not measured in full: [`Energy::incomplete`](crate::Energy::incomplete)
    /// says why.
    pub run: u32,
    /// Where the reading comes from: `perf`, `powercap`, `hwmon`; or `estimate` for a power that was declared.
    pub source: Arc<str>,
    /// The part of the machine: [`EnergyDomain::domain`](crate::EnergyDomain::domain).
    pub domain: Arc<str>,
    /// Joules from the command's start to the end of its last child, of all that the machine did in that time.
    pub joules: f64,
    /// Seconds from the command's start to the end of its last child.
    pub seconds: f64,
    /// Joules divided by seconds.
    pub watts: f64,
    /// How often the command ran for this row, one after the other: more than once where one is too short for the
    /// counter. Joules and seconds are the means of these executions.
    pub repetitions: u32,
    /// The joules that the counter moves by at once, divided by the repetitions: what the joules are uncertain by at
    /// most.
    pub joules_resolution: f64,
    /// What remains when the idle power is taken off, where that was measured.
    #[serde(flatten)]
    pub net: Option<NetEnergy>,
}

/// What a run cost beyond what the machine takes when it is idle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetEnergy {
    /// The power that was measured before the runs, with nothing running, in watts.
    pub idle_watts: f64,
    /// Joules less idle watts times seconds; 0 where that is below.
    pub joules_net: f64,
}

impl NetEnergy {
    /// Nothing.
    pub const NONE: Self = Self { idle_watts: 0.0, joules_net: 0.0 };
}

impl EnergyRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 8] =
        ["run", "source", "domain", "joules", "seconds", "watts", "repetitions", "joules_resolution"];
}

table!(
    EnergyRow,
    "energy",
    [run, source, domain, joules, seconds, watts, repetitions, joules_resolution],
    net NetEnergy [idle_watts, joules_net]
);
