use serde::{Deserialize, Serialize};

use crate::{Interpreter, Probe, Range, Template};

/// Where a range was found: times are true there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOn {
    /// The interpreter.
    pub interpreter: Interpreter,
    /// The model of the processor.
    pub cpu: String,
    /// The machine's name.
    pub hostname: String,
}

/// A template's table in `range.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeEntry {
    /// The smallest n that runs without error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smallest: Option<u64>,
    /// What stopped the search for it: [`LowerEnd::name`](crate::LowerEnd::name).
    pub smallest_stopped_by: String,
    /// The error below it, with its n.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smallest_error: Option<String>,
    /// The largest n within the target time; where it is never slow, the highest n that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest: Option<u64>,
    /// What stopped the search for it: [`UpperEnd::name`](crate::UpperEnd::name).
    pub largest_stopped_by: String,
    /// The error above it, with its n.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest_error: Option<String>,
    /// The time of a run of the largest n, in seconds: the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_at_largest: Option<f64>,
    /// The target time, in seconds.
    pub target_seconds: f64,
    /// Whether both ends were found.
    pub found: bool,
    /// Whether the time grew with n wherever that was looked at, and no n between the ends failed.
    pub monotone: bool,
    /// What else is to be known, a sentence each.
    pub notes: Vec<String>,
    /// The template's function.
    pub function: String,
    /// The SHA-256 of the template, in hexadecimal digits.
    pub sha256: String,
    /// The interpreter's version.
    pub python_version: String,
    /// The interpreter's executable.
    pub python_executable: String,
    /// The model of the processor.
    pub cpu: String,
    /// The machine's name.
    pub hostname: String,
    /// The runs, in order.
    pub probes: Vec<Probe>,
}

impl RangeEntry {
    /// The table of what was found for a template with a target, in seconds.
    pub fn new(range: &Range, template: &Template, function: &str, target: f64, on: &FoundOn) -> RangeEntry {
        RangeEntry {
            smallest: range.smallest,
            smallest_stopped_by: range.lower.name().to_owned(),
            smallest_error: range.lower.error(),
            largest: range.largest,
            largest_stopped_by: range.upper.name().to_owned(),
            largest_error: range.upper.error(),
            seconds_at_largest: range.seconds.map(|seconds| (seconds * 1e6).round() / 1e6),
            target_seconds: target,
            found: range.is_found(),
            monotone: range.monotone,
            notes: range.notes.clone(),
            function: function.to_owned(),
            sha256: template.sha256.clone(),
            python_version: on.interpreter.version.clone(),
            python_executable: on.interpreter.executable.display().to_string(),
            cpu: on.cpu.clone(),
            hostname: on.hostname.clone(),
            probes: range.probes.clone(),
        }
    }

    /// Whether it is of this template as it is now, of this function, and of this target, where one is asked for.
    pub fn is_of(&self, template: &Template, function: &str, target: Option<f64>) -> bool {
        self.sha256 == template.sha256
            && self.function == function
            && target.is_none_or(|target| target == self.target_seconds)
    }

    /// Both ends, if they were found.
    pub fn ends(&self) -> Option<(u64, u64)> {
        Some((self.smallest?, self.largest?)).filter(|_| self.found)
    }
}
