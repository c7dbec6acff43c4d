use nalgebra::{DMatrix, DVector};

use crate::bootstrap::Interval;
use crate::design::Design;
use crate::measured_costs::{MeasuredCost, measured_costs};
use crate::null_model::line;
use crate::relative_fit::{Drawing, Penalty, RelativeFit};

/// Turns of loosening the pull on costs that lie far from their centres.
const LOOSENINGS: usize = 2;

/// Degrees of freedom of Student's distribution, which distances of costs from their centres are thought to have: a few
/// costs lie far from all others.
const FREEDOM: f64 = 3.0;

/// What cross-validation chooses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setting {
    /// How much costs are pulled towards a common one.
    pub(crate) ridge: f64,
    /// Whether the process's start has a cost of its own.
    pub(crate) intercept: bool,
    /// Whether costs that lie far from their centres are pulled less.
    pub(crate) loosened: bool,
}

impl Setting {
    /// All that are tried, without loosening.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [true, false].into_iter().flat_map(|intercept| {
            (-4..=2).map(move |power| Self { ridge: 10f64.powi(power), intercept, loosened: false })
        })
    }
}

/// Costs of features, fitted.
#[derive(Debug, Clone)]
pub(crate) struct CostFit {
    /// The cost of the process's start: seconds or joules.
    pub(crate) intercept: f64,
    /// The cost of an execution of each feature: seconds or joules.
    pub(crate) costs: Vec<f64>,
    /// The mean cost of all executions, by the centres.
    pub(crate) common: f64,
    /// What each cost is pulled to.
    pub(crate) centres: Vec<f64>,
    /// Whether the centres are those of measured times.
    pub(crate) is_measured: bool,
    fit: RelativeFit,
    penalty: Penalty,
    units: Vec<f64>,
}

impl CostFit {
    /// Fits costs. Each is pulled towards a centre, by its distance from it as a part of it: of what the programs say
    /// little, that is what is left. The centres are proportional to what metered runs with times measured; to one
    /// another, where there are none.
    pub(crate) fn new(design: &Design, setting: Setting) -> Self {
        let count = design.features.ncols();
        let measured = measured_costs(design);
        let is_measured = measured.is_some();
        let measured =
            measured.unwrap_or_else(|| vec![MeasuredCost { nanoseconds: 1.0, deviation: 1.0 }; count]);
        let relative: Vec<f64> = measured.iter().map(|cost| cost.nanoseconds).collect();
        let sums: Vec<f64> = (0..design.len())
            .map(|row| {
                relative.iter().enumerate().map(|(column, cost)| cost * design.features[(row, column)]).sum()
            })
            .collect();
        let (_, slope) = line(&sums, design, setting.intercept);
        let all: f64 = sums.iter().sum();
        let slope = if slope > 0.0 { slope } else { design.response.iter().sum::<f64>() / all };
        let common = slope * all / design.features.sum();
        let centres: Vec<f64> = relative.iter().map(|cost| cost * slope).collect();
        let columns = count + usize::from(setting.intercept);
        let mut units = centres.clone();
        units.extend(setting.intercept.then(|| design.least_response()));
        let matrix = DMatrix::from_fn(design.len(), columns, |row, column| {
            units[column] * if column < count { design.features[(row, column)] } else { 1.0 }
        });
        // The start, if it has a cost, is pulled nowhere.
        let centre = DVector::from_fn(columns, |column, _| if column < count { 1.0 } else { 0.0 });
        let mut penalty = Penalty { centre: centre.clone(), ..Penalty::none(columns) };
        pull(&mut penalty, &centre, setting.ridge, &measured);
        let mut fit = RelativeFit::new(&matrix, &design.response, &penalty);
        let loosenings = if setting.loosened { LOOSENINGS } else { 0 };
        for _ in 0..loosenings {
            pull(&mut penalty, &fit.coefficients, setting.ridge, &measured);
            fit = RelativeFit::new(&matrix, &design.response, &penalty);
        }
        let (intercept, costs) = scaled(&fit.coefficients, &units, count);
        Self { intercept, costs, common, centres, is_measured, fit, penalty, units }
    }

    /// What is needed to fit again to programs that are drawn.
    pub(crate) fn drawing(&self) -> Drawing {
        self.fit.drawing(&self.penalty)
    }

    /// What each cost may be by the programs alone, as [`RelativeFit::possible_ranges`]: seconds or joules.
    pub(crate) fn possible_ranges(&self, variance: f64, chi_squared: f64) -> Vec<Interval> {
        let ranges = self.fit.possible_ranges(variance, chi_squared);
        let of_costs = ranges.into_iter().zip(&self.units).take(self.costs.len());
        of_costs.map(|((low, high), unit)| (low * unit, high * unit)).collect()
    }

    /// The intercept and the costs where each program counts as often as `frequencies` says.
    pub(crate) fn again(&self, drawing: &Drawing, frequencies: &[f64]) -> (f64, Vec<f64>) {
        scaled(&self.fit.again(drawing, frequencies, &self.penalty), &self.units, self.costs.len())
    }

    /// What is fitted of a program of another design of the same features: seconds or joules.
    pub(crate) fn predict(&self, design: &Design, row: usize) -> f64 {
        let each = self.costs.iter().enumerate().map(|(column, cost)| cost * design.features[(row, column)]);
        self.intercept + each.sum::<f64>()
    }
}

/// Sets how much costs are pulled: those whose times are alike in all templates more than those that differ; those that
/// were found far from their centres less, as they are less certain. That is a step of the expectation-maximisation
/// algorithm for Student's distribution (Lange, Little and Taylor, Journal of the American Statistical Association 84,
/// 1989).
fn pull(penalty: &mut Penalty, found: &DVector<f64>, ridge: f64, measured: &[MeasuredCost]) {
    for (column, cost) in measured.iter().enumerate() {
        let distance = (found[column] - 1.0) / cost.deviation;
        let weight = ((FREEDOM + 1.0) / (FREEDOM + distance.powi(2))).min(1.0);
        penalty.strengths[column] = ridge * weight / cost.deviation.powi(2);
        penalty.deviations[column] = cost.deviation / weight.sqrt();
    }
}

fn scaled(coefficients: &DVector<f64>, units: &[f64], count: usize) -> (f64, Vec<f64>) {
    let all: Vec<f64> = coefficients.iter().zip(units).map(|(value, unit)| value * unit).collect();
    (all.get(count).copied().unwrap_or(0.0), all[..count].to_vec())
}
