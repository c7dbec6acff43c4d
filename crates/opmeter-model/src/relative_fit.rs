use nalgebra::{Cholesky, DMatrix, DVector};

use crate::bootstrap::Interval;
use crate::nnls;
use crate::possible_range::PossibleRange;
use crate::quantile::median;

/// Errors count no more than this many deviations, where they are greater (Huber, Robust Statistics, 1981, chapter 7).
const LIMIT: f64 = 1.5;

/// What a standard deviation is of the median absolute deviation, for normally distributed values.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// A deviation of relative errors is not taken to be smaller than this.
const LEAST_DEVIATION: f64 = 1e-3;

/// What is fitted is not taken to be further from what was measured than this factor, in what errors are relative to.
const FARTHEST: f64 = 30.0;

/// Turns of improving the fit, at most, and the relative change of what is fitted below which there is no further one.
const TURNS: usize = 10;
const STILL: f64 = 1e-3;

/// The part of errors that are not limited is not taken to be less than this.
const LEAST_UNLIMITED: f64 = 0.5;

/// What is left of the degrees of freedom is not taken to be less than this part of them.
const LEAST_LEFT: f64 = 0.25;

/// Pulls coefficients towards a centre: `strength` times the squared distance is added to the sum of squares.
#[derive(Debug, Clone)]
pub(crate) struct Penalty {
    pub(crate) strengths: DVector<f64>,
    pub(crate) centre: DVector<f64>,
    /// How far true coefficients are thought to lie from their centres: standard deviations.
    pub(crate) deviations: DVector<f64>,
}

impl Penalty {
    /// None.
    pub(crate) fn none(columns: usize) -> Self {
        let zeros = DVector::zeros(columns);
        Self { strengths: zeros.clone(), centre: zeros.clone(), deviations: zeros }
    }
}

/// A fit of coefficients that are not negative to relative errors.
#[derive(Debug, Clone)]
pub(crate) struct RelativeFit {
    /// The coefficients, one for each column.
    pub(crate) coefficients: DVector<f64>,
    /// The rows of the last linear problem: divided by what is fitted.
    rows: DMatrix<f64>,
    /// What that problem is fitted to.
    targets: DVector<f64>,
    /// The part of the errors that were not limited.
    unlimited: f64,
}

/// What fits to drawn rows have in common.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    targets: DVector<f64>,
    /// How much of each coefficient the rows say, from 0 to 1; the rest is the penalty's: the diagonal of the matrix
    /// that makes estimates of true coefficients (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
    /// 2009, section 3.4), without the constraint.
    pub(crate) from_rows: Vec<f64>,
    /// By how much the penalty may have moved each coefficient, as a standard deviation: what it makes of the distances
    /// that true coefficients are thought to have from their centres.
    pub(crate) pulls: Vec<f64>,
    /// How far each coefficient scatters with errors that are independent and alike, as a standard deviation: the
    /// sandwich of the penalised normal equations, without the constraint.
    pub(crate) scatters: Vec<f64>,
    /// The variance of relative errors, if all are alike.
    pub(crate) variance: f64,
}

impl RelativeFit {
    /// Makes Σ ψ(ln y - ln ŷ)² least, with ŷ the row times the coefficients: relative errors, alike in both directions,
    /// since programs differ by orders of magnitude. ψ limits errors that are much greater than most (Winsorised
    /// residuals: Huber 1981, section 7.8). Each turn solves the linear problem (Gauss and Newton's) of
    /// ln ŷ ≈ ln ŷ₀ + (ŷ - ŷ₀) / ŷ₀.
    pub(crate) fn new(matrix: &DMatrix<f64>, response: &[f64], penalty: &Penalty) -> Self {
        let count = response.len();
        let mut fitted: Vec<f64> = response.to_vec();
        let mut deviation = f64::INFINITY;
        let mut fit = Self {
            // Most are above 0: that is where the first turn looks first.
            coefficients: DVector::from_element(matrix.ncols(), 1.0),
            rows: matrix.clone(),
            targets: DVector::zeros(count),
            unlimited: 1.0,
        };
        for turn in 0..TURNS {
            for row in 0..count {
                let error = (response[row] / fitted[row]).ln();
                let limit = LIMIT * deviation;
                fit.targets[row] = 1.0 + error.clamp(-limit, limit);
                for column in 0..matrix.ncols() {
                    fit.rows[(row, column)] = matrix[(row, column)] / fitted[row];
                }
            }
            let limited =
                fit.targets.iter().filter(|target| (*target - 1.0).abs() >= LIMIT * deviation).count();
            fit.unlimited = 1.0 - limited as f64 / count.max(1) as f64;
            fit.coefficients = fit.solve(&vec![1.0; count], &fit.targets, penalty);
            let next = matrix * &fit.coefficients;
            let mut change: f64 = 0.0;
            for row in 0..count {
                let near = next[row].clamp(response[row] / FARTHEST, response[row] * FARTHEST);
                change = change.max((near / fitted[row]).ln().abs());
                fitted[row] = near;
            }
            if turn > 0 && change < STILL {
                break;
            }
            let errors =
                response.iter().zip(&fitted).map(|(measured, fitted)| (measured / fitted).ln().abs());
            deviation = (MAD_TO_DEVIATION * median(errors.collect()).unwrap_or(0.0)).max(LEAST_DEVIATION);
        }
        fit
    }

