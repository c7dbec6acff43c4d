use std::collections::BTreeMap;

use crate::largest::Largest;
use crate::readings::{Readings, Verdict};
use crate::smallest::Smallest;
use crate::{LowerEnd, Neighbour, Outcome, Probe, Range, Runs, UpperEnd};

/// The highest size that is tried.
pub const HIGHEST: u64 = 1 << 30;

/// After so many runs, or so many times the target time, the search is given up.
const MOST_RUNS: usize = 200;
const MOST_SPENT: f64 = 60.0;

/// Finds the smallest n whose program runs without error, and the largest whose run takes `target` seconds at
/// most. The runs are made one after the other, and the same outcomes give the same range.
///
/// # Errors
/// What `runs` can't go on after.
pub fn search<R: Runs>(runs: &mut R, target: f64) -> Result<Range, R::Error> {
    let mut search = Search { runs, target, table: BTreeMap::new(), probes: Vec::new(), spent: 0.0 };
    let smallest = match search.smallest()? {
        Smallest::Found(smallest) => smallest,
        Smallest::None { highest } => {
            let error = search.error(1);
            return Ok(search.range(None, LowerEnd::FailsEverywhere { highest, error }, None, Vec::new()));
        }
    };
    let lower = match smallest {
        1 => LowerEnd::RunsAtOne,
        above => LowerEnd::FailsBelow { n: above - 1, error: search.error(above - 1) },
    };
    let largest = search.largest(smallest)?;
    let mut notes = Vec::new();
    if largest.upper != UpperEnd::TooSlow {
        notes = search.check_growth(smallest, largest.n, largest.over)?;
    }
    Ok(search.range(Some(smallest), lower, Some(largest), notes))
}

/// A search, and what it has seen so far.
pub(crate) struct Search<'a, R> {
    runs: &'a mut R,
    /// In seconds.
    pub(crate) target: f64,
    pub(crate) table: BTreeMap<u64, Readings>,
    probes: Vec<Probe>,
    /// In runs that did not fail, in seconds.
    spent: f64,
}

impl<R: Runs> Search<'_, R> {
    /// Runs a size once more.
    fn probe(&mut self, n: u64) -> Result<(), R::Error> {
        let outcome = self.runs.run(n)?;
        self.probes.push(Probe::new(n, &outcome));
        if let Outcome::Took(seconds) | Outcome::TooLong(seconds) = outcome {
            self.spent += seconds;
        }
        self.table.entry(n).or_default().add(&outcome);
        Ok(())
    }

    /// Whether there were so many runs that more are not likely to settle anything.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.probes.len() > MOST_RUNS || self.spent > MOST_SPENT * self.target
    }

    /// Runs a size as often as it takes to judge it.
    pub(crate) fn judge(&mut self, n: u64) -> Result<Verdict, R::Error> {
        self.judge_by(n, 1)
    }

    /// Judges a size by so many runs at least.
    pub(crate) fn judge_by(&mut self, n: u64, runs: usize) -> Result<Verdict, R::Error> {
        loop {
            let readings = self.table.entry(n).or_default();
            let verdict = readings.verdict(self.target).filter(|_| readings.count() >= runs);
            if let Some(verdict) = verdict {
                return Ok(verdict);
            }
            self.probe(n)?;
        }
    }

    /// Runs a size once if it has not been run; again, if it fails.
    pub(crate) fn see(&mut self, n: u64) -> Result<(), R::Error> {
        if self.table.get(&n).is_none_or(|readings| readings.count() == 0) {
            self.probe(n)?;
        }
        if self.seconds(n).is_none() {
            self.judge_by(n, 2)?;
        }
        Ok(())
    }

    /// Runs two sizes anew, in turn, and forgets what was known of them: whatever the machine does meanwhile
    /// concerns both.
    pub(crate) fn compare(&mut self, sizes: [u64; 2], rounds: usize) -> Result<(), R::Error> {
        for n in sizes {
            self.table.remove(&n);
        }
        let [first, second] = sizes;
        for round in 0..rounds {
            // First one, then the other is the first.
            for n in if round % 2 == 0 { [first, second] } else { [second, first] } {
                self.probe(n)?;
            }
        }
        Ok(())
    }

    /// Seconds of a run of a size, where it has been run: infinite where it was ended.
    pub(crate) fn seconds(&self, n: u64) -> Option<f64> {
        self.table.get(&n)?.seconds()
    }

    /// The last line of a size's error, or nothing.
    pub(crate) fn error(&self, n: u64) -> String {
        self.table.get(&n).map_or_else(String::new, |readings| readings.error().to_owned())
    }

    fn range(
        self,
        smallest: Option<u64>,
        lower: LowerEnd,
        largest: Option<Largest>,
        mut notes: Vec<String>,
    ) -> Range {
        let monotone = notes.is_empty();
        notes.extend(self.unsteady());
        let finite = |n: u64| self.seconds(n).filter(|seconds| seconds.is_finite());
        let over = largest.as_ref().and_then(|largest| largest.over);
        let over = over.map(|n| Neighbour { n, seconds: finite(n) });
        let n =
            largest.as_ref().filter(|largest| largest.upper != UpperEnd::TooSlow).map(|largest| largest.n);
        let upper = largest.map_or(UpperEnd::NotSearched, |largest| largest.upper);
        let seconds = n.and_then(finite);
        Range { smallest, lower, largest: n, seconds, upper, over, monotone, notes, probes: self.probes }
    }

    /// A sentence about sizes that fail only now and then.
    fn unsteady(&self) -> Option<String> {
        // What was forgotten to compare sizes counts here.
        let mut ended = BTreeMap::<u64, (bool, Option<&str>)>::new();
        for probe in &self.probes {
            let (well, error) = ended.entry(probe.n).or_default();
            *well |= probe.error.is_none();
            *error = error.or(probe.error.as_deref());
        }
        let mut unsteady = ended.iter().filter_map(|(n, (well, error))| Some((n, error.filter(|_| *well)?)));
        let (n, error) = unsteady.next()?;
        let others = match unsteady.count() {
            0 => String::new(),
            others => format!(", and so do {others} more"),
        };
        Some(format!("not every run of the same n ends alike: n = {n} fails now and then ({error}){others}"))
    }
}
