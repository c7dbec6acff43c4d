use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Observation;
use crate::grouping::alike;

/// An opcode that is a smaller part than this of every program is pooled with others.
const RARE: f64 = 0.001;

/// The name of the feature that rare opcodes are pooled in.
pub const OTHER: &str = "(other)";

/// Something that executions are counted of: an opcode, or several that have one cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// The name of the opcode, of the most frequent of several, or [`OTHER`].
    pub name: String,
    /// The opcodes, the most frequent first.
    pub members: Vec<String>,
}

/// What a model has costs of. Chosen by the counts alone, so that held-out errors are not told anything by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// The features, the most frequent first, then [`OTHER`] if there is any.
    pub list: Vec<Feature>,
}

impl Features {
    /// The features that these programs tell apart: rare opcodes are pooled, and opcodes of which each program executes
    /// the same part of the other are one.
    pub fn of(programs: &[Observation]) -> Self {
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for observation in programs {
            for opcode in observation.counts.keys() {
                let share = observation.share(opcode);
                let (sum, most) = sums.entry(opcode).or_default();
                (*sum, *most) = (*sum + share, most.max(share));
            }
        }
        let mut frequent: Vec<(&str, f64)> = Vec::new();
        let mut rare: Vec<(&str, f64)> = Vec::new();
        for (opcode, (sum, most)) in sums {
            if most < RARE { rare.push((opcode, sum)) } else { frequent.push((opcode, sum)) }
        }
        let order = |a: &(&str, f64), b: &(&str, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(b.0));
        frequent.sort_by(order);
        rare.sort_by(order);
        let shares: Vec<Vec<f64>> = frequent
            .iter()
            .map(|(opcode, _)| programs.iter().map(|program| program.share(opcode)).collect())
            .collect();
        let named = |places: &[usize]| Feature {
            name: frequent[places[0]].0.to_owned(),
            members: places.iter().map(|&place| frequent[place].0.to_owned()).collect(),
        };
        let mut list: Vec<Feature> = alike(&shares).iter().map(|places| named(places)).collect();
        if !rare.is_empty() {
            let members = rare.iter().map(|(opcode, _)| (*opcode).to_owned()).collect();
            list.push(Feature { name: OTHER.to_owned(), members });
        }
        Self { list }
    }
}

impl Feature {
    /// What its opcodes add up to: executions, or nanoseconds.
    pub fn sum(&self, counts: &BTreeMap<String, f64>) -> f64 {
        self.members.iter().filter_map(|member| counts.get(member)).sum()
    }
}

#[cfg(test)]
mod tests {
    use opmeter_recording::Machine;

    use super::*;

    fn program(counts: &[(&str, f64)]) -> Observation {
        Observation {
            program: "a.py".to_owned(),
            sha256: String::new(),
            template: "a".to_owned(),
            machine: Machine::default(),
            counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            nanoseconds: BTreeMap::new(),
            executions: counts.iter().map(|(_, count)| count).sum(),
            response: 1.0,
            seconds: 1.0,
        }
    }

    #[test]
    fn what_no_program_tells_apart_is_one_and_what_is_rare_is_pooled() {
        let programs = [
            program(&[("A", 500.0), ("CALL", 100.0), ("PRECALL", 100.0), ("X", 0.1), ("Y", 0.2)]),
            program(&[("A", 900.0), ("CALL", 20.0), ("PRECALL", 20.0), ("Y", 0.3)]),
        ];
        let features = Features::of(&programs).list;
        let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(names, ["A", "CALL", OTHER]);
        assert_eq!(features[1].members, ["CALL", "PRECALL"]);
        assert_eq!(features[2].members, ["Y", "X"]);
        assert_eq!(features[1].sum(&programs[0].counts), 200.0);
    }
}
