use crate::readings::{Readings, Verdict};
use crate::search::Search;
use crate::{HIGHEST, Runs};

/// How much shorter a greater size's time has to be so that noise can't be the reason: as a part, and in seconds,
/// of which the interpreter's start alone may take more or less.
const SHORTER: f64 = 0.15;
const SHORTER_SECONDS: f64 = 0.05;

/// Runs of both sizes, before it is believed.
const CONFIRMING: usize = 3;

/// Pairs that are looked at again at most.
const PAIRS: usize = 5;

/// Inner sizes that are run besides, as parts of the range's end. The search itself sees mostly even ones.
const PARTS: [f64; 2] = [0.7, 0.45];

impl<R: Runs> Search<'_, R> {
    /// Runs some more sizes between the ends and above, and tells, a sentence each, in what the programs do not
    /// behave as the search takes for granted: sizes between the ends that fail, and times that fall as n grows.
    pub(crate) fn check_growth(
        &mut self,
        smallest: u64,
        largest: u64,
        over: Option<u64>,
    ) -> Result<Vec<String>, R::Error> {
        let mut inner: Vec<u64> = PARTS.iter().map(|part| (largest as f64 * part) as u64 | 1).collect();
        inner.push(largest - 1);
        for n in inner {
            if n > smallest && n < largest {
                self.see(n)?;
            }
        }
        let mut above = None;
        if let Some(over) = over {
            let n = (over * 2 + 1).min(HIGHEST);
            above = self.is_within_again(over, n)?.then_some(n);
        }
        let mut notes = Vec::new();
        notes.extend(self.failing(smallest, largest));
        if let Some(fall) = self.fall()? {
            notes.push(fall);
        } else if let Some(n) = above {
            notes.push(format!("time is not monotone in n: n = {n} is within the target time again"));
        }
        Ok(notes)
    }

    /// Whether a size is within the target time although a smaller one is over it.
    fn is_within_again(&mut self, over: u64, above: u64) -> Result<bool, R::Error> {
        if self.judge(above)? != Verdict::Within {
            return Ok(false);
        }
        self.compare([over, above], CONFIRMING)?;
        let fastest = self.table.get(&over).and_then(Readings::fastest);
        Ok(self.judge(above)? == Verdict::Within && fastest.is_some_and(|fastest| fastest > self.target))
    }

    /// A sentence about sizes between the ends that fail.
    fn failing(&self, smallest: u64, largest: u64) -> Option<String> {
        let failing =
            self.table.range(smallest..largest).filter(|(_, readings)| readings.seconds().is_none());
        let failing: Vec<String> = failing.map(|(n, _)| n.to_string()).collect();
        let shown = failing.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more = if failing.len() > 5 { ", …" } else { "" };
        (!failing.is_empty()).then(|| format!("some n between the ends fail: {shown}{more}"))
    }

    /// A sentence about the greatest fall of the time where n grows, if there is one beyond noise.
    fn fall(&mut self) -> Result<Option<String>, R::Error> {
        for _ in 0..PAIRS {
            let Some((slow, fast)) = self.greatest_fall() else { return Ok(None) };
            self.compare([slow, fast], CONFIRMING)?;
            // One run that nothing disturbed shows that the time of the first is no greater.
            let fastest = self.table.get(&slow).and_then(Readings::fastest);
            if fastest.is_some_and(|fastest| self.is_fall(fastest, fast)) {
                let took = |n: u64| match self.seconds(n) {
                    Some(seconds) if seconds.is_finite() => format!("takes {seconds:.3} s"),
                    _ => "does not end in time".to_owned(),
                };
                return Ok(Some(format!(
                    "time is not monotone in n: n = {slow} {}, n = {fast} {}",
                    took(slow),
                    took(fast)
                )));
            }
        }
        Ok(None)
    }

    /// Whether the greater of two sizes takes less time, beyond what noise may do.
    fn falls(&self, slow: u64, fast: u64) -> bool {
        self.seconds(slow).is_some_and(|slow| self.is_fall(slow, fast))
    }

    /// Whether a size takes so much less time than so many seconds. Sizes that were both ended can't be compared.
    fn is_fall(&self, slow: f64, fast: u64) -> bool {
        let fast = self.seconds(fast).filter(|seconds| seconds.is_finite());
        fast.is_some_and(|fast| fast < slow * (1.0 - SHORTER) - SHORTER_SECONDS)
    }

    /// Two sizes, the greater of which takes less time beyond what noise may do: those that differ most.
    fn greatest_fall(&self) -> Option<(u64, u64)> {
        let times: Vec<(u64, f64)> =
            self.table.iter().filter_map(|(n, readings)| Some((*n, readings.seconds()?))).collect();
        let mut slowest = *times.first()?;
        let mut greatest: Option<(f64, (u64, u64))> = None;
        for (n, seconds) in times {
            if self.falls(slowest.0, n) {
                let fall = slowest.1 / seconds;
                if greatest.is_none_or(|(most, _)| fall > most) {
                    greatest = Some((fall, (slowest.0, n)));
                }
            }
            if seconds > slowest.1 {
                slowest = (n, seconds);
            }
        }
        greatest.map(|(_, pair)| pair)
    }
}
