use std::io;

use crate::{Domain, Fault};

/// A wrap leaves at most this part of the range between two readings, which are taken at least four times as
/// often as the highest power so far needs.
const LARGEST_STRIDE: f64 = 0.5;

/// No domain takes more, in watts, unless it was seen to take a twentieth of it.
const PLAUSIBLE_WATTS: f64 = 5000.0;

/// How much more than the highest power so far may have been taken between two readings that are so far apart
/// that a wrap may have been missed.
const MISSED_WRAP: f64 = 1.5;

/// A counter that is known to move each so often and does not for so many of these periods, and so many
/// seconds, stands still.
const STILL: (f64, f64) = (20.0, 0.25);

/// A counter of which it is not known how often it moves stands still when it does not for so long, in seconds.
const STILL_UNKNOWN: f64 = 1.0;

/// Power is taken over so many moves and so many seconds: a single move says little, since it may have come
/// early or late.
const POWER: (u32, f64) = (3, 0.02);

/// Adds up what the readings of one domain's counter say, through wraps, over a stretch of time.
///
/// Times are seconds on one clock.
#[derive(Debug)]
pub(crate) struct Counter {
    joules_per_step: f64,
    range: Option<u64>,
    /// Seconds from one move to the next, where that could be seen; kept from stretch to stretch.
    period: Option<f64>,
    /// The highest power so far, in watts; kept from stretch to stretch.
    highest: f64,
    began: f64,
    /// The last good reading.
    last: Option<(f64, u64)>,
    /// When the counter was last seen to move; before that, when the stretch began.
    moved: f64,
    /// When it was last seen not to have moved since then.
    stood: f64,
    moves: u64,
    steps: u64,
    /// The steps of the last move.
    leap: u64,
    window: Window,
    /// The first failure to read since the last good reading.
    failure: Option<(f64, String)>,
    fault: Option<Fault>,
}

/// Some moves over which power is taken: since when, from which step, and how many they are.
#[derive(Debug, Default)]
struct Window {
    since: f64,
    steps: u64,
    moves: u32,
}

impl Counter {
    pub(crate) fn new(domain: &Domain) -> Self {
        Self {
            joules_per_step: domain.joules_per_step,
            range: domain.range,
            period: None,
            highest: 0.0,
            began: 0.0,
            last: None,
            moved: 0.0,
            stood: 0.0,
            moves: 0,
            steps: 0,
            leap: 0,
            window: Window::default(),
            failure: None,
            fault: None,
        }
    }

    /// Begins a stretch. What the counter did before it is known, and does not count.
    pub(crate) fn begin(&mut self, at: f64) {
        (self.steps, self.moves, self.leap) = (0, 0, 0);
        (self.began, self.moved, self.stood) = (at, at, at);
        self.window = Window::default();
        (self.failure, self.fault) = (None, None);
        // Whatever went by while nobody looked.
        self.last = None;
    }

