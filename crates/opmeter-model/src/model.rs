use std::fs;
use std::io::Write;
use std::path::Path;

use opmeter_analysis::Terms;
use opmeter_files::{LONGEST_TEXT, create_anew, read_whole};
use opmeter_recording::Machine;
use serde::{Deserialize, Serialize};

use crate::{Clock, Error, HeldOutError, NullModel, Response, Verdict, Wish};

/// A cost is large where its executions are this part of what was fitted, and known where it is so to this part.
const LARGE: f64 = 0.01;
const KNOWN: f64 = 0.1;

/// Costs per opcode, as they were fitted: what a model's file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The version of this file: [`Model::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of the Opmeter that fitted it.
    pub opmeter_version: String,
    /// What is fitted: `time` or `energy`.
    pub response: String,
    /// What is fitted, in words: `processor time`, `net joules of package-0`.
    pub measure: String,
    /// The unit of a program's: `s` or `J`.
    pub unit: String,
    /// The unit of costs: `ns` or `nJ`, of one execution.
    pub cost_unit: String,
    /// Which time is fitted; none of energy.
    pub clock: Option<Clock>,
    /// Which domain's energy is fitted, if one was asked for.
    pub domain: Option<String>,
    /// Whether the joules are without the idle power.
    pub net: bool,
    /// The interpreter, such as `cpython 3.11.7`.
    pub interpreter: String,
    /// The machines that the programs were measured on.
    pub machines: Vec<Machine>,
    /// In which terms opcodes are told apart: `base` or `executed`.
    pub features: String,
    /// The cost of the process's start, in `unit`; none where the programs are told better without one.
    pub start: Option<Estimate>,
    /// The costs, those with the largest share first.
    pub costs: Vec<Cost>,
    /// The mean cost of an execution, in `cost_unit`: what an opcode that no program executed is taken to cost.
    pub common_cost: f64,
    /// Whether costs are pulled to what metered runs with times measured, scaled; else to the common cost.
    pub by_measured_times: bool,
    /// How much they are pulled to it.
    pub ridge: f64,
    /// The confidence of the intervals of costs, from 0 to 1.
    pub confidence: f64,
    /// Errors of programs that were held out one by one.
    pub program_error: HeldOutError,
    /// Errors of programs whose whole templates were held out.
    pub template_error: HeldOutError,
    /// The same, of those programs only that take more than twice the start; none where these are all, or fewer than
    /// there have to be for a model.
    pub long_template_error: Option<HeldOutError>,
    /// Models that know nothing of opcodes.
    pub null_models: Vec<NullResult>,
    /// Whether the model is better than these.
    pub verdict: Verdict,
    /// The interval of predictions.
    pub prediction: PredictionInterval,
    /// The least and the most executions of a program.
    pub executions: (f64, f64),
    /// The programs that it was fitted to.
    pub programs: Vec<ModelProgram>,
    /// What makes it doubtful: a sentence each, without a full stop.
    pub warnings: Vec<String>,
    /// Results that were left out.
    pub skipped: Vec<LeftOut>,
}

/// An estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The cost of an opcode, or of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The opcode's name, that of the most frequent of several, or `(other)`.
    pub name: String,
    /// The opcodes, the most frequent first.
    pub members: Vec<String>,
    /// The cost of an execution, in `cost_unit`, with its interval.
    #[serde(flatten)]
    pub cost: Estimate,
    /// The part of all that was fitted, each program counting alike, that its executions are: from 0 to 1.
    pub share: f64,
    /// What the cost is pulled to, in `cost_unit`.
    pub pulled_to: f64,
    /// How much of the cost the runs say, from 0 (all of it is what it is pulled to) to 1.
    pub from_programs: f64,
    /// The least and the greatest part of a program's executions, from 0 to 1.
    pub seen: (f64, f64),
}

/// A null model, fitted to the same programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NullResult {
    /// Which it is.
    pub model: NullModel,
    /// The same in words.
    pub formula: String,
    /// The cost of the start, in the model's `unit`.
    pub start: f64,
    /// The cost of an execution, in `cost_unit`; or watts.
    pub slope: f64,
    /// Errors of programs that were held out one by one.
    pub program_error: HeldOutError,
    /// Errors of programs whose whole templates were held out.
    pub template_error: HeldOutError,
    /// As [`Model::long_template_error`].
    pub long_template_error: Option<HeldOutError>,
}

/// How far from a prediction what is measured may be, by the errors of templates that were held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictionInterval {
    /// The part of held-out programs that lie within it, from 0 to 1.
    pub confidence: f64,
    /// The lower end, as a factor of the prediction.
    pub low: f64,
    /// The upper end, as a factor of the prediction.
    pub high: f64,
}

/// A program that a model was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelProgram {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its content, hexadecimal; empty where that is not known.
    pub sha256: String,
    /// Its template, or its own name.
    pub template: String,
    /// What was measured, in the model's unit.
    pub measured: f64,
    /// What is fitted.
    pub fitted: f64,
    /// What is predicted by the programs of all other templates.
    pub held_out: f64,
}

/// A result that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Where it is.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl Model {
    /// The version of model files that this crate writes, and the only one that it reads.
    pub const SCHEMA_VERSION: u32 = 1;

    /// How many costs of 1 % or more of what was fitted have intervals of 10 % to either side at most, and how many
    /// there are.
    pub fn known_costs(&self) -> (usize, usize) {
        let large: Vec<&Cost> = self.costs.iter().filter(|cost| cost.share >= LARGE).collect();
        let known = large.iter().filter(|cost| {
            let Estimate { value, low, high } = cost.cost;
            (value - low).max(high - value) <= KNOWN * value
        });
        (known.count(), large.len())
    }

    /// What it is a model of, as it was asked for.
    pub fn wish(&self) -> Wish {
        let response = match self.clock {
            Some(clock) => Response::Time(clock),
            None => Response::Energy { domain: self.domain.clone() },
        };
        let terms = if self.features == "base" { Terms::Base } else { Terms::AsExecuted };
        Wish { response, terms, python: None }
    }

    /// Writes it to a file, as JSON: whole, or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] where it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::io("write", path, source);
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        text.push('\n');
        let mut draft = path.as_os_str().to_owned();
        draft.push(".part");
        let written =
            create_anew(Path::new(&draft), 0o666).and_then(|mut file| file.write_all(text.as_bytes()));
        let written = written.and_then(|()| fs::rename(&draft, path));
        written.map_err(|source| {
            let _ = fs::remove_file(&draft);
            failed(source)
        })
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// [`Error::Io`] where it can't be read, [`Error::NoModel`] where it is none, or one of another version.
    pub fn read(path: &Path) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let text = read_whole(path, LONGEST_TEXT).map_err(|source| Error::io("read", path, source))?;
        let wrong = |reason: String| Error::NoModel { path: path.to_owned(), reason };
        let damaged = |error: serde_json::Error| wrong(format!("it is no model, or a damaged one ({error})"));
        let version: Version = serde_json::from_slice(&text).map_err(damaged)?;
        if version.schema_version != Self::SCHEMA_VERSION {
            return Err(wrong(format!(
                "it is of schema version {}, and this Opmeter knows {}",
                version.schema_version,
                Self::SCHEMA_VERSION
            )));
        }
        serde_json::from_slice(&text).map_err(damaged)
    }
}
