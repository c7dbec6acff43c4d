//! What taking times costs, found out in the run itself: see `docs/method.md`.

use opmeter_live::{SliceSum, Slices};
use serde::{Deserialize, Serialize};

/// A usual ratio of what a probe costs in place to what one costs behind another, and how far it varies.
const PRIOR: (f64, f64) = (0.75, 0.15);

/// What counting one execution usually costs, in core cycles: a fit (over 14 programs and 5 interpreters)
/// against the logarithm of how many instructions the executions are spread over, for much of it is what the
/// counters' memory costs. The last number is how far it varies.
const COUNTING: (f64, f64, f64) = (-3.7, 1.35, 1.0);

/// The least that it usually costs, in core cycles.
const LEAST_COUNTING: f64 = 1.0;

/// How the times of a process were taken, and what that cost. Cycles are those of the time-stamp counter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timing {
    /// Cycles of the time-stamp counter in a second, measured in the run.
    pub tsc_hz: f64,
    /// Executions that were timed.
    pub timed_executions: u64,
    /// What timing an execution cost, and was taken off: estimated from neighbouring slices of the run.
    pub probe_cycles: f64,
    /// The standard error of `probe_cycles`.
    pub probe_cycles_se: f64,
    /// What counting an execution cost, and was taken off: estimated from slices in which everything was
    /// counted twice, where there are any.
    pub counting_cycles: f64,
    /// The standard error of `counting_cycles`.
    pub counting_cycles_se: f64,
    /// Pairs of slices, one timed and one only counted, that the estimate is from.
    pub pairs_of_slices: u64,
    /// Whether several threads ran: then what was not timed is estimated from the counts alone.
    pub threads: bool,
}

/// The cost of probes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ProbeCost {
    /// Of a timed segment, in cycles.
    pub timed: f64,
    /// The standard error of that.
    pub timed_se: f64,
    /// Of an execution that was only counted, in cycles.
    pub counted: f64,
    /// The standard error of that.
    pub counted_se: f64,
    /// Segments in a step, on average.
    pub segments_per_step: f64,
}

impl ProbeCost {
    /// What the slices say, where executions are spread over so many instructions (see [`spread`]).
    pub(crate) fn of(slices: &Slices, spread: f64) -> ProbeCost {
        let core_ratio = if slices.core_ratio == 0 { 1.0 } else { slices.core_ratio as f64 / 1024.0 };
        let usual = (COUNTING.0 + COUNTING.1 * spread.max(1.0).ln()).max(LEAST_COUNTING) / core_ratio;
        let usual = (usual, COUNTING.2 / core_ratio);
        let steps = |sum: &SliceSum| sum.timed_steps as f64;
        let segments: f64 = slices.sums.iter().map(|sum| sum.timed_segments as f64).sum();
        let segments_per_step = segments / slices.sums.iter().map(steps).sum::<f64>().max(1.0);
        let counted = |sum: &SliceSum| (sum.counted_cycles, sum.counted_steps);
        let timed = |sum: &SliceSum| (sum.timed_cycles, sum.timed_steps);
        let doubled = |sum: &SliceSum| (sum.doubled_cycles, sum.doubled_steps);
        let per_segment = |found: Option<(f64, f64)>| {
            found
                .filter(|_| segments > 0.0)
                .map(|(cost, se)| (cost / segments_per_step, se / segments_per_step))
        };
        let counting = match per_segment(difference(&slices.sums, counted, doubled)) {
            Some(found) => weighted(usual, found),
            None => usual,
        };
        let back_to_back = slices.back_to_back as f64 / 1024.0;
        let prior = (back_to_back * PRIOR.0, back_to_back * PRIOR.1);
        let (timed, timed_se) = match per_segment(difference(&slices.sums, counted, timed)) {
            Some((cost, se)) => weighted(prior, (cost + counting.0, se.hypot(counting.1))),
            None => prior,
        };
        ProbeCost { timed, timed_se, counted: counting.0, counted_se: counting.1, segments_per_step }
    }
}

/// How many instructions executions are spread over: the exponential of the distribution's entropy.
pub(crate) fn spread(executions: impl Iterator<Item = u64> + Clone) -> f64 {
    let total: f64 = executions.clone().map(|count| count as f64).sum();
    let part = |count: u64| {
        let part = count as f64 / total;
        if count == 0 { 0.0 } else { -part * part.ln() }
    };
    executions.map(part).sum::<f64>().exp()
}

