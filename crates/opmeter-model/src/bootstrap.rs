use fastrand::Rng;

use crate::cost_fit::CostFit;
use crate::quantile::quantile;
use crate::relative_fit::Drawing;

/// The part of all intervals of costs that cover what they are of.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// What draws begin with: the same results have the same intervals.
const SEED: u64 = 0x6f70_6d65_7465_7221;

/// A value with its interval.
pub(crate) type Interval = (f64, f64);

/// How often each row is drawn: templates are drawn with all their programs, since these are alike in what a model does
/// not know of them.
pub(crate) struct Draws<'a> {
    folds: &'a [Vec<usize>],
    rows: usize,
    random: Rng,
}

impl<'a> Draws<'a> {
    /// Draws of the rows in these folds.
    pub(crate) fn new(folds: &'a [Vec<usize>], rows: usize) -> Self {
        Self { folds, rows, random: Rng::with_seed(SEED) }
    }

    /// The next: as many folds as there are, each as often as it comes.
    pub(crate) fn frequencies(&mut self) -> Vec<f64> {
        let mut frequencies = vec![0.0; self.rows];
        for _ in 0..self.folds.len() {
            let fold = &self.folds[self.random.usize(..self.folds.len())];
            fold.iter().for_each(|&row| frequencies[row] += 1.0);
        }
        frequencies
    }
}

/// The intervals of the intercept and of the costs: quantiles of what is fitted to programs that are drawn with
/// replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 9 and 13).
pub(crate) fn intervals(
    fit: &CostFit,
    drawing: &Drawing,
    folds: &[Vec<usize>],
    rows: usize,
    count: usize,
) -> (Interval, Vec<Interval>) {
    let mut draws = Draws::new(folds, rows);
    let drawn: Vec<(f64, Vec<f64>)> = (0..count).map(|_| fit.again(drawing, &draws.frequencies())).collect();
    let interval = |values: Vec<f64>, value: f64| {
        let end = |part| quantile(values.clone(), part).unwrap_or(value);
        (end((1.0 - CONFIDENCE) / 2.0).min(value), end((1.0 + CONFIDENCE) / 2.0).max(value))
    };
    let of_intercept = interval(drawn.iter().map(|(intercept, _)| *intercept).collect(), fit.intercept);
    let of_costs = fit
        .costs
        .iter()
        .enumerate()
        .map(|(place, cost)| interval(drawn.iter().map(|(_, costs)| costs[place]).collect(), *cost));
    (of_intercept, of_costs.collect())
}
