use std::collections::BTreeMap;

use crate::{CountedRow, RowFilter, TimeSum};

/// What one process adds to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessTotal {
    /// The process's ordinal.
    pub process: u32,
    /// Instructions that it executed, of those that are taken; never 0.
    pub executions: u128,
}

/// What the rows that a report takes add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// All executions that are taken.
    pub executions: u128,
    /// Executions in files that patterns leave out.
    pub left_out: u128,
    /// What all that is taken took, where times were taken.
    pub time: Option<TimeSum>,
    /// The processes that ran what is taken, by ordinal.
    pub processes: Vec<ProcessTotal>,
    /// Which phases and processes are taken.
    pub filter: RowFilter,
}

impl Totals {
    /// Adds up the rows of the phases and processes that `filter` takes, and hands each that has
    /// executions and lies in a file that `takes_file` takes to `add`.
    pub(crate) fn add_up<'a, R: CountedRow + 'a>(
        rows: impl IntoIterator<Item = &'a R>,
        filter: RowFilter,
        takes_file: impl Fn(&str) -> bool,
        mut add: impl FnMut(&'a R),
    ) -> Totals {
        let mut processes: BTreeMap<u32, u128> = BTreeMap::new();
        // 2^64 rows of 2^64 executions fit into 128 bits: no sum below can overflow.
        let mut executions = 0;
        let mut left_out = 0;
        let mut time: Option<TimeSum> = None;
        for row in rows {
            if row.executions() == 0 || !filter.takes(row) {
                continue;
            }
            let taken = u128::from(row.executions());
            if row.file().is_some_and(|file| !takes_file(file)) {
                left_out += taken;
                continue;
            }
            executions += taken;
            if let Some(took) = row.time() {
                time.get_or_insert_default().add(took);
            }
            *processes.entry(row.process()).or_default() += taken;
            add(row);
        }
        let processes =
            processes.into_iter().map(|(process, executions)| ProcessTotal { process, executions }).collect();
        Totals { executions, left_out, time, processes, filter }
    }

    /// The part of all executions, from 0 to 1.
    pub fn share(&self, executions: u128) -> f64 {
        if self.executions == 0 { 0.0 } else { executions as f64 / self.executions as f64 }
    }
}
