use crate::model::guess;
use crate::readings::Verdict;
use crate::search::Search;
use crate::{HIGHEST, Runs, UpperEnd};

/// A run of this part of the target time reaches it.
const REACHED: f64 = 0.95;

/// Where sizes differ by less than a hundredth, this part is enough: noise may tell no more.
const REACHED_NEARLY: f64 = 0.9;

/// So often the next size is found to be within the target after all, before it is given up, too.
const MOST_SURPRISES: usize = 5;

/// Runs that confirm an end, and that confirm that a size is far above the target.
const CONFIRMING: usize = 3;
const CONFIRMING_FAR: usize = 2;

/// What was found at the upper end.
#[derive(Debug, PartialEq)]
pub(crate) struct Largest {
    /// The largest size within the target time; the smallest of all, where that is too slow.
    pub(crate) n: u64,
    pub(crate) upper: UpperEnd,
    /// The smallest size above it that was found too slow.
    pub(crate) over: Option<u64>,
}

impl<R: Runs> Search<'_, R> {
    /// Finds the largest size within the target time, from the smallest that runs on.
    pub(crate) fn largest(&mut self, smallest: u64) -> Result<Largest, R::Error> {
        if self.judge(smallest)? == Verdict::Over && self.judge_by(smallest, CONFIRMING_FAR)? == Verdict::Over
        {
            return Ok(Largest { n: smallest, upper: UpperEnd::TooSlow, over: Some(smallest) });
        }
        let mut low = smallest;
        let mut surprises = 0;
        loop {
            let Some((grown, high)) = self.grow(low)? else {
                return Ok(Largest { n: HIGHEST, upper: UpperEnd::NeverSlow, over: None });
            };
            let (found, high) = self.narrow(grown, high)?;
            low = found;
            if self.is_exhausted() || surprises > MOST_SURPRISES {
                let over = Some(high).filter(|high| self.seconds(*high).is_some());
                return Ok(Largest { n: low, upper: UpperEnd::Undecided, over });
            }
            if self.is_reached(low, high) {
                let over = Some(high).filter(|high| self.seconds(*high).is_some());
                return Ok(Largest { n: low, upper: UpperEnd::ReachedTarget, over });
            }
            // Whatever disturbed the runs of either may have put them on different sides of the target.
            let far = self.seconds(high).is_some_and(|seconds| seconds > 2.0 * self.target);
            self.compare([low, high], if far { CONFIRMING_FAR } else { CONFIRMING })?;
            match (self.judge(low)?, self.judge(high)?) {
                (Verdict::Within, Verdict::Within) => {
                    low = high;
                    surprises += 1;
                    // What was run in the same circumstances is not to be relied on.
                    self.table.split_off(&(high + 1));
                }
                (Verdict::Within, Verdict::Over) => {
                    return Ok(Largest { n: low, upper: UpperEnd::ReachedTarget, over: Some(high) });
                }
                (Verdict::Within, Verdict::Fails) => {
                    let upper = UpperEnd::FailsAbove { n: high, error: self.error(high) };
                    return Ok(Largest { n: low, upper, over: None });
                }
                _ => low = self.largest_within(smallest, low),
            }
        }
    }

    /// Doubles the size until it is no longer within the target time: the last size that is, and one that is
    /// not. None where there is no such size.
    fn grow(&mut self, mut low: u64) -> Result<Option<(u64, u64)>, R::Error> {
        while low < HIGHEST {
            let next = (low * 2).min(HIGHEST);
            match self.judge(next)? {
                Verdict::Within => low = next,
                Verdict::Over => return Ok(Some((low, next))),
                Verdict::Fails => match self.beyond_failure(next)? {
                    Some((beyond, Verdict::Within)) => low = beyond,
                    Some((beyond, _)) => return Ok(Some((low, beyond))),
                    None => return Ok(Some((low, next))),
                },
            }
        }
        Ok(None)
    }

    /// A size above one that fails which does not: single sizes may fail, such as all even ones.
    fn beyond_failure(&mut self, n: u64) -> Result<Option<(u64, Verdict)>, R::Error> {
        for beyond in [n + 1, n * 2 + 1] {
            let verdict = self.judge(beyond)?;
            if verdict != Verdict::Fails {
                return Ok(Some((beyond, verdict)));
            }
        }
        Ok(None)
    }

    /// Brings a size that is within the target time and one that is not together, until they are neighbours or
    /// the first is close enough to the target.
    fn narrow(&mut self, mut low: u64, mut high: u64) -> Result<(u64, u64), R::Error> {
        let mut halve = false;
        while high - low > 1 && !self.is_reached(low, high) && !self.is_exhausted() {
            let width = high - low;
            let ends = self.seconds(high).is_none();
            let guessed = if ends || halve { None } else { guess(&self.table, low, high, self.target) };
            let middle = guessed.unwrap_or(low + width / 2);
            match self.judge(middle)? {
                Verdict::Within => low = middle,
                Verdict::Over => high = middle,
                // It is the end only if what lies above fails as well.
                Verdict::Fails if ends || middle + 1 == high => high = middle,
                Verdict::Fails => match self.judge(middle + 1)? {
                    Verdict::Within => low = middle + 1,
                    Verdict::Over => high = middle + 1,
                    Verdict::Fails => high = middle,
                },
            }
            // Two guesses on end that bring little are one too many.
            halve = !halve && high - low > width / 2;
        }
        Ok((low, high))
    }

    fn is_reached(&self, low: u64, high: u64) -> bool {
        let Some(part) = self.seconds(low).map(|seconds| seconds / self.target) else { return false };
        let narrow = (high - low) as f64 <= low as f64 * 0.01;
        part <= 1.0 && (part >= REACHED || part >= REACHED_NEARLY && narrow && self.seconds(high).is_some())
    }

    /// The largest size below `low` that was within the target time, or the smallest of all.
    fn largest_within(&self, smallest: u64, low: u64) -> u64 {
        let within = |n: &u64| self.seconds(*n).is_some_and(|seconds| seconds <= self.target);
        self.table.range(smallest..low).map(|(n, _)| *n).rfind(within).unwrap_or(smallest)
    }
}
