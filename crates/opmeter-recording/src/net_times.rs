//! From timed executions to what all of them took by themselves: see `docs/method.md`.

use opmeter_live::{OpcodeTimes, PHASES, Slices, Times, bucket_limits};
use rustc_hash::FxHashMap;

use crate::calibration::{ProbeCost, Timing};
use crate::{InstructionRow, InstructionTime, OpcodeRow, OpcodeTime, Phase};

/// Executions from so many cycles up are *long*: they are few, and take so much of a slice that whether one is
/// timed depends on it. What of them was not timed is told by the time that passed, not by their number.
const LONG: u64 = 1 << 16;

/// The times of a process: what was measured, and what it amounts to.
pub(crate) struct NetTimes {
    times: [Times; PHASES],
    cost: ProbeCost,
    /// How much more time long executions took outside of timed slices, for each cycle within.
    more_long: f64,
    hz: f64,
    timing: Timing,
}

/// What was measured of an opcode.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Measured {
    /// All executions.
    executions: f64,
    /// Those that were timed.
    timed: f64,
    /// Segments of short executions, and their cycles.
    segments: f64,
    cycles: f64,
    /// Long executions, their cycles, and the squares of those.
    long: f64,
    long_cycles: f64,
    long_squares: f64,
    /// The variance of a short execution's cycles.
    variance: f64,
}

impl Measured {
    fn of(times: &OpcodeTimes, executions: u64) -> Measured {
        let mut sums = [0.0; 6];
        for &(bucket, count) in &times.histogram {
            let (low, high) = bucket_limits(usize::from(bucket));
            let (middle, count) = ((low as f64 + high as f64) / 2.0, count as f64);
            let place = if low >= LONG { 3 } else { 0 };
            for (power, sum) in sums[place..place + 3].iter_mut().enumerate() {
                *sum += count * middle.powi(power as i32);
            }
        }
        let [short, short_cycles, short_squares, long, long_cycles, long_squares] = sums;
        let mean = short_cycles / short.max(1.0);
        let long_cycles = long_cycles.min(times.cycles as f64);
        Measured {
            executions: executions.max(times.executions) as f64,
            timed: times.executions as f64,
            segments: (times.segments as f64 - long).max(0.0),
            cycles: times.cycles as f64 - long_cycles,
            long,
            long_cycles,
            long_squares,
            variance: (short_squares / short.max(1.0) - mean * mean).max(0.0),
        }
    }

    /// How many executions each timed one stands for.
    fn scale(&self) -> f64 {
        if self.timed > 0.0 { self.executions / self.timed } else { 0.0 }
    }

    /// What the short ones took, given what timing a segment costs.
    fn short(&self, probe: f64) -> f64 {
        self.scale() * (self.cycles - probe * self.segments)
    }
}

impl NetTimes {
    /// Finds the cost of the probes, and how what was not timed adds up. `executions` is how often each opcode
    /// ran in each phase; `spread` tells over how many instructions the executions are spread.
    pub(crate) fn new(
        times: [Times; PHASES],
        slices: &Slices,
        executions: &[FxHashMap<u8, u64>; PHASES],
        spread: f64,
    ) -> Self {
        let mut cost = ProbeCost::of(slices, spread);
        let all: Vec<Measured> = times
            .iter()
            .zip(executions)
            .flat_map(|(times, executions)| measured(times, executions))
            .collect();
        let sum = |part: fn(&Measured) -> f64| all.iter().map(part).sum::<f64>();
        let (executed, timed) = (sum(|one| one.executions), sum(|one| one.timed));
        let untimed = executed - timed;
        let mut more_long = if timed > 0.0 { untimed / timed } else { 0.0 };
        if !slices.threads && timed > 0.0 {
            // What passed outside of timed slices, against what is expected of it. The difference is due to the
            // cost of the probes, or to which of the long executions were timed by chance.
            let passed = slices.sums.iter().map(|sum| sum.all_counted_cycles as f64).sum::<f64>();
            let passed = passed - cost.counted * untimed;
            let short: f64 =
                all.iter().map(|one| one.short(cost.timed) * (1.0 - 1.0 / one.scale().max(1.0))).sum();
            let segments: f64 = all.iter().map(|one| one.segments * (one.scale() - 1.0).max(0.0)).sum();
            let long = sum(|one| one.long_cycles);
            let difference = passed - short - more_long * long;
            let by_cost = (cost.timed_se * segments).powi(2);
            let by_chance = more_long * (1.0 + more_long) * sum(|one| one.long_squares);
            if by_cost + by_chance > 0.0 && passed > 0.0 {
                let chance = by_chance / (by_cost + by_chance);
                if segments > 0.0 {
                    cost.timed -= difference * (1.0 - chance) / segments;
                }
                if long > 0.0 {
                    more_long = (more_long + difference * chance / long).max(0.0);
                }
            }
        }
        let elapsed = slices.last.1.saturating_sub(slices.first.1) as f64;
        let hz = slices.last.0.saturating_sub(slices.first.0) as f64 / elapsed.max(1.0) * 1e9;
        let timing = Timing {
            tsc_hz: hz,
            timed_executions: timed as u64,
            probe_cycles: cost.timed,
            probe_cycles_se: cost.timed_se,
            counting_cycles: cost.counted,
            pairs_of_slices: slices.pairs,
            threads: slices.threads,
        };
        Self { times, cost, more_long, hz, timing }
    }

