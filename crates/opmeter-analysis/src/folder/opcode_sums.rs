use std::collections::{BTreeMap, BTreeSet};

use opmeter_opcodes::Family;
use opmeter_recording::Phase;

use super::study::Study;
use crate::{Terms, TimeSum};

/// A program's mean of an opcode counts for its spread from so many timed executions on.
const ENOUGH: u128 = 300;

/// The part of the timed executions that a distribution has to have for its quantiles to be those of all.
const MOST: f64 = 0.9;

/// What executions took, of those in recordings with times.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timed {
    /// All executions in these recordings, timed themselves or not.
    pub(crate) executions: u64,
    /// What they took.
    pub(crate) time: TimeSum,
}

impl Timed {
    pub(crate) fn add(&mut self, other: Timed) {
        self.executions = self.executions.saturating_add(other.executions);
        self.time.add(other.time);
    }

    /// Mean net nanoseconds of an execution.
    pub(crate) fn ns_each(&self) -> Option<f64> {
        (self.executions > 0).then(|| self.time.ns_net as f64 / self.executions as f64)
    }
}

/// What an opcode did in all studies.
#[derive(Debug, Default)]
pub(crate) struct OpcodeSum {
    /// Its executions.
    pub(crate) executions: u64,
    /// The different programs that ran it.
    pub(crate) programs: BTreeSet<String>,
    /// The sum of its shares of each study.
    pub(crate) shares: f64,
    /// What its executions took, in recordings with times.
    pub(crate) timed: Option<Timed>,
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

    /// The raw cycles that this part of the timed executions did not exceed. None where too few of these are in the
    /// distribution for that to be known: those that returned to C code are in none.
    pub(crate) fn quantile(&self, part: f64) -> Option<u64> {
        let all: u64 = self.buckets.values().sum();
        let timed = self.timed.map_or(0, |timed| timed.time.timed_executions);
        if (all as f64) < timed as f64 * MOST {
            return None;
        }
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
        self.timed.as_ref().and_then(Timed::ns_each)
    }

    /// Mean raw cycles of a timed execution.
    pub(crate) fn cycles_each(&self) -> Option<f64> {
        let time = self.timed?.time;
        (time.timed_executions > 0).then(|| time.cycles_raw as f64 / time.timed_executions as f64)
    }
}

/// How many studies shares are of: those that executed anything in these phases.
pub(crate) fn counted(studies: &[Study], phases: &[Phase]) -> f64 {
    studies.iter().filter(|study| study.executions(phases) > Some(0)).count().max(1) as f64
}

/// Adds up the opcodes of studies in some phases, by name and family. A name has two families where an opcode of the
/// compiler is for both.
pub(crate) fn opcode_sums(
    studies: &[Study],
    terms: Terms,
    phases: &[Phase],
) -> BTreeMap<(String, Family), OpcodeSum> {
    let mut sums: BTreeMap<String, BTreeMap<Family, OpcodeSum>> = BTreeMap::new();
    for study in studies {
        let all = study.executions(phases).unwrap_or(0) as f64;
        let mut own: BTreeMap<(&str, Family), (u64, Option<Timed>)> = BTreeMap::new();
        for part in study.parts_in(phases) {
            let name = match terms {
                Terms::AsExecuted => part.row.opcode.as_str(),
                Terms::Base => part.row.base_opcode.as_str(),
            };
            let (executions, timed) = own.entry((name, part.family)).or_default();
            *executions += part.executions;
            if let Some(time) = part.time {
                timed.get_or_insert_default().add(Timed { executions: part.executions, time });
            }
        }
        for ((name, family), (executions, timed)) in own {
            let sum = sums.entry(name.to_owned()).or_default().entry(family).or_default();
            sum.executions += executions;
            sum.programs.insert(study.program.clone());
            sum.shares += executions as f64 / all;
            if let Some(timed) = timed {
                sum.timed.get_or_insert_default().add(timed);
                if timed.time.timed_executions >= ENOUGH {
                    sum.means.extend(timed.ns_each());
                }
            }
        }
        // Distributions are of opcodes as executed; of two families it is not known whose executions these are.
        for row in study.distributions.iter().filter(|_| terms == Terms::AsExecuted) {
            if let Some(families) = sums.get_mut(&row.opcode).filter(|families| families.len() == 1)
                && phases.contains(&row.phase)
            {
                for sum in families.values_mut() {
                    *sum.buckets.entry(row.cycles_to).or_default() += row.executions;
                }
            }
        }
    }
    let of_name = |(name, families): (String, BTreeMap<Family, OpcodeSum>)| {
        families.into_iter().map(move |(family, sum)| ((name.clone(), family), sum))
    };
    sums.into_iter().flat_map(of_name).collect()
}
