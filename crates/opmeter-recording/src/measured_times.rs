//! What was measured of the times of opcodes, and how it adds up.

use opmeter_live::{LONG_CYCLES, OpcodeTimes, Times, bucket_limits};
use rustc_hash::FxHashMap;

/// What was measured of an opcode.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Measured {
    /// All executions.
    pub(crate) executions: f64,
    /// Those that were timed.
    pub(crate) timed: f64,
    /// Timed segments of short executions, all such segments, and the cycles of the timed ones.
    pub(crate) segments: f64,
    pub(crate) all_segments: f64,
    pub(crate) cycles: f64,
    /// Long executions, their cycles, and the squares of those; but for those that are so long that they are
    /// seen wherever they are.
    pub(crate) long: f64,
    pub(crate) long_cycles: f64,
    pub(crate) long_squares: f64,
    /// Cycles of those that are longer still, and how many there are.
    pub(crate) longest: f64,
    pub(crate) longest_cycles: f64,
    /// The variance of a short execution's cycles.
    pub(crate) variance: f64,
}

impl Measured {
    /// `seen` is from how many cycles up executions are seen wherever they are; `ratio` is how many executions of
    /// all opcodes there are for each timed one.
    pub(crate) fn of(times: &OpcodeTimes, executions: u64, seen: u64, ratio: f64) -> Measured {
        let mut sums = [0.0; 9];
        for &(bucket, count) in &times.histogram {
            let (low, high) = bucket_limits(usize::from(bucket));
            let (middle, count) = ((low as f64 + high as f64) / 2.0, count as f64);
            let place = if low >= seen.max(LONG_CYCLES) {
                6
            } else if low >= LONG_CYCLES {
                3
            } else {
                0
            };
            for (power, sum) in sums[place..place + 3].iter_mut().enumerate() {
                *sum += count * middle.powi(power as i32);
            }
        }
        let [short, short_cycles, short_squares, long, long_cycles, long_squares, longest, longest_cycles, _] =
            sums;
        let mean = short_cycles / short.max(1.0);
        let longest_cycles = longest_cycles.min(times.cycles as f64);
        let long_cycles = long_cycles.min(times.cycles as f64 - longest_cycles);
        let (executions, timed) = (executions.max(times.executions) as f64, times.executions as f64);
        let segments = (times.segments as f64 - long - longest).max(0.0);
        Measured {
            executions,
            timed,
            segments,
            all_segments: all_segments(executions, timed, segments, ratio),
            cycles: times.cycles as f64 - long_cycles - longest_cycles,
            longest,
            longest_cycles,
            long,
            long_cycles,
            long_squares,
            variance: (short_squares / short.max(1.0) - mean * mean).max(0.0),
        }
    }

    /// Whether anything of it was timed. What returned to C code was, and took nothing: it has no segment, as one that was
    /// under way when its slice ended has none.
    pub(crate) fn is_timed(&self) -> bool {
        self.segments + self.long + self.longest > 0.0 || self.timed > 1.0
    }

    /// How many segments each timed one stands for.
    pub(crate) fn scale(&self) -> f64 {
        if self.segments > 0.0 { self.all_segments / self.segments } else { 0.0 }
    }

    /// How many that were not timed each timed one stands for.
    pub(crate) fn untimed(&self) -> f64 {
        (self.scale() - 1.0).max(0.0)
    }

    /// What the timed short ones took, given what timing a segment costs.
    pub(crate) fn short(&self, probe: f64) -> f64 {
        self.cycles - probe * self.segments
    }
}

/// Sums over the opcodes of a phase.
pub(crate) struct Sums {
    pub(crate) executions: f64,
    pub(crate) timed: f64,
    /// What short executions that were not timed are expected to have taken, and how many segments they had.
    pub(crate) untimed_short: f64,
    pub(crate) untimed_segments: f64,
    /// Long executions that were timed, their cycles and the squares of those.
    pub(crate) long: f64,
    pub(crate) long_cycles: f64,
    pub(crate) long_squares: f64,
}

impl Sums {
    pub(crate) fn of(all: &[Measured], probe: f64) -> Sums {
        let sum = |part: &dyn Fn(&Measured) -> f64| all.iter().map(part).sum::<f64>();
        Sums {
            executions: sum(&|one| one.executions),
            timed: sum(&|one| one.timed),
            untimed_short: sum(&|one| one.untimed() * (one.cycles - probe * one.segments)),
            untimed_segments: sum(&|one| one.untimed() * one.segments),
            long: sum(&|one| one.long),
            long_cycles: sum(&|one| one.long_cycles),
            long_squares: sum(&|one| one.long_squares),
        }
    }
}

pub(crate) fn measured(
    times: &Times,
    executions: &FxHashMap<u8, u64>,
    seen: u64,
    ratio: f64,
) -> Vec<Measured> {
    let of = |(number, times): (usize, &OpcodeTimes)| {
        let executions = executions.get(&(number as u8)).copied().unwrap_or(0);
        (executions > 0 || times.executions > 0).then(|| Measured::of(times, executions, seen, ratio))
    };
    times.0.iter().enumerate().filter_map(of).collect()
}

/// What a short execution of any opcode takes on average.
pub(crate) fn mean_short(measured: &[Measured], probe: f64) -> f64 {
    let timed: Vec<&Measured> = measured.iter().filter(|one| one.is_timed()).collect();
    let executions: f64 = timed.iter().map(|one| one.executions).sum();
    timed.iter().map(|one| one.scale() * one.short(probe)).sum::<f64>().max(0.0) / executions.max(1.0)
}

/// How many segments there are in all. Each execution begins with one, so that timed executions tell what all of
/// them have; the segments that C code has after it has called Python code are as many times more as all
/// executions are.
pub(crate) fn all_segments(executions: f64, timed: f64, segments: f64, ratio: f64) -> f64 {
    let own = segments.min(timed);
    let of_own = if timed > 0.0 { own * executions / timed } else { 0.0 };
    of_own.max(own) + (segments - own) * ratio
}
