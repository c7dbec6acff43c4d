use opmeter_corpus::CollectedResult;

use crate::Model;
use crate::observations::counted;

/// A share may be so much outside of those that were seen, as a part of these, before it is said.
const BEYOND_SHARE: f64 = 1.5;

/// A share that is smaller than this is not looked at.
const LEAST_SHARE: f64 = 0.01;

/// Executions may be so many times more, or fewer, than any that were seen.
const BEYOND_EXECUTIONS: f64 = 10.0;

/// What a model says of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The program's name.
    pub program: String,
    /// What is predicted, in the model's unit.
    pub predicted: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// What was measured, if it was.
    pub measured: Option<f64>,
    /// Whether that is no measurement, but joules of a declared power.
    pub is_estimate: bool,
    /// In what the program lies outside of what the model was fitted to: a sentence each, without a full stop.
    pub outside: Vec<String>,
}

impl Prediction {
    /// Predicts what a recording's program takes.
    ///
    /// # Errors
    /// Why the recording can't be used: a sentence without a full stop.
    pub fn of(model: &Model, collected: &CollectedResult) -> Result<Self, String> {
        let (observation, measured) = counted(collected, &model.wish())?;
        let known =
            |opcode: &str| model.costs.iter().any(|cost| cost.members.iter().any(|member| member == opcode));
        let unknown: Vec<&str> =
            observation.counts.keys().map(String::as_str).filter(|opcode| !known(opcode)).collect();
        let mut nano = 0.0;
        let mut outside = Vec::new();
        for cost in &model.costs {
            let counts = cost.members.iter().filter_map(|member| observation.counts.get(member));
            let executions: f64 = counts.sum();
            nano += cost.cost.value * executions;
            let share = executions / observation.executions;
            let (least, most) = cost.seen;
            if share > LEAST_SHARE && share > most * BEYOND_SHARE {
                outside.push(format!(
                    "{} is {:.1} % of its executions, and {:.1} % at most of those of the model's programs",
                    cost.name,
                    share * 100.0,
                    most * 100.0
                ));
            } else if least > LEAST_SHARE && share < least / BEYOND_SHARE {
                outside.push(format!(
                    "{} is {:.1} % of its executions, and {:.1} % at least of those of the model's programs",
                    cost.name,
                    share * 100.0,
                    least * 100.0
                ));
            }
        }
        if !unknown.is_empty() {
            let executions: f64 = unknown.iter().filter_map(|opcode| observation.counts.get(*opcode)).sum();
            nano += model.common_cost * executions;
            outside.push(format!(
                "{:.2} % of its executions are of opcodes that no program of the model executed, and are taken to \
                 cost as much as others: {}",
                executions / observation.executions * 100.0,
                unknown.join(", ")
            ));
        }
        let (least, most) = model.executions;
        if observation.executions > most * BEYOND_EXECUTIONS
            || observation.executions < least / BEYOND_EXECUTIONS
        {
            outside.push(format!(
                "it executes {:.3e} bytecodes, and the model's programs from {least:.3e} to {most:.3e}",
                observation.executions
            ));
        }
        if collected.interpreter() != model.interpreter {
            outside.push(format!(
                "it is of {}, and the model of {}",
                collected.interpreter(),
                model.interpreter
            ));
        }
        let machine = &observation.machine;
        let same = |other: &opmeter_recording::Machine| {
            other.hostname == machine.hostname && other.cpu == machine.cpu
        };
        if !model.machines.iter().any(same) {
            outside.push(format!("it is of another machine: {} ({})", machine.hostname, machine.cpu));
        }
        let predicted = model.start.map_or(0.0, |start| start.value) + nano / 1e9;
        let measured = measured.ok();
        let is_estimate = measured.as_ref().is_some_and(|measured| measured.estimate);
        let measured =
            measured.and_then(|measured| if model.net { measured.net } else { Some(measured.gross) });
        Ok(Self {
            program: observation.program,
            predicted,
            low: predicted * model.prediction.low,
            high: predicted * model.prediction.high,
            measured,
            is_estimate,
            outside,
        })
    }
}