    /// Takes a reading.
    pub(crate) fn take(&mut self, at: f64, reading: io::Result<u64>) {
        let steps = match reading {
            Ok(steps) => steps,
            Err(error) => {
                self.failure.get_or_insert_with(|| (at, error.to_string()));
                return;
            }
        };
        self.failure = None;
        let Some((before, last)) = self.last.replace((at, steps)) else {
            return;
        };
        if self.fault.is_some() {
            return;
        }
        match self.stride(before, at, last, steps) {
            Ok(0) => self.stood = at,
            Ok(stride) => self.advance(at, stride),
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// Steps from one reading to the next.
    fn stride(&self, before: f64, at: f64, last: u64, steps: u64) -> Result<u64, Fault> {
        let gap = at - before;
        // What a leap may be of, if the counter did not move for a while.
        let since_move = at - self.moved + self.period.unwrap_or(0.0);
        let at = at - self.began;
        let Some(range) = self.range else {
            return steps.checked_sub(last).ok_or(Fault::SetBack { at });
        };
        let whole = range as f64 * self.joules_per_step;
        if MISSED_WRAP * self.highest * gap >= whole {
            return Err(Fault::ReadTooSeldom { at, gap });
        }
        if let Some(stride) = steps.checked_sub(last) {
            return Ok(stride);
        }
        let stride = range.saturating_sub(last) + steps;
        let joules = stride as f64 * self.joules_per_step;
        let plausible = PLAUSIBLE_WATTS.max(20.0 * self.highest);
        if joules > LARGEST_STRIDE * whole || joules > plausible * since_move.max(0.001) {
            return Err(Fault::SetBack { at });
        }
        Ok(stride)
    }

    /// The counter has moved by so many steps.
    fn advance(&mut self, at: f64, stride: u64) {
        // One that was only not updated for a while makes up for it at once.
        let still = self.stood - self.moved;
        let joules = stride as f64 * self.joules_per_step;
        if still >= self.patience() && self.watts().is_some_and(|watts| joules < 0.5 * watts * still) {
            self.fault = Some(Fault::StoodStill { from: self.moved - self.began, seconds: at - self.moved });
            return;
        }
        self.steps += stride;
        self.leap = stride;
        (self.moved, self.stood) = (at, at);
        self.moves += 1;
        self.take_power(at);
    }

    fn take_power(&mut self, at: f64) {
        let (moves, seconds) = POWER;
        // Of the first move it is not known for how long it had been due.
        if self.moves > 1 {
            self.window.moves += 1;
            let passed = at - self.window.since;
            if self.window.moves < moves || passed < seconds {
                return;
            }
            let joules = (self.steps - self.window.steps) as f64 * self.joules_per_step;
            self.highest = self.highest.max(joules / passed);
        }
        self.window = Window { since: at, steps: self.steps, moves: 0 };
    }

    /// Joules since the stretch began.
    pub(crate) fn joules(&self) -> f64 {
        self.steps as f64 * self.joules_per_step
    }

    /// The joules that it would show now, were it to move evenly: it will leap as it last did, a period after that.
    pub(crate) fn joules_now(&self, now: f64) -> f64 {
        let due = self.period.map_or(0.0, |period| ((now - self.moved) / period).clamp(0.0, 1.0));
        self.joules() + due * self.leap as f64 * self.joules_per_step
    }

    /// The mean power since the stretch began, in watts, once the counter has moved more than once.
    pub(crate) fn watts(&self) -> Option<f64> {
        (self.moves > 1 && self.moved > self.began).then(|| self.joules() / (self.moved - self.began))
    }

    /// How often it was seen to move since the stretch began.
    pub(crate) fn moves(&self) -> u64 {
        self.moves
    }

    /// Seconds from one move to the next; none where that could not be seen.
    pub(crate) fn period(&self) -> Option<f64> {
        self.period
    }

    /// Sets what was seen of the counter's moves.
    pub(crate) fn set_period(&mut self, period: Option<f64>) {
        self.period = period;
    }

    /// How long it may stand still, in seconds, before something is wrong with it.
    pub(crate) fn patience(&self) -> f64 {
        let (periods, seconds) = STILL;
        self.period.map_or(STILL_UNKNOWN, |period| seconds.max(periods * period))
    }

    /// How soon it has to be read again, in seconds: so that there are at least four readings to a wrap at twice
    /// the highest power so far.
    pub(crate) fn soon(&self) -> f64 {
        let watts = if self.highest > 0.0 { 2.0 * self.highest } else { PLAUSIBLE_WATTS };
        self.range.map_or(f64::INFINITY, |range| range as f64 * self.joules_per_step / 4.0 / watts)
    }

    /// What is wrong with a stretch that ends now, if anything is.
    pub(crate) fn fault(&self, now: f64) -> Option<Fault> {
        if let Some((at, error)) = &self.failure {
            return Some(Fault::Unreadable { at: at - self.began, error: error.clone() });
        }
        if let Some(fault) = &self.fault {
            return Some(fault.clone());
        }
        let still = now - self.moved;
        if still >= self.patience() {
            return Some(Fault::StoodStill { from: self.moved - self.began, seconds: still });
        }
        (self.moves == 0).then_some(Fault::NoStep { seconds: still })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Place};

    fn counter(range: Option<u64>) -> Counter {
        let domain = Domain { kind: Kind::Package, place: Place::default(), joules_per_step: 1e-6, range };
        let mut counter = Counter::new(&domain);
        counter.begin(0.0);
        counter
    }

    /// Readings each `gap` seconds from `from` to `to` of a counter that takes `watts`, from `start` steps on.
    fn run(counter: &mut Counter, watts: f64, start: u64, gap: f64, (from, to): (f64, f64)) {
        let count = ((to - from) / gap).round() as u32;
        for place in 0..=count {
            let at = from + f64::from(place) * gap;
            let steps = start + (watts * at * 1e6).round() as u64;
            let shown = counter.range.map_or(steps, |range| steps % range);
            counter.take(at, Ok(shown));
        }
    }

    #[test]
    fn joules_are_added_up_through_wraps() {
        // 20 J of range at 40 W: a wrap each half second, 20 of them.
        let mut counter = counter(Some(20_000_000));
        run(&mut counter, 40.0, 15_000_000, 0.05, (0.0, 10.0));
        assert!((counter.joules() - 400.0).abs() < 0.01, "{}", counter.joules());
        assert_eq!(counter.fault(10.0), None);
        assert!((counter.soon() - 0.0625).abs() < 0.001, "{}", counter.soon());
    }

    #[test]
    fn power_is_no_higher_for_moves_that_are_seen_late() {
        // Read each 0.1 s, and then twice right after the other.
        let mut counter = counter(Some(20_000_000));
        run(&mut counter, 40.0, 0, 0.1, (0.0, 2.0));
        counter.take(2.0001, Ok((2.0001 * 40.0 * 1e6 + 40_000.0) as u64 % 20_000_000));
        counter.take(2.0002, Ok((2.0002 * 40.0 * 1e6 + 80_000.0) as u64 % 20_000_000));
        assert!((counter.highest - 40.0).abs() < 2.0, "{}", counter.highest);
    }

    #[test]
    fn a_leap_that_wraps_is_no_more_than_one_that_does_not() {
        // 20 J each second, of a range of 50 J, read a thousand times a second.
        let mut counter = counter(Some(50_000_000));
        for place in 0..10_000u32 {
            let at = f64::from(place) / 1000.0;
            counter.take(at, Ok(at as u64 * 20_000_000 % 50_000_000));
        }
        assert_eq!((counter.fault(9.2), counter.joules()), (None, 180.0));
    }

    #[test]
    fn a_failed_reading_is_no_wrap_and_is_made_up_for() {
        let mut counter = counter(Some(1_000_000_000));
        run(&mut counter, 10.0, 0, 0.1, (0.0, 1.0));
        counter.take(1.1, Err(io::ErrorKind::Other.into()));
        assert!(matches!(counter.fault(1.1), Some(Fault::Unreadable { at, .. }) if at == 1.1));
        counter.take(1.2, Ok(12_000_000));
        assert_eq!(counter.fault(1.2), None);
        assert!((counter.joules() - 12.0).abs() < 1e-9);
    }

    #[test]
    fn what_stays_unreadable_is_a_fault_with_the_first_error() {
        let mut counter = counter(None);
        run(&mut counter, 10.0, 0, 0.1, (0.0, 1.0));
        counter.take(1.1, Err(io::Error::other("gone")));
        counter.take(1.2, Err(io::Error::other("still gone")));
        let text = counter.fault(3.0).unwrap().to_string();
        assert_eq!(text, "could not be read any more 1.1 s after the start: gone");
    }

    #[test]
    fn a_counter_that_is_set_back_has_not_wrapped() {
        // A real range, 262 kJ, at 10 W.
        let mut counter = counter(Some(262_143_328_850));
        run(&mut counter, 10.0, 100_000_000_000, 0.5, (0.0, 2.0));
        counter.take(2.5, Ok(0));
        assert_eq!(counter.fault(2.5), Some(Fault::SetBack { at: 2.5 }));
        counter.take(3.0, Ok(5_000_000));
        assert!((counter.joules() - 20.0).abs() < 0.01, "it does not count on");
        // And none that has no range can go back.
        let mut counter = self::counter(None);
        run(&mut counter, 10.0, 1_000_000, 0.5, (0.0, 2.0));
        counter.take(2.5, Ok(1000));
        assert_eq!(counter.fault(2.5), Some(Fault::SetBack { at: 2.5 }));
    }

    #[test]
    fn wraps_that_may_have_been_missed_are_a_fault() {
        let mut counter = counter(Some(20_000_000));
        run(&mut counter, 40.0, 0, 0.05, (0.0, 1.0));
        counter.take(2.0, Ok(1_000_000));
        assert!(matches!(counter.fault(2.0), Some(Fault::ReadTooSeldom { gap, .. }) if gap == 1.0));
    }

    #[test]
    fn counters_that_stand_still_are_told() {
        let mut counter = counter(None);
        run(&mut counter, 0.0, 5, 0.1, (0.0, 0.5));
        assert_eq!(counter.fault(0.5), Some(Fault::NoStep { seconds: 0.5 }));
        assert_eq!(counter.fault(1.5), Some(Fault::StoodStill { from: 0.0, seconds: 1.5 }));
        // One that stops half way, and is known to move each millisecond.
        counter.set_period(Some(0.001));
        counter.begin(0.0);
        run(&mut counter, 10.0, 5, 0.1, (0.0, 1.0));
        assert_eq!(counter.fault(1.2), None);
        assert_eq!(counter.fault(1.3), Some(Fault::StoodStill { from: 1.0, seconds: 1.3 - 1.0 }));
    }

    #[test]
    fn standing_still_is_no_fault_if_it_is_made_up_for() {
        for (resumed, lost) in [(20_100_000, false), (10_100_000, true)] {
            let mut counter = counter(None);
            counter.set_period(Some(0.001));
            run(&mut counter, 10.0, 0, 0.1, (0.0, 1.0));
            (1..10).for_each(|tenth| counter.take(1.0 + f64::from(tenth) / 10.0, Ok(10_000_000)));
            counter.take(2.01, Ok(resumed));
            match counter.fault(2.02) {
                Some(Fault::StoodStill { from, .. }) => assert!(lost && from == 1.0),
                other => assert_eq!((other, lost), (None, false)),
            }
        }
    }

    #[test]
    fn a_stretch_begins_anew_but_for_the_power() {
        let mut counter = counter(Some(1_000_000_000));
        run(&mut counter, 10.0, 0, 0.1, (0.0, 1.0));
        let soon = counter.soon();
        counter.begin(100.0);
        counter.take(100.0, Ok(900_000_000));
        assert_eq!((counter.joules(), counter.moves()), (0.0, 0));
        assert_eq!(counter.soon(), soon);
    }
}
