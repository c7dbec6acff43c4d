use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::counter::Counter;
use crate::update_period;
use crate::{Domain, Fault, Kind, Source};

/// Between two readings of a stretch passes so much at most, in seconds, and so much at least.
const PAUSES: (f64, f64) = (0.1, 0.0005);

/// A counter's next move is waited for so many of its periods, so many seconds at least, and so many at most.
const AWAITED: (f64, f64, f64) = (1.5, 0.25, 2.5);

/// Between two looks for a counter's move passes this part of its period.
const GLANCE: f64 = 0.05;

/// A stretch has a meaning in so many periods of a counter: then its ends, of which each is known to a part of
/// a period, are less than a hundredth of it.
const MEANINGFUL: f64 = 50.0;

/// Reads the counters of a source over stretches of time.
///
/// A counter moves in leaps, some once a millisecond. A stretch begins right after one; at its end the next is
/// waited for, and the part of it that belongs to the stretch counts. So its joules are those of its seconds, to
/// less than what a leap is.
pub struct Meter {
    source: Box<dyn Source>,
    counters: Vec<Counter>,
    clock: Instant,
}

/// What the counters said of a stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Joules of each of the source's domains, or why there are none. Never negative.
    pub joules: Vec<Result<f64, Fault>>,
}

/// A stretch of time that goes on.
pub struct Running {
    reader: JoinHandle<Meter>,
    stop: Sender<()>,
    began: f64,
    /// Joules that each counter had when the stretch began.
    before: Vec<f64>,
    clock: Instant,
}

/// A move of a counter: when it was seen, and joules before and after it.
#[derive(Debug, Clone, Copy)]
struct Move {
    at: f64,
    before: f64,
    after: f64,
}

impl Move {
    /// The joules that the counter would have shown at a moment before the move, had it moved evenly: its leap
    /// is that of so many seconds.
    fn joules_at(&self, moment: f64, seconds: f64) -> f64 {
        let part = ((self.at - moment) / seconds).clamp(0.0, 1.0);
        self.after - self.leap() * part
    }

    fn leap(&self) -> f64 {
        self.after - self.before
    }
}

impl Meter {
    /// Watches a source's counters until their periods are known: some milliseconds, where they move often, and
    /// five seconds at most.
    pub fn new(source: Box<dyn Source>) -> Self {
        let counters = source.domains().iter().map(Counter::new).collect();
        let mut meter = Self { source, counters, clock: Instant::now() };
        if meter.source.declared_watts().is_some() {
            return meter;
        }
        let begun = meter.now();
        meter.counters.iter_mut().for_each(|counter| counter.begin(begun));
        let periods = update_period::watch(begun, &mut || {
            meter.read();
            (meter.now(), meter.counters.iter().map(Counter::moves).collect())
        });
        meter.counters.iter_mut().zip(periods).for_each(|(counter, period)| counter.set_period(period));
        meter
    }

    /// The source.
    pub fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// Seconds from one move of a domain's counter to the next. None where the counter was not seen to move.
    pub fn period(&self, domain: usize) -> Option<f64> {
        self.counters[domain].period()
    }

    /// Seconds that a stretch takes at least to have a meaning, for the domains that matter most: packages, where
    /// there are any whose counter moves.
    pub fn meaningful(&self) -> f64 {
        let longest = |main: &dyn Fn(&Domain) -> bool| {
            let known = self.source.domains().iter().zip(&self.counters);
            known
                .filter(|(domain, _)| main(domain))
                .filter_map(|(_, counter)| counter.period())
                .reduce(f64::max)
        };
        let longest = longest(&|domain| domain.kind == Kind::Package).or_else(|| longest(&|_| true));
        MEANINGFUL * longest.unwrap_or(0.0)
    }

    /// Begins a stretch, and reads the counters as often as none of them wraps unseen, in a thread of its own.
    pub fn begin(mut self) -> Running {
        let now = self.now();
        self.counters.iter_mut().for_each(|counter| counter.begin(now));
        self.read();
        self.await_moves(now);
        let (began, clock) = (self.now(), self.clock);
        let before = self.counters.iter().map(|counter| counter.joules_now(began)).collect();
        let (stop, stopped) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut meter = self;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(meter.pause()) {
                meter.read();
            }
            meter
        });
        Running { reader, stop, began, before, clock }
    }

    fn now(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }

    /// Reads all counters.
    fn read(&mut self) {
        for (domain, counter) in self.counters.iter_mut().enumerate() {
            let reading = self.source.read(domain);
            counter.take(self.clock.elapsed().as_secs_f64(), reading);
        }
    }

    /// How long may pass until the next reading.
    fn pause(&self) -> Duration {
        let (most, least) = PAUSES;
        let soonest = self.counters.iter().map(Counter::soon).fold(f64::INFINITY, f64::min);
        Duration::from_secs_f64(soonest.min(most).max(least))
    }

    /// Waits until each counter that has a period has moved, and gives these moves.
    fn await_moves(&mut self, from: f64) -> Vec<Option<Move>> {
        let (periods, least, most) = AWAITED;
        let known = self.counters.iter().filter_map(Counter::period);
        let deadline = from + known.map(|period| (periods * period).clamp(least, most)).fold(0.0, f64::max);
        let before: Vec<(f64, u64)> = self.counters.iter().map(|c| (c.joules(), c.moves())).collect();
        let mut moved = vec![None; before.len()];
        while self.now() < deadline {
            self.read();
            let at = self.now();
            for ((moved, counter), (before, moves)) in moved.iter_mut().zip(&self.counters).zip(&before) {
                if moved.is_none() && counter.moves() > *moves {
                    *moved = Some(Move { at, before: *before, after: counter.joules() });
                }
            }
            let awaited = moved.iter().zip(&self.counters).filter(|(moved, _)| moved.is_none());
            let periods = awaited.filter_map(|(_, counter)| counter.period());
            let Some(shortest) = periods.reduce(f64::min) else { break };
            thread::sleep(Duration::from_secs_f64((shortest * GLANCE).clamp(50e-6, 2e-3)));
        }
        moved
    }

    /// What each counter would have shown at a moment, by its next move after that.
    fn joules_at(&self, moment: f64, moves: &[Option<Move>]) -> Vec<f64> {
        let joules =
            moves.iter().zip(&self.counters).map(|(moved, counter)| match (moved, counter.period()) {
                (Some(moved), Some(period)) => {
                    // A move that comes late is of a longer time.
                    let due = counter.watts().map_or(0.0, |watts| moved.leap() / watts);
                    moved.joules_at(moment, period.max(due))
                }
                _ => counter.joules(),
            });
        joules.collect()
    }
}

impl Running {
    /// Ends the stretch. It ends when this is called; it returns a little later.
    pub fn end(self) -> (Meter, Measurement) {
        let ended = self.clock.elapsed().as_secs_f64();
        let _ = self.stop.send(());
        let mut meter = self.reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        meter.read();
        let moves = meter.await_moves(ended);
        let now = meter.now();
        let after = meter.joules_at(ended, &moves);
        let domains = meter.counters.iter().zip(after.iter().zip(&self.before));
        let seconds = ended - self.began;
        let declared = meter.source.declared_watts();
        let joules = domains.map(|(counter, (after, before))| match (declared, counter.fault(now)) {
            (Some(watts), _) => Ok(watts * seconds),
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok((after - before).max(0.0)),
        });
        let joules = joules.collect();
        (meter, Measurement { seconds, joules })
    }
}