    /// How the times were taken.
    pub(crate) fn timing(&self) -> Timing {
        self.timing.clone()
    }

    /// What was measured of an opcode in a phase.
    pub(crate) fn opcode(&self, phase: usize, number: u8) -> &OpcodeTimes {
        &self.times[phase].0[usize::from(number)]
    }

    /// Fills in the times of the rows of one phase. Rows of what combined opcodes execute besides have none of
    /// their own.
    pub(crate) fn fill_opcodes(&self, phase: usize, rows: &mut [OpcodeRow]) {
        let measured: Vec<Measured> = rows
            .iter()
            .map(|row| {
                if row.is_besides() {
                    Measured::default()
                } else {
                    Measured::of(self.opcode(phase, row.number), row.executions)
                }
            })
            .collect();
        let unseen = mean_short(&measured, self.cost.timed);
        let estimates: Vec<(f64, f64)> = rows
            .iter()
            .zip(&measured)
            .map(|(row, one)| if row.is_besides() { (0.0, 0.0) } else { self.estimate(one, unseen) })
            .collect();
        let total: f64 = estimates.iter().map(|(net, _)| net).sum();
        let positive: f64 = estimates.iter().map(|(net, _)| net.max(0.0)).sum();
        // Nothing takes less than no time; what was estimated so was too much elsewhere.
        let factor = if positive > 0.0 { (total / positive).max(0.0) } else { 0.0 };
        for (row, (net, se)) in rows.iter_mut().zip(estimates) {
            let times = self.opcode(phase, row.number);
            let net = net.max(0.0) * factor;
            let mut time = OpcodeTime {
                cycles_net: net.round() as u64,
                cycles_net_se: se.ceil() as u64,
                ns_net: self.nanoseconds(net),
                ..OpcodeTime::NONE
            };
            if !row.is_besides() {
                time.timed_executions = times.executions;
                time.cycles_raw = times.cycles;
                let quantile = |part: f64| quantile(&times.histogram, part);
                (time.min, time.p50, time.p90, time.p99, time.max) =
                    (quantile(0.0), quantile(0.5), quantile(0.9), quantile(0.99), quantile(1.0));
            }
            row.time = Some(time);
        }
    }

    /// What all executions of an opcode took, and the standard error; `unseen` is what an execution is supposed
    /// to take where none was timed.
    fn estimate(&self, one: &Measured, unseen: f64) -> (f64, f64) {
        if one.timed == 0.0 {
            let net = one.executions * unseen;
            return (net, net);
        }
        let net = one.short(self.cost.timed)
            + (1.0 + self.more_long) * (one.long_cycles - one.long * self.cost.timed);
        let by_cost = one.scale() * one.segments * self.cost.timed_se;
        let by_sample = one.executions * (one.executions - one.timed) / one.timed * one.variance;
        let by_long = self.more_long * (1.0 + self.more_long) * one.long_squares;
        (net, (by_cost * by_cost + by_sample + by_long).sqrt())
    }

