use std::collections::BTreeMap;

use nalgebra::DMatrix;

use crate::{Features, Observation};

/// The numbers that a model is fitted to, a row for each program.
#[derive(Debug, Clone)]
pub(crate) struct Design {
    /// Executions of each feature.
    pub(crate) features: DMatrix<f64>,
    /// What these took in the metered run, in nanoseconds; 0 of programs without times.
    pub(crate) nanoseconds: DMatrix<f64>,
    /// Which template each program is of.
    pub(crate) templates: Vec<usize>,
    /// All executions.
    pub(crate) executions: Vec<f64>,
    /// Wall seconds of the runs.
    pub(crate) seconds: Vec<f64>,
    /// What is fitted: seconds or joules.
    pub(crate) response: Vec<f64>,
}

impl Design {
    pub(crate) fn new(programs: &[Observation], features: &Features) -> Self {
        let list = &features.list;
        let matrix = |of: &dyn Fn(&Observation) -> &BTreeMap<String, f64>| {
            DMatrix::from_fn(programs.len(), list.len(), |row, column| list[column].sum(of(&programs[row])))
        };
        let mut names: Vec<&str> = programs.iter().map(|program| program.template.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let template =
            |program: &Observation| names.partition_point(|name| *name < program.template.as_str());
        Self {
            features: matrix(&|program| &program.counts),
            nanoseconds: matrix(&|program| &program.nanoseconds),
            templates: programs.iter().map(template).collect(),
            executions: programs.iter().map(|program| program.executions).collect(),
            seconds: programs.iter().map(|program| program.seconds).collect(),
            response: programs.iter().map(|program| program.response).collect(),
        }
    }

    /// How many programs there are.
    pub(crate) fn len(&self) -> usize {
        self.response.len()
    }

    /// Some of the rows.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Self {
            features: self.features.select_rows(rows),
            nanoseconds: self.nanoseconds.select_rows(rows),
            templates: rows.iter().map(|&row| self.templates[row]).collect(),
            executions: of(&self.executions),
            seconds: of(&self.seconds),
            response: of(&self.response),
        }
    }

    /// The least response: the unit of intercepts.
    pub(crate) fn least_response(&self) -> f64 {
        self.response.iter().copied().fold(f64::INFINITY, f64::min)
    }
}
