use crate::readings::Verdict;
use crate::search::Search;
use crate::{HIGHEST, Runs};

/// The highest size at which a program is sought that runs at all.
const HIGHEST_FAILING: u64 = 1 << 20;

/// Below this size, each smaller one is tried; above it, so many of them.
const ALL_BELOW: u64 = 64;
const SAMPLES: u64 = 8;

/// What was found at the lower end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Smallest {
    Found(u64),
    /// Every size that was tried fails.
    None {
        highest: u64,
    },
}

impl<R: Runs> Search<'_, R> {
    /// Finds the smallest size that runs, or runs until it is ended.
    pub(crate) fn smallest(&mut self) -> Result<Smallest, R::Error> {
        let Some((fails, runs)) = self.first_that_runs()? else {
            return Ok(Smallest::None { highest: HIGHEST_FAILING });
        };
        let mut smallest = self.bisect_failures(fails, runs)?;
        // Sizes may fail between others that run.
        let step = if smallest <= ALL_BELOW { 1 } else { smallest.div_ceil(SAMPLES) };
        let lower = (1..smallest).step_by(step as usize);
        for n in lower {
            if self.runs_at(n)? {
                smallest = n;
                break;
            }
        }
        // A run may fail once for no reason of its own.
        while smallest > 1 && self.judge_by(smallest - 1, 2)? != Verdict::Fails {
            smallest -= 1;
        }
        Ok(Smallest::Found(smallest))
    }

    /// A size that fails (0 does) and a greater one that runs.
    fn first_that_runs(&mut self) -> Result<Option<(u64, u64)>, R::Error> {
        let mut fails = 0;
        let mut n = 1;
        while n <= HIGHEST_FAILING.min(HIGHEST) {
            if self.runs_at(n)? {
                return Ok(Some((fails, n)));
            }
            (fails, n) = (n, n * 2);
        }
        // Few sizes may run: they can lie between the powers of two.
        let between = (2..=18).map(|power| 3 << power);
        for n in (3..32).chain(between) {
            if self.runs_at(n)? {
                return Ok(Some((n - 1, n)));
            }
        }
        Ok(None)
    }

    /// The size above `fails` up to which it fails, where `runs` does not.
    fn bisect_failures(&mut self, mut fails: u64, mut runs: u64) -> Result<u64, R::Error> {
        while runs - fails > 1 {
            let middle = fails + (runs - fails) / 2;
            if self.runs_at(middle)? {
                runs = middle;
            } else {
                fails = middle;
            }
        }
        Ok(runs)
    }

    fn runs_at(&mut self, n: u64) -> Result<bool, R::Error> {
        Ok(self.judge(n)? != Verdict::Fails)
    }
}