    /// What is needed to fit again to rows that are drawn.
    ///
    /// Errors of the fit are smaller than true ones, the more a row decided its own fit: they are divided by one less
    /// the row's leverage (MacKinnon and White, Journal of Econometrics 29, 1985). What limiting errors takes from their
    /// spread is given back, as Salibián-Barrera and Zamar do (Annals of Statistics 30, 2002).
    pub(crate) fn drawing(&self, penalty: &Penalty) -> Drawing {
        let of_rows = gram_of(&self.rows, &self.rows);
        let mut gram = of_rows.clone();
        add(&mut gram, penalty);
        let inverse = Cholesky::new(gram).map(|factors| factors.inverse());
        let columns = self.rows.ncols();
        let leverage = |row: usize| {
            let Some(inverse) = &inverse else { return 0.0 };
            let values = self.rows.row(row);
            (values * inverse * values.transpose())[(0, 0)]
        };
        let spread = 1.0 / self.unlimited.max(LEAST_UNLIMITED);
        let target =
            |row: usize| 1.0 + (self.targets[row] - 1.0) * spread / (1.0 - leverage(row)).max(LEAST_LEFT);
        let from = |column: usize| {
            inverse
                .as_ref()
                .map_or(1.0, |inverse| 1.0 - penalty.strengths[column] * inverse[(column, column)])
        };
        // The estimate less the truth, errors apart, is this matrix times the truth's distance from the centre.
        let pull = |column: usize| {
            let Some(inverse) = &inverse else { return 0.0 };
            let parts = (0..columns)
                .map(|other| inverse[(column, other)] * penalty.strengths[other] * penalty.deviations[other]);
            parts.map(|part| part.powi(2)).sum::<f64>().sqrt()
        };
        let targets = DVector::from_fn(self.rows.nrows(), |row, _| target(row));
        let variance =
            targets.iter().map(|target| (target - 1.0).powi(2)).sum::<f64>() / targets.len() as f64;
        let scatter = |column: usize| {
            let Some(inverse) = &inverse else { return 0.0 };
            let values = inverse.row(column);
            (variance * (values * &of_rows * values.transpose())[(0, 0)]).max(0.0).sqrt()
        };
        Drawing {
            variance,
            scatters: (0..columns).map(scatter).collect(),
            pulls: (0..columns).map(pull).collect(),
            targets,
            from_rows: (0..columns).map(|column| from(column).clamp(0.0, 1.0)).collect(),
        }
    }

    /// What each coefficient may be by the rows alone, without the penalty, where errors have this variance and the
    /// square of a deviation, in standard deviations, is at most `chi_squared`.
    pub(crate) fn possible_ranges(&self, variance: f64, chi_squared: f64) -> Vec<Interval> {
        let mut gram = gram_of(&self.rows, &self.rows);
        add(&mut gram, &Penalty::none(self.rows.ncols()));
        let right = self.rows.tr_mul(&self.targets);
        let ranges = PossibleRange::new(&gram, &right, &self.above_zero(), variance * chi_squared);
        (0..self.rows.ncols()).map(|column| ranges.of(column)).collect()
    }

    fn above_zero(&self) -> Vec<bool> {
        self.coefficients.iter().map(|value| *value > 0.0).collect()
    }

    /// The coefficients where each row counts as often as `frequencies` says, with what errors are relative to left as
    /// it was: one step of a fit anew.
    pub(crate) fn again(&self, drawing: &Drawing, frequencies: &[f64], penalty: &Penalty) -> DVector<f64> {
        self.solve(frequencies, &drawing.targets, penalty)
    }

    fn solve(&self, frequencies: &[f64], targets: &DVector<f64>, penalty: &Penalty) -> DVector<f64> {
        let mut weighted = self.rows.clone();
        for (row, frequency) in frequencies.iter().enumerate() {
            weighted.row_mut(row).scale_mut(*frequency);
        }
        let mut gram = gram_of(&weighted, &self.rows);
        add(&mut gram, penalty);
        let right = weighted.tr_mul(targets) + penalty.strengths.component_mul(&penalty.centre);
        nnls::solve(&gram, &right, &self.above_zero())
    }
}

fn gram_of(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    a.transpose() * b
}

/// Adds a penalty to normal equations, and so little to each column that equations that leave something open have one
/// solution.
fn add(gram: &mut DMatrix<f64>, penalty: &Penalty) {
    for column in 0..gram.ncols() {
        let value = gram[(column, column)];
        gram[(column, column)] = value * (1.0 + 1e-9) + penalty.strengths[column] + f64::MIN_POSITIVE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_errors_count_alike_whatever_the_size_and_outliers_little() {
        // y = 3 a + 5 b, over four orders of magnitude, and two programs that are far off.
        let mut random = fastrand::Rng::with_seed(3);
        let matrix = DMatrix::from_fn(40, 2, |row, _| 10f64.powi((row % 5) as i32) * (0.1 + random.f64()));
        let mut response: Vec<f64> = (0..40)
            .map(|row| {
                (3.0 * matrix[(row, 0)] + 5.0 * matrix[(row, 1)]) * (1.0 + 0.02 * (random.f64() - 0.5))
            })
            .collect();
        response[3] *= 20.0;
        response[7] /= 20.0;
        let fit = RelativeFit::new(&matrix, &response, &Penalty::none(2));
        assert!((fit.coefficients[0] - 3.0).abs() < 0.06, "{}", fit.coefficients);
        assert!((fit.coefficients[1] - 5.0).abs() < 0.10, "{}", fit.coefficients);
    }

    #[test]
    fn a_penalty_pulls_to_the_centre() {
        let matrix = DMatrix::from_element(4, 1, 1.0);
        let penalty = |strength| Penalty {
            strengths: DVector::from_element(1, strength),
            centre: DVector::from_element(1, 2.0),
            deviations: DVector::from_element(2, 1.0),
        };
        let found = |strength| RelativeFit::new(&matrix, &[1.0; 4], &penalty(strength)).coefficients[0];
        assert!((found(0.0) - 1.0).abs() < 1e-6 && (found(1e9) - 2.0).abs() < 1e-3);
    }
}
