//! What taking times costs, found out in the run itself: see `docs/method.md`.

use opmeter_live::{SliceSum, Slices};
use serde::{Deserialize, Serialize};

/// A usual ratio of what a probe costs in place to what one costs behind another, and how far it varies.
const PRIOR: (f64, f64) = (0.75, 0.15);

/// What reading the time-stamp counter adds to an execution, where nothing has been learned of it in the run itself:
/// its cycles, and their standard error; `back_to_back` is what it takes where nothing else is done, times 1024.
pub(crate) fn prior_probe_cost(back_to_back: u64) -> (f64, f64) {
    let cycles = back_to_back as f64 / 1024.0;
    (cycles * PRIOR.0, cycles * PRIOR.1)
}

/// What counting one execution costs, in core cycles: a fit (over 14 programs and 6 interpreters) against the
/// logarithm of how many instructions the executions are spread over, for it is what the counters' memory costs;
/// up to 3.10, where the table that leads to them has four times the size, and later. The last number is how
/// far single programs are from it.
const COUNTING: [(f64, f64, f64); 2] = [(-10.4, 2.85, 1.2), (-3.3, 1.28, 0.9)];

/// The least that it can cost, in core cycles: it is an addition in memory.
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
    /// What counting an execution cost, and was taken off: not measured in the run.
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
    /// The standard error of that, as far as it comes from the slices. The error of `counted` comes on top.
    pub timed_se: f64,
    /// Of an execution that was only counted, in cycles.
    pub counted: f64,
    /// The standard error of that.
    pub counted_se: f64,
}

impl ProbeCost {
    /// What the slices say, where executions are spread over so many instructions (see [`spread`]), in a minor
    /// version.
    pub(crate) fn of(slices: &Slices, spread: f64, minor: u64) -> ProbeCost {
        let core_ratio = if slices.core_ratio == 0 { 1.0 } else { slices.core_ratio as f64 / 1024.0 };
        let (start, slope, error) = COUNTING[usize::from(minor > 10)];
        let counted = (start + slope * spread.max(1.0).ln()).max(LEAST_COUNTING) / core_ratio;
        let prior = prior_probe_cost(slices.back_to_back);
        let (timed, timed_se) = match in_place(&slices.sums) {
            Some((cost, se)) => weighted(prior, (cost + counted, se)),
            None => prior,
        };
        ProbeCost { timed, timed_se, counted, counted_se: error / core_ratio }
    }

    /// The standard error of what timing a segment costs.
    pub(crate) fn se(&self) -> f64 {
        self.timed_se.hypot(self.counted_se)
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

/// How much more a segment takes in timed slices than in those that are only counted, with the standard error:
/// the difference of two ratios of sums, linearised (Cochran, Sampling Techniques, 3rd edition, 6.3). `None`
/// where there are too few slices to tell.
fn in_place(sums: &[SliceSum]) -> Option<(f64, f64)> {
    let used: Vec<&SliceSum> =
        sums.iter().filter(|sum| sum.timed_steps > 0 && sum.counted_steps > 0).collect();
    let total = |field: fn(&SliceSum) -> u64| used.iter().map(|sum| field(sum) as f64).sum::<f64>();
    let (timed_steps, counted_steps) = (total(|sum| sum.timed_steps), total(|sum| sum.counted_steps));
    let segments = total(|sum| sum.timed_segments) / timed_steps;
    let timed = total(|sum| sum.timed_cycles) / timed_steps;
    let counted = total(|sum| sum.counted_cycles) / counted_steps;
    let residual = |sum: &SliceSum| {
        let timed = (sum.timed_cycles as f64 - timed * sum.timed_steps as f64) / timed_steps;
        (timed - (sum.counted_cycles as f64 - counted * sum.counted_steps as f64) / counted_steps) / segments
    };
    let count = used.len() as f64;
    if count < 4.0 || segments <= 0.0 {
        return None;
    }
    let squares: f64 = used.iter().map(|sum| residual(sum).powi(2)).sum();
    // A few slices say little of how far they vary.
    let variance = squares * count / (count - 1.0) * (count + 1.0) / (count - 3.0);
    Some(((timed - counted) / segments, variance.sqrt()))
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
            }
        };
        (0..count).map(sum).collect()
    }

    #[test]
    fn a_probe_costs_what_timed_slices_take_more() {
        let (cost, se) = in_place(&sums(200)).unwrap();
        assert!((cost - 20.0).abs() < 2.0 * se + 0.01 && se < 0.05, "{cost} {se}");
        let slices =
            Slices { core_ratio: 2048, back_to_back: 24 * 1024, sums: sums(200), ..Slices::default() };
        let cost = ProbeCost::of(&slices, 100.0, 12);
        assert!((cost.counted - (4.6052 * 1.28 - 3.3) / 2.0).abs() < 1e-3, "{cost:?}");
        assert!((cost.timed - 20.0 - cost.counted).abs() < 0.1, "{cost:?}");
    }

    #[test]
    fn few_slices_give_what_is_usual() {
        let slices = Slices { back_to_back: 24 * 1024, sums: sums(3), ..Slices::default() };
        let cost = ProbeCost::of(&slices, 100.0, 12);
        assert_eq!((cost.timed, cost.timed_se), (18.0, 24.0 * 0.15));
        assert_eq!(in_place(&[]), None);
        assert_eq!(in_place(&vec![SliceSum::default(); 9]), None);
    }

    #[test]
    fn even_executions_are_spread_over_all() {
        assert!((spread([5, 5, 0, 5, 5].into_iter()) - 4.0).abs() < 1e-9);
        assert!((spread([7].into_iter()) - 1.0).abs() < 1e-9);
    }
}