    /// Fills in the times of instructions, of which timed executions, segments and cycles are known. Those of
    /// one opcode add up to what `opcodes` say of it.
    pub(crate) fn fill_instructions(
        &self,
        rows: &mut [InstructionRow],
        measured: &[CellTime],
        opcodes: &[OpcodeRow],
    ) {
        let mut places: FxHashMap<(Phase, &str), usize> = FxHashMap::default();
        let mut bases: Vec<Base> = Vec::new();
        for row in opcodes.iter().filter(|row| !row.is_besides()) {
            let one = Measured::of(self.opcode(row.phase as usize, row.number), row.executions);
            let place = *places.entry((row.phase, &row.base_opcode)).or_insert(bases.len());
            bases.resize(bases.len().max(place + 1), Base::default());
            let base = &mut bases[place];
            base.net += row.time.as_ref().map_or(0.0, |time| time.cycles_net as f64);
            base.executions += row.executions as f64;
            base.squares += one.timed * one.variance;
            base.timed += one.timed;
        }
        let place = |row: &InstructionRow| places.get(&(row.phase, &*row.opcode)).copied();
        let estimates: Vec<(f64, f64)> = rows
            .iter()
            .zip(measured)
            .map(|(row, cell)| {
                let Some(place) = place(row) else { return (0.0, 0.0) };
                let (net, se) = self.instruction(row.executions, cell, bases[place]);
                bases[place].estimated += net;
                (net, se)
            })
            .collect();
        for ((row, cell), (net, se)) in rows.iter_mut().zip(measured).zip(estimates) {
            let base = place(row).map(|place| bases[place]).unwrap_or_default();
            let net = if base.estimated > 0.0 { net * base.net / base.estimated } else { 0.0 };
            row.time = Some(InstructionTime {
                timed_executions: cell.executions,
                cycles_raw: cell.cycles,
                cycles_net: net.round() as u64,
                cycles_net_se: se.ceil() as u64,
                ns_net: self.nanoseconds(net),
            });
        }
    }

    fn instruction(&self, executions: u64, cell: &CellTime, base: Base) -> (f64, f64) {
        let (executions, timed) = (executions as f64, cell.executions as f64);
        let usual = base.net / base.executions.max(1.0);
        let deviation = base.squares / base.timed.max(1.0);
        if timed == 0.0 || executions == 0.0 {
            // It took what its opcode usually takes, give or take what that varies by.
            return (
                executions * usual,
                (executions * executions * deviation).sqrt().max(executions * usual),
            );
        }
        let (segments, cycles) = (cell.segments as f64, cell.cycles as f64);
        let own = cycles - self.cost.timed * segments;
        let scale = (executions / timed).max(1.0);
        let long = cycles > segments * LONG as f64;
        let net = own.max(0.0) * if long { 1.0 + self.more_long } else { scale };
        let by_cost = scale * segments * self.cost.timed_se;
        let by_sample = executions * (executions - timed).max(0.0) / timed * deviation;
        (net, (by_cost * by_cost + by_sample).sqrt())
    }

    fn nanoseconds(&self, cycles: f64) -> u64 {
        if self.hz > 0.0 { (cycles / self.hz * 1e9).round() as u64 } else { 0 }
    }
}

/// What the cell of an instruction says of its times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CellTime {
    /// Executions in timed slices.
    pub executions: u64,
    /// Timed segments.
    pub segments: u64,
    /// Their cycles.
    pub cycles: u64,
}

/// What is known of all forms of an opcode.
#[derive(Debug, Clone, Copy, Default)]
struct Base {
    net: f64,
    /// What its instructions were estimated to take, each by itself.
    estimated: f64,
    executions: f64,
    timed: f64,
    /// The sum of the squares of the deviations of timed executions from the mean of their form.
    squares: f64,
}

fn measured(times: &Times, executions: &FxHashMap<u8, u64>) -> Vec<Measured> {
    let of = |(number, times): (usize, &OpcodeTimes)| {
        let executions = executions.get(&(number as u8)).copied().unwrap_or(0);
        (executions > 0 || times.executions > 0).then(|| Measured::of(times, executions))
    };
    times.0.iter().enumerate().filter_map(of).collect()
}

/// What a short execution of any opcode takes on average.
fn mean_short(measured: &[Measured], probe: f64) -> f64 {
    let timed: Vec<&Measured> = measured.iter().filter(|one| one.timed > 0.0).collect();
    let executions: f64 = timed.iter().map(|one| one.executions).sum();
    timed.iter().map(|one| one.short(probe)).sum::<f64>().max(0.0) / executions.max(1.0)
}

/// The middle of the bucket in which this part of the executions is reached.
fn quantile(histogram: &[(u16, u64)], part: f64) -> u64 {
    let all: u64 = histogram.iter().map(|(_, count)| count).sum();
    let rank = ((all as f64 * part).ceil() as u64).clamp(1, all.max(1));
    let mut reached = 0;
    for &(bucket, count) in histogram {
        reached += count;
        if reached >= rank {
            let (low, high) = bucket_limits(usize::from(bucket));
            return low + (high - low) / 2;
        }
    }
    0
}
