use crate::Outcome;

/// From which part of the target time on, and up to which multiple, one run does not decide.
const NEAR: (f64, f64) = (0.85, 1.2);

/// Runs that decide near the target where they agree, and where they don't.
const AGREEING: usize = 3;
const DIFFERING: usize = 5;

/// What is known of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It runs within the target time.
    Within,
    /// It runs, and takes longer.
    Over,
    /// It fails.
    Fails,
}

/// The runs of one size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readings {
    /// Seconds, in ascending order; infinite where the run was ended.
    times: Vec<f64>,
    failures: Vec<String>,
}

impl Readings {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let seconds = match outcome {
            Outcome::Took(seconds) => *seconds,
            Outcome::TooLong(_) => f64::INFINITY,
            Outcome::Failed(error) => return self.failures.push(error.clone()),
        };
        let place = self.times.partition_point(|time| *time < seconds);
        self.times.insert(place, seconds);
    }

    /// How many runs there were.
    pub(crate) fn count(&self) -> usize {
        self.times.len() + self.failures.len()
    }

    /// The last line of the first error.
    pub(crate) fn error(&self) -> &str {
        self.failures.first().map_or("", String::as_str)
    }

    /// Seconds of a run: the median, which one disturbed run does not change. Infinite where most runs were
    /// ended; none where they failed.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let middle = self.times.len() / 2;
        match self.times.len() {
            0 => None,
            _ if self.failures.len() > self.times.len() => None,
            count if count % 2 == 1 || self.times[middle].is_infinite() => Some(self.times[middle]),
            _ => Some((self.times[middle - 1] + self.times[middle]) / 2.0),
        }
    }

    /// Seconds of the fastest run: infinite where all were ended; none where they failed.
    pub(crate) fn fastest(&self) -> Option<f64> {
        self.seconds().and_then(|_| self.times.first().copied())
    }

    /// What the runs say; nothing where more are needed.
    pub(crate) fn verdict(&self, target: f64) -> Option<Verdict> {
        // As many failures as other runs: one more decides.
        if self.failures.len() == self.times.len() {
            return None;
        }
        let Some(seconds) = self.seconds() else { return Some(Verdict::Fails) };
        let near = seconds >= target * NEAR.0 && seconds <= target * NEAR.1;
        let agree = self.times.iter().all(|time| (*time <= target) == (seconds <= target));
        let enough = if agree { AGREEING } else { DIFFERING };
        if near && self.times.len() < enough {
            return None;
        }
        Some(if seconds <= target { Verdict::Within } else { Verdict::Over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[f64]) -> Readings {
        let mut readings = Readings::default();
        times.iter().for_each(|time| readings.add(&Outcome::Took(*time)));
        readings
    }

    #[test]
    fn one_run_decides_far_from_the_target_and_more_near_it() {
        assert_eq!(of(&[]).verdict(1.0), None);
        assert_eq!(of(&[0.5]).verdict(1.0), Some(Verdict::Within));
        assert_eq!(of(&[1.5]).verdict(1.0), Some(Verdict::Over));
        assert_eq!(of(&[0.9, 0.9]).verdict(1.0), None);
        assert_eq!(of(&[0.9, 0.9, 0.9]).verdict(1.0), Some(Verdict::Within));
        assert_eq!(of(&[0.9, 1.1, 0.9]).verdict(1.0), None);
        assert_eq!(of(&[0.9, 1.1, 0.9, 1.1, 0.9]).verdict(1.0), Some(Verdict::Within));
    }

    #[test]
    fn one_disturbed_run_changes_nothing() {
        assert_eq!(of(&[0.5, 9.0, 0.6]).seconds(), Some(0.6));
        assert_eq!(of(&[0.5, 0.7]).seconds().map(|s| (s * 10.0).round()), Some(6.0));
        let mut readings = of(&[0.5]);
        readings.add(&Outcome::Failed("no luck".to_owned()));
        assert_eq!(readings.verdict(1.0), None);
        readings.add(&Outcome::Took(0.5));
        assert_eq!(readings.verdict(1.0), Some(Verdict::Within));
    }

    #[test]
    fn runs_that_were_ended_are_over() {
        let mut readings = Readings::default();
        readings.add(&Outcome::TooLong(1.5));
        assert_eq!(readings.verdict(1.0), Some(Verdict::Over));
        assert_eq!(readings.seconds(), Some(f64::INFINITY));
    }
}
