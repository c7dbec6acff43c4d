//! Where between two sizes the time is likely to reach the target.

use std::collections::BTreeMap;

use crate::readings::Readings;

/// The part of the target that is aimed at: a little below, so that noise does not put it above.
const AIM: f64 = 0.975;

/// Guesses between `low`, which is within the target time, and `high`, which is not: by the power of n that the
/// time of `low` and of one more size grows with, over the time that the interpreter needs to start. None
/// where that says nothing.
pub(crate) fn guess(table: &BTreeMap<u64, Readings>, low: u64, high: u64, target: f64) -> Option<u64> {
    let seconds = |n: u64| table.get(&n)?.seconds().filter(|seconds| seconds.is_finite());
    let at_low = seconds(low)?;
    let start = table.values().filter_map(Readings::seconds).fold(f64::INFINITY, f64::min);
    // Of the start's time a little is left on, lest it all be noise.
    let work = |seconds: f64| Some(seconds - start * 0.98).filter(|work| *work > 0.02 * target);
    let below = table.range(..low).rev().find_map(|(n, _)| Some((*n, seconds(*n)?)));
    let (other, at_other) = match seconds(high) {
        Some(at_high) => (high, at_high),
        None => below?,
    };
    let power = (work(at_other)? / work(at_low)?).ln() / (other as f64 / low as f64).ln();
    if !(0.05..=50.0).contains(&power) {
        return None;
    }
    let guess = low as f64 * (work(target * AIM)? / work(at_low)?).powf(1.0 / power);
    Some((guess as u64).clamp(low + 1, high - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn table(cost: impl Fn(f64) -> f64, sizes: &[u64]) -> BTreeMap<u64, Readings> {
        let mut table = BTreeMap::<u64, Readings>::new();
        for n in sizes {
            table.entry(*n).or_default().add(&Outcome::Took(cost(*n as f64)));
        }
        table
    }

    #[test]
    fn a_power_of_n_is_met_at_once() {
        let cost = |n: f64| 0.02 + n * n / 1e6;
        let guess = guess(&table(cost, &[1, 512, 1024]), 512, 1024, 1.0).unwrap();
        let part = cost(guess as f64);
        assert!((0.96..=1.0).contains(&part), "{guess}: {part}");
    }

    #[test]
    fn it_stays_between_the_two() {
        let step = |n: f64| if n > 600.0 { 9.0 } else { 0.95 };
        let guess = guess(&table(step, &[1, 512, 1024]), 512, 1024, 1.0);
        assert!(guess.is_none_or(|n| n > 512 && n < 1024), "{guess:?}");
    }

    #[test]
    fn times_that_say_nothing_give_no_guess() {
        assert_eq!(guess(&table(|_| 0.02, &[1, 2, 4]), 4, 8, 1.0), None);
    }
}
