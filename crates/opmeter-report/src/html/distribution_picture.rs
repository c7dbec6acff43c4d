use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};
use opmeter_analysis::Distribution;

use crate::number::grouped;

/// The picture's width and height, in units of its own.
const WIDTH: f64 = 144.0;
const HEIGHT: f64 = 20.0;
/// The parts of all executions that took less than where the axis begins, and than where it ends.
const ENDS: [f64; 2] = [0.01, 0.998];

/// The bars of a picture.
const BARS: usize = 48;

/// The axis that all pictures of distributions share, so that they can be compared down a table: raw cycles, on a
/// logarithmic scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    /// The cycles at its left end: a power of two.
    pub from: u64,
    /// The cycles at its right end: a power of two.
    pub to: u64,
}

impl Axis {
    /// The axis that holds nearly all executions of these distributions; none where there are none.
    pub(crate) fn of<'a>(distributions: impl Iterator<Item = &'a Distribution>) -> Option<Axis> {
        let mut buckets: BTreeMap<(u64, u64), u128> = BTreeMap::new();
        for (from, to, executions) in distributions.flat_map(|distribution| &distribution.buckets) {
            *buckets.entry((*from, *to)).or_default() += executions;
        }
        let executions = buckets.values().sum();
        let buckets = buckets.into_iter().map(|((from, to), executions)| (from, to, executions)).collect();
        let all = Distribution { buckets, executions };
        let from = 1 << all.quantile(ENDS[0])?.max(1).ilog2();
        let to = all.quantile(ENDS[1])?.max(from + 1);
        Some(Axis { from, to: to.checked_next_power_of_two().unwrap_or(u64::MAX) })
    }

    /// A distribution as bars along the axis, the highest as high as the picture; what lies behind an end is in the
    /// bar there.
    pub(crate) fn picture(&self, distribution: &Distribution) -> Markup {
        let mut bars = [0u128; BARS];
        for (from, to, executions) in &distribution.buckets {
            bars[self.bar_of(from + (to - from) / 2)] += executions;
        }
        let most = bars.iter().copied().max().unwrap_or(0).max(1) as f64;
        let wide = WIDTH / BARS as f64;
        let mut path = format!("M0 {HEIGHT}");
        let mut at = HEIGHT;
        for (place, bar) in bars.iter().enumerate() {
            // Whatever is there is seen.
            let height = if *bar == 0 { 0.0 } else { (*bar as f64 / most * HEIGHT).max(1.0) };
            let top = ((HEIGHT - height) * 10.0).round() / 10.0;
            if top != at {
                // Writing to a text can't fail.
                let _ = write!(path, "H{:.0}V{top}", place as f64 * wide);
                at = top;
            }
        }
        let _ = write!(path, "H{WIDTH:.0}V{HEIGHT}Z");
        let quantile = |part| distribution.quantile(part).unwrap_or(0);
        let text = format!(
            "median {}, 90 % within {}, 99 % within {} raw cycles; {} timed",
            grouped(quantile(0.5).into()),
            grouped(quantile(0.9).into()),
            grouped(quantile(0.99).into()),
            grouped(distribution.executions)
        );
        let median = format!("{:.1}", (self.bar_of(quantile(0.5)) as f64 + 0.5) * wide);
        html! {
            svg.distribution viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(text) preserveAspectRatio="none" {
                title { (text) }
                line x1=(median) x2=(median) y1="0" y2=(HEIGHT) {}
                path d=(path) {}
            }
        }
    }

    fn bar_of(&self, cycles: u64) -> usize {
        let [from, to, at] = [self.from, self.to, cycles.max(1)].map(|cycles| (cycles as f64).log2());
        (((at - from) / (to - from)).clamp(0.0, 1.0) * BARS as f64).min(BARS as f64 - 1.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_share_an_axis_and_say_what_they_show() {
        let distribution = Distribution { buckets: vec![(20, 20, 90), (1000, 1030, 10)], executions: 100 };
        let axis = Axis::of([&distribution, &Distribution::default()].into_iter()).unwrap();
        assert_eq!(axis, Axis { from: 16, to: 1024 });
        let picture = axis.picture(&distribution).into_string();
        assert!(
            picture.contains("median 20, 90 % within 20, 99 % within 1,015 raw cycles; 100 timed"),
            "{picture}"
        );
        // The third of 48 bars holds 20 cycles.
        assert!(picture.contains("M0 20H6V0H9V20"), "{picture}");
        assert_eq!([1, 16, 1024, u64::MAX].map(|cycles| axis.bar_of(cycles)), [0, 0, 47, 47]);
        assert_eq!(Axis::of([].into_iter()), None);
    }
}
