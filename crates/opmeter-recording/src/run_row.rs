use serde::{Deserialize, Serialize};

use crate::table_row::table;

/// A row of the runs table: how long a run of the command took without the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// The run, from 0: [`EnergyRow::run`](crate::EnergyRow::run).
    pub run: u32,
    /// Seconds from the command's start to the end of its last child.
    pub seconds: f64,
    /// Processor time of the command and all its children, in seconds: user and system.
    pub cpu_seconds: f64,
    /// How often the command ran for this row, one after the other; the times are the means of these executions.
    pub repetitions: u32,
}

impl RunRow {
    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 4] = ["run", "seconds", "cpu_seconds", "repetitions"];
}

table!(RunRow, "runs", [run, seconds, cpu_seconds, repetitions]);
