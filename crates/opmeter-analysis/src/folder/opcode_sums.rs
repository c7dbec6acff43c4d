use std::collections::BTreeMap;

use opmeter_opcodes::Family;
use opmeter_recording::Phase;

use super::study::Study;
use crate::{Terms, TimeSum};

/// A program's mean of an opcode counts for its spread from so many timed executions on.
const ENOUGH: u128 = 300;

/// What an opcode did in all studies.
#[derive(Debug, Default)]
pub(crate) struct OpcodeSum {
    /// Its family.
    pub(crate) family: Option<Family>,
    /// Its executions.
    pub(crate) executions: u64,
    /// In how many studies it ran.
    pub(crate) studies: u64,
    /// The sum of its shares of each study.
    pub(crate) shares: f64,
    /// What its executions took, where times were taken.
    pub(crate) time: Option<TimeSum>,
    /// Its mean net nanoseconds in each study that ran it often.
    means: Vec<f64>,
    /// Timed executions by the cycles that they took at most.
    buckets: BTreeMap<u64, u64>,
}

impl OpcodeSum {
    /// The standard deviation of the mean over studies, as a part of their mean.
    pub(crate) fn spread(&self) -> Option<f64> {
        let count = self.means.len() as f64;
        let mean = self.means.iter().sum::<f64>() / count;
        let squares: f64 = self.means.iter().map(|value| (value - mean).powi(2)).sum();
        (self.means.len() > 1 && mean > 0.0).then(|| (squares / (count - 1.0)).sqrt() / mean)
    }

    /// The raw cycles that this part of the timed executions did not exceed.
    pub(crate) fn quantile(&self, part: f64) -> Option<u64> {
        let all: u64 = self.buckets.values().sum();
        let wanted = (all as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.buckets
            .iter()
            .find(|(_, count)| {
                seen += **count;
                seen >= wanted
            })
            .map(|(cycles, _)| *cycles)
    }

    /// Mean net nanoseconds of an execution.
    pub(crate) fn ns_each(&self) -> Option<f64> {
        self.time.filter(|_| self.executions > 0).map(|time| time.ns_net as f64 / self.executions as f64)
    }

    /// Mean raw cycles of a timed execution.
    pub(crate) fn cycles_each(&self) -> Option<f64> {
        let time = self.time.filter(|time| time.timed_executions > 0)?;
        Some(time.cycles_raw as f64 / time.timed_executions as f64)
    }
}

/// Adds up the opcodes of studies in some phases, by name.
pub(crate) fn opcode_sums(studies: &[Study], terms: Terms, phases: &[Phase]) -> BTreeMap<String, OpcodeSum> {
    let mut sums: BTreeMap<String, OpcodeSum> = BTreeMap::new();
    for study in studies {
        let all = study.executions(phases) as f64;
        let mut own: BTreeMap<&str, (u64, Option<TimeSum>)> = BTreeMap::new();
        for row in study.opcodes_in(phases).filter(|row| row.executions > 0) {
            let name = match terms {
                Terms::AsExecuted => row.opcode.as_str(),
                Terms::Base => row.base_opcode.as_str(),
            };
            let (executions, time) = own.entry(name).or_default();
            *executions += row.executions;
            if let Some(took) = &row.time {
                time.get_or_insert_default().add(TimeSum::from(took));
            }
            let sum = sums.entry(name.to_owned()).or_default();
            sum.family.get_or_insert_with(|| Family::of(&row.base_opcode));
        }
        for (name, (executions, time)) in own {
            let sum = sums.entry(name.to_owned()).or_default();
            sum.executions += executions;
            sum.studies += 1;
            sum.shares += executions as f64 / all;
            if let Some(time) = time {
                sum.time.get_or_insert_default().add(time);
                if time.timed_executions >= ENOUGH {
                    sum.means.push(time.ns_net as f64 / executions as f64);
                }
            }
        }
        // Distributions are of opcodes as executed.
        for row in study.distributions.iter().filter(|row| phases.contains(&row.phase)) {
            if let Some(sum) = sums.get_mut(&row.opcode).filter(|_| terms == Terms::AsExecuted) {
                *sum.buckets.entry(row.cycles_to).or_default() += row.executions;
            }
        }
    }
    sums
}
