use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::Response;
use crate::design::Design;
use crate::relative_fit::{Penalty, RelativeFit};

/// A model that knows nothing of opcodes: what a model of them has to be better than.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NullModel {
    /// A cost for each executed bytecode.
    PerExecution,
    /// The same, and one for the process's start.
    StartAndPerExecution,
    /// Watts times seconds.
    PerSecond,
}

/// A null model, fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NullFit {
    model: NullModel,
    /// The cost of the start, in seconds or joules.
    pub(crate) intercept: f64,
    /// The cost of an execution in seconds or joules, or of a second in joules: watts.
    pub(crate) slope: f64,
}

impl NullModel {
    /// Those of a response.
    pub fn of(response: &Response) -> &'static [Self] {
        match response {
            Response::Time(_) => &[Self::PerExecution, Self::StartAndPerExecution],
            Response::Energy { .. } => &[Self::PerSecond],
        }
    }

    /// What it says, in words.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::PerExecution => "cost × executions",
            Self::StartAndPerExecution => "start + cost × executions",
            Self::PerSecond => "watts × seconds",
        }
    }

    /// Fits it as costs per opcode are fitted: to relative errors, none of its numbers below 0.
    pub(crate) fn fit(self, design: &Design) -> NullFit {
        let (values, has_intercept) = match self {
            Self::PerExecution => (&design.executions, false),
            Self::StartAndPerExecution => (&design.executions, true),
            Self::PerSecond => (&design.seconds, false),
        };
        let (intercept, slope) = line(values, design, has_intercept);
        NullFit { model: self, intercept, slope }
    }
}

/// Fits an intercept, if it is to have one, and a slope to relative errors, neither below 0.
pub(crate) fn line(values: &[f64], design: &Design, has_intercept: bool) -> (f64, f64) {
    let largest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let unit = design.least_response();
    let columns = 1 + usize::from(has_intercept);
    let matrix =
        DMatrix::from_fn(
            design.len(),
            columns,
            |row, column| {
                if column == 0 { values[row] / largest } else { unit }
            },
        );
    let fit = RelativeFit::new(&matrix, &design.response, &Penalty::none(columns));
    let intercept = if has_intercept { fit.coefficients[1] * unit } else { 0.0 };
    (intercept, fit.coefficients[0] / largest)
}

impl NullFit {
    /// What it says of a program: seconds or joules.
    pub(crate) fn predict(&self, design: &Design, row: usize) -> f64 {
        let of = if self.model == NullModel::PerSecond { &design.seconds } else { &design.executions };
        self.intercept + self.slope * of[row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found() {
        let executions: Vec<f64> = (0..10).map(|n| 10f64.powf(3.0 + f64::from(n) / 2.0)).collect();
        let response: Vec<f64> = executions.iter().map(|executions| 0.02 + 3e-8 * executions).collect();
        let design = Design {
            features: DMatrix::zeros(10, 0),
            nanoseconds: DMatrix::zeros(10, 0),
            templates: vec![0; 10],
            seconds: response.iter().map(|joules| joules / 12.0).collect(),
            executions,
            response,
        };
        let line = NullModel::StartAndPerExecution.fit(&design);
        assert!(
            (line.intercept / 0.02 - 1.0).abs() < 1e-3 && (line.slope / 3e-8 - 1.0).abs() < 1e-3,
            "{line:?}"
        );
        let watts = NullModel::PerSecond.fit(&design);
        assert!((watts.slope - 12.0).abs() < 1e-6 && watts.intercept == 0.0, "{watts:?}");
        assert!((watts.predict(&design, 9) / design.response[9] - 1.0).abs() < 1e-6);
    }
}