/// The mean of two estimates, each with its standard error, weighted by how sure they are.
fn weighted(one: (f64, f64), other: (f64, f64)) -> (f64, f64) {
    let weight = |(_, se): (f64, f64)| 1.0 / (se * se).max(1e-9);
    let (first, second) = (weight(one), weight(other));
    let sum = first + second;
    ((one.0 * first + other.0 * second) / sum, (1.0 / sum).sqrt())
}

/// How much more a step takes in slices of one kind than in those of another, with the standard error: the
/// difference of two ratios of sums, linearised (Cochran, Sampling Techniques, 3rd edition, 6.3). `less` and
/// `more` give the cycles and the steps of either kind. `None` where there are too few slices to tell.
fn difference(
    sums: &[SliceSum],
    less: impl Fn(&SliceSum) -> (u64, u64),
    more: impl Fn(&SliceSum) -> (u64, u64),
) -> Option<(f64, f64)> {
    struct Ratio<F>(F, f64, f64);
    impl<F: Fn(&SliceSum) -> (u64, u64)> Ratio<F> {
        fn of(part: F, sums: &[SliceSum]) -> Self {
            let total =
                |of: &dyn Fn((u64, u64)) -> u64| sums.iter().map(|sum| of(part(sum)) as f64).sum::<f64>();
            let (cycles, steps) = (total(&|part| part.0), total(&|part| part.1));
            Ratio(part, cycles / steps.max(1.0), steps)
        }
        fn residual(&self, sum: &SliceSum) -> f64 {
            let (cycles, steps) = (self.0)(sum);
            (cycles as f64 - self.1 * steps as f64) / self.2.max(1.0)
        }
    }
    let used = |part: &dyn Fn(&SliceSum) -> (u64, u64)| sums.iter().filter(|sum| part(sum).1 > 0).count();
    let count = used(&less).min(used(&more)) as f64;
    if count < 4.0 {
        return None;
    }
    let (less, more) = (Ratio::of(less, sums), Ratio::of(more, sums));
    let squares: f64 = sums.iter().map(|sum| (more.residual(sum) - less.residual(sum)).powi(2)).sum();
    // A few slices say little of how far they vary.
    let variance = squares * count / (count - 1.0) * (count + 1.0) / (count - 3.0);
    Some((more.1 - less.1, variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices of a program whose steps take 100 cycles, give or take, and five segments each; timing a
    /// segment costs 20.
    fn sums(count: u64) -> Vec<SliceSum> {
        let sum = |index: u64| {
            let (timed, counted) = (index * 7 % 5, index * 3 % 5);
            SliceSum {
                timed_cycles: 1000 * (198 + timed),
                timed_steps: 1000,
                timed_segments: 5000,
                counted_cycles: 3000 * (98 + counted),
                counted_steps: 3000,
                doubled_cycles: if index % 4 == 0 { 1000 * (106 + counted) } else { 0 },
                doubled_steps: if index % 4 == 0 { 1000 } else { 0 },
            }
        };
        (0..count).map(sum).collect()
    }

    #[test]
    fn a_probe_costs_what_timed_slices_take_more() {
        let slices =
            Slices { core_ratio: 2048, back_to_back: 24 * 1024, sums: sums(400), ..Slices::default() };
        let cost = ProbeCost::of(&slices, 100.0);
        assert!(
            (cost.counted - 1.6).abs() < 2.0 * cost.counted_se + 0.01 && cost.counted_se < 0.1,
            "{cost:?}"
        );
        assert!((cost.timed - cost.counted - 20.0).abs() < 2.0 * cost.timed_se + 0.01, "{cost:?}");
        assert!(cost.timed_se < 0.15 && cost.segments_per_step == 5.0, "{cost:?}");
    }

    #[test]
    fn few_slices_give_what_is_usual() {
        let slices = Slices { back_to_back: 24 * 1024, sums: sums(3), ..Slices::default() };
        let cost = ProbeCost::of(&slices, 100.0);
        assert_eq!((cost.timed, cost.timed_se), (18.0, 24.0 * 0.15));
        assert!((cost.counted - (4.6052 * 1.35 - 3.7)).abs() < 1e-3 && cost.counted_se == 1.0, "{cost:?}");
        let nothing = Slices { sums: vec![SliceSum::default(); 9], ..Slices::default() };
        assert_eq!(ProbeCost::of(&nothing, 1.0).counted, 1.0);
    }

    #[test]
    fn even_executions_are_spread_over_all() {
        assert!((spread([5, 5, 0, 5, 5].into_iter()) - 4.0).abs() < 1e-9);
        assert!((spread([7].into_iter()) - 1.0).abs() < 1e-9);
    }
}
