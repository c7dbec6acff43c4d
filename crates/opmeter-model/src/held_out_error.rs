use serde::{Deserialize, Serialize};

use crate::quantile::quantile;

/// How far predictions are from what was measured, of programs that were held out of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeldOutError {
    /// The median of the relative errors: 0.1 is 10 % of what was measured.
    pub median: f64,
    /// The error that nine of ten programs are below.
    pub percentile_90: f64,
}

impl HeldOutError {
    /// The errors of predictions.
    pub(crate) fn of(predicted: &[f64], measured: &[f64]) -> Self {
        let errors = relative_errors(predicted, measured);
        let at = |part| quantile(errors.clone(), part).unwrap_or(f64::NAN);
        Self { median: at(0.5), percentile_90: at(0.9) }
    }
}

/// The errors of predictions, each as a part of what was measured.
pub(crate) fn relative_errors(predicted: &[f64], measured: &[f64]) -> Vec<f64> {
    predicted.iter().zip(measured).map(|(predicted, measured)| (predicted / measured - 1.0).abs()).collect()
}
