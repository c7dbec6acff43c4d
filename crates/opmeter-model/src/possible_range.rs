//! What costs may be, by what was measured alone.

use nalgebra::{DMatrix, DVector};

use crate::bootstrap::Interval;
use crate::nnls;

/// Steps to an end of a range at most, and how closely it is found: as a part of its distance from the best value.
const STEPS: usize = 40;
const CLOSE: f64 = 0.01;

/// The range of a variable of the least-squares problem with the normal equations `gram x = right` under `x >= 0`: the
/// values with which, whatever the others are, the sum of squares is at most `rise` above the least one.
///
/// This is the interval of the profile likelihood (Venzon and Moolgavkar, Applied Statistics 37, 1988), with `rise` the
/// variance of errors times a quantile of the chi-squared distribution of one degree of freedom. It needs no assumption
/// on what the variable may be, so that it holds a variable that the rows hardly tell as well; it is as wide as they
/// leave it open.
pub(crate) struct PossibleRange<'a> {
    gram: &'a DMatrix<f64>,
    right: &'a DVector<f64>,
    best: DVector<f64>,
    /// The least sum of squares, but for a constant.
    least: f64,
    rise: f64,
}

impl<'a> PossibleRange<'a> {
    /// Ranges of variables of a problem; `start` says which of them are likely to be above 0.
    pub(crate) fn new(
        gram: &'a DMatrix<f64>,
        right: &'a DVector<f64>,
        start: &[bool],
        rise: f64,
    ) -> PossibleRange<'a> {
        let best = nnls::solve(gram, right, start);
        let least = squares(gram, right, &best);
        PossibleRange { gram, right, best, least, rise: rise.max(f64::MIN_POSITIVE) }
    }

    /// The range of the variable at this place.
    pub(crate) fn of(&self, place: usize) -> Interval {
        let mut profile = Profile::new(self, place);
        let best = self.best[place];
        let low = if best <= 0.0 || profile.distance(0.0) <= 1.0 { 0.0 } else { profile.end(best, 0.0) };
        // At first as far as it would be if the others stood still.
        let step = (self.rise / self.gram[(place, place)]).sqrt().max(best * CLOSE);
        let mut far = best + step;
        let mut steps = 0;
        while profile.distance(far) <= 1.0 && steps < STEPS {
            far = best + 2.0 * (far - best);
            steps += 1;
        }
        (low, profile.end(best, far))
    }
}

/// The sum of squares, but for a constant.
fn squares(gram: &DMatrix<f64>, right: &DVector<f64>, solution: &DVector<f64>) -> f64 {
    solution.dot(&(gram * solution)) - 2.0 * right.dot(solution)
}

/// The least sum of squares as a function of one variable.
struct Profile<'a> {
    range: &'a PossibleRange<'a>,
    place: usize,
    others: DMatrix<f64>,
    with_others: DVector<f64>,
    right: DVector<f64>,
    /// Which of the others were above 0 last.
    start: Vec<bool>,
}

impl<'a> Profile<'a> {
    fn new(range: &'a PossibleRange<'a>, place: usize) -> Self {
        let without = |vector: DVector<f64>| vector.remove_row(place);
        Self {
            range,
            place,
            others: range.gram.clone().remove_row(place).remove_column(place),
            with_others: without(range.gram.column(place).into_owned()),
            right: without(range.right.clone()),
            start: without(range.best.clone()).iter().map(|value| *value > 0.0).collect(),
        }
    }

    /// How far a value is from the best one: 1 at the ends of the range, and nearly proportional to the distance.
    fn distance(&mut self, value: f64) -> f64 {
        let right = &self.right - &self.with_others * value;
        let others = nnls::solve(&self.others, &right, &self.start);
        self.start = others.iter().map(|other| *other > 0.0).collect();
        let own =
            value * (self.range.gram[(self.place, self.place)] * value - 2.0 * self.range.right[self.place]);
        let rise = squares(&self.others, &right, &others) + own - self.range.least;
        (rise.max(0.0) / self.range.rise).sqrt()
    }

    /// The end of the range between a value within and one beyond it.
    fn end(&mut self, best: f64, beyond: f64) -> f64 {
        let (mut within, mut beyond) = ((best, 0.0), (beyond, self.distance(beyond)));
        for step in 0..STEPS {
            if (beyond.0 - within.0).abs() <= CLOSE * (beyond.0 - best).abs() {
                break;
            }
            // Where it would be if the distance were proportional; by halves now and then, in case it is not.
            let part = (1.0 - within.1) / (beyond.1 - within.1);
            let part = if step % 3 == 2 || !part.is_finite() { 0.5 } else { part.clamp(CLOSE, 1.0 - CLOSE) };
            let middle = within.0 + part * (beyond.0 - within.0);
            let distance = self.distance(middle);
            *(if distance <= 1.0 { &mut within } else { &mut beyond }) = (middle, distance);
        }
        beyond.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranges by trying all pairs of values.
    fn tried(gram: &DMatrix<f64>, right: &DVector<f64>, rise: f64) -> [Interval; 2] {
        let values = || (0..=1000).map(|step| f64::from(step) * 0.005);
        let of = |a: f64, b: f64| squares(gram, right, &DVector::from_column_slice(&[a, b]));
        let pairs = || values().flat_map(|a| values().map(move |b| (a, b)));
        let least = pairs().map(|(a, b)| of(a, b)).fold(f64::INFINITY, f64::min);
        let within: Vec<(f64, f64)> = pairs().filter(|(a, b)| of(*a, *b) <= least + rise).collect();
        [0, 1].map(|place| {
            let of_place = || within.iter().map(|pair| if place == 0 { pair.0 } else { pair.1 });
            (of_place().fold(f64::INFINITY, f64::min), of_place().fold(0.0, f64::max))
        })
    }

    #[test]
    fn ranges_are_those_of_all_values_that_fit() {
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..20 {
            let rows = DMatrix::from_fn(5, 2, |_, _| random.f64());
            let truth = DVector::from_fn(2, |_, _| 1.5 * random.f64());
            let targets = &rows * truth + DVector::from_fn(5, |_, _| 0.1 * (random.f64() - 0.5));
            let (gram, right) = (rows.tr_mul(&rows), rows.tr_mul(&targets));
            let ranges = PossibleRange::new(&gram, &right, &[], 0.05);
            for (place, expected) in tried(&gram, &right, 0.05).into_iter().enumerate() {
                let found = ranges.of(place);
                let close = |found: f64, expected: f64| (found - expected).abs() < 0.01 + 0.02 * expected;
                assert!(expected.1 >= 5.0 || close(found.1, expected.1), "{found:?} {expected:?}");
                assert!(close(found.0, expected.0), "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn what_can_not_be_told_apart_may_be_all_or_nothing() {
        let rows = DMatrix::from_fn(10, 2, |row, column| 1.0 + 1e-6 * (row * column) as f64);
        let targets = DVector::from_element(10, 3.0);
        let gram = rows.tr_mul(&rows) + DMatrix::identity(2, 2) * 1e-9;
        let right = rows.tr_mul(&targets);
        let ranges = PossibleRange::new(&gram, &right, &[], 1e-4);
        for (low, high) in [ranges.of(0), ranges.of(1)] {
            assert!(low == 0.0 && (high - 3.0).abs() < 0.05, "{low} {high}");
        }
    }
}
