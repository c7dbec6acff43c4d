//! From timed executions to what all of them took by themselves: see `docs/method.md`.

use opmeter_live::{LONG_CYCLES, LongExecution, OpcodeTimes, PHASES, Slices, Times, bucket_limits};
use rustc_hash::FxHashMap;

use crate::calibration::{ProbeCost, Timing};
use crate::measured_times::{Measured, Sums, all_segments, mean_short, measured};
use crate::{InstructionRow, InstructionTime, OpcodeRow, OpcodeTime, Phase};

/// Executions that take so long (in seconds) are seen from outside where they are not timed: see
/// [`LongExecution`].
const SEEN: f64 = 0.0025;

/// The times of a process: what was measured, and what it amounts to.
pub(crate) struct NetTimes {
    times: [Times; PHASES],
    /// How many executions there are for each timed one, of all opcodes together.
    ratio: f64,
    cost: ProbeCost,
    /// How much more time long executions took outside of timed slices, for each cycle within.
    more_long: f64,
    /// By phase: what was not timed took so many times what is expected of it.
    untimed_factor: [f64; PHASES],
    /// From how many cycles up executions are seen wherever they are.
    seen_from: u64,
    /// Cycles of those that were seen outside of timed slices, by phase and opcode.
    seen_cycles: FxHashMap<(usize, u8), f64>,
    hz: f64,
    timing: Timing,
}

impl NetTimes {
    /// Finds the cost of the probes, and how what was not timed adds up. `executions` is how often each opcode
    /// ran in each phase; `spread` tells over how many instructions the executions are spread.
    pub(crate) fn new(
        times: [Times; PHASES],
        slices: &Slices,
        executions: &[FxHashMap<u8, u64>; PHASES],
        spread: f64,
        seen: &[LongExecution],
    ) -> Self {
        let elapsed = slices.last.1.saturating_sub(slices.first.1) as f64;
        let hz = slices.last.0.saturating_sub(slices.first.0) as f64 / elapsed.max(1.0) * 1e9;
        let seen_from = if slices.threads { u64::MAX } else { (SEEN * hz) as u64 };
        let mut seen_cycles = FxHashMap::default();
        for execution in seen.iter().filter(|execution| !slices.threads && execution.phase < PHASES) {
            *seen_cycles.entry((execution.phase, execution.number)).or_insert(0.0) +=
                execution.nanoseconds as f64 * hz / 1e9;
        }
        // How many executions there are for each timed one, of all opcodes together.
        let executed: u64 = executions.iter().flat_map(|phase| phase.values()).sum();
        let timed: u64 = times.iter().flat_map(|phase| &phase.0).map(|one| one.executions).sum();
        let ratio = (executed as f64 / timed.max(1) as f64).max(1.0);
        let measured: [Vec<Measured>; PHASES] =
            std::array::from_fn(|phase| measured(&times[phase], &executions[phase], seen_from, ratio));
        let mut cost = ProbeCost::of(slices, spread);
        let totals = measured.each_ref().map(|all| Sums::of(all, cost.timed));
        let mut more_long = if timed > 0 { ratio - 1.0 } else { 0.0 };
        let mut untimed_factor = [1.0; PHASES];
        if !slices.threads && timed > 0 {
            let passed = |phase: usize, cost: ProbeCost| {
                let seen = seen_cycles.iter().filter(|((of, _), _)| *of == phase).map(|(_, cycles)| cycles);
                let counting = cost.counted * (totals[phase].executions - totals[phase].timed);
                slices.counted[phase] as f64 - seen.sum::<f64>() - counting
            };
            // In the longest phase, what passed outside of timed slices against what is expected of it. The
            // difference is due to the cost of the probes, or to which of the long executions were timed by
            // chance.
            let longest = (0..PHASES).max_by_key(|phase| slices.counted[*phase]).unwrap_or(0);
            let sums = &totals[longest];
            let difference = passed(longest, cost) - sums.untimed_short - more_long * sums.long_cycles;
            let by_cost = (cost.timed_se * sums.untimed_segments).powi(2);
            let by_chance = more_long * (1.0 + more_long) * sums.long_squares;
            let chance = by_chance / (by_cost + by_chance).max(1.0);
            if sums.untimed_segments > 0.0 {
                cost.timed -= difference * (1.0 - chance) / sums.untimed_segments;
            }
            if sums.long_cycles > 0.0 {
                more_long = (more_long + difference * chance / sums.long_cycles).max(0.0);
            }
            // Whatever difference is left belongs to all that was not timed.
            for phase in 0..PHASES {
                let sums = Sums::of(&measured[phase], cost.timed);
                let expected = sums.untimed_short + more_long * (sums.long_cycles - cost.timed * sums.long);
                if expected > 0.0 {
                    untimed_factor[phase] = (passed(phase, cost) / expected).max(0.0);
                }
            }
        }
        let timing = Timing {
            tsc_hz: hz,
            timed_executions: timed,
            probe_cycles: cost.timed,
            probe_cycles_se: cost.se(),
            counting_cycles: cost.counted,
            counting_cycles_se: cost.counted_se,
            pairs_of_slices: slices.pairs,
            threads: slices.threads,
        };
        Self { times, ratio, cost, more_long, untimed_factor, seen_from, seen_cycles, hz, timing }
    }

    /// How the times were taken.
    pub(crate) fn timing(&self) -> Timing {
        self.timing.clone()
    }

    /// What was measured of an opcode in a phase.
    pub(crate) fn opcode(&self, phase: usize, number: u8) -> &OpcodeTimes {
        &self.times[phase].0[usize::from(number)]
    }

    fn measured(&self, phase: usize, row: &OpcodeRow) -> Measured {
        Measured::of(self.opcode(phase, row.number), row.executions, self.seen_from, self.ratio)
    }

    /// Fills in the times of the rows of one phase. Rows of what combined opcodes execute besides have none of
    /// their own.
    pub(crate) fn fill_opcodes(&self, phase: usize, rows: &mut [OpcodeRow]) {
        let measured: Vec<Measured> = rows
            .iter()
            .map(|row| if row.is_besides() { Measured::default() } else { self.measured(phase, row) })
            .collect();
        let unseen = mean_short(&measured, self.cost.timed);
        let estimates: Vec<(f64, f64)> =
            rows.iter()
                .zip(&measured)
                .map(|(row, one)| {
                    if row.is_besides() {
                        (0.0, 0.0)
                    } else {
                        self.estimate((phase, row.number), one, unseen)
                    }
                })
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
    fn estimate(&self, opcode: (usize, u8), one: &Measured, unseen: f64) -> (f64, f64) {
        let seen = self.seen_cycles.get(&opcode).copied().unwrap_or(0.0);
        if !one.is_timed() {
            let net = one.executions * unseen;
            return (net + seen, net);
        }
        let (short, long) = (one.short(self.cost.timed), one.long_cycles - one.long * self.cost.timed);
        let untimed = one.untimed() * short + self.more_long * long;
        let longest = one.longest_cycles - one.longest * self.cost.timed + seen;
        let net = short + long + longest + untimed * self.untimed_factor[opcode.0];
        let by_cost = one.scale() * one.segments * self.cost.se();
        let by_sample = one.executions * (one.executions - one.timed) / one.timed.max(1.0) * one.variance;
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
            let one = self.measured(row.phase as usize, row);
            let place = *places.entry((row.phase, &row.base_opcode)).or_insert(bases.len());
            bases.resize(bases.len().max(place + 1), Base::default());
            let base = &mut bases[place];
            base.net += row.time.as_ref().map_or(0.0, |time| time.cycles_net as f64);
            base.executions += row.executions as f64;
            base.short += one.scale() * one.short(self.cost.timed).max(0.0);
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
        let usual = base.short / base.executions.max(1.0);
        let seen = cell.seen as f64 * self.hz / 1e9;
        let deviation = base.squares / base.timed.max(1.0);
        let (segments, cycles) = (cell.segments as f64, cell.cycles as f64);
        if segments == 0.0 {
            // It took what its opcode usually takes, give or take what that varies by.
            let net = executions * usual;
            return (net + seen, (executions * deviation.sqrt()).max(net));
        }
        let own = cycles - self.cost.timed * segments;
        let scale = all_segments(executions, timed, segments, self.ratio) / segments;
        let factor = match cycles / segments {
            mean if mean < LONG_CYCLES as f64 => scale,
            mean if mean < self.seen_from as f64 => 1.0 + self.more_long,
            _ => 1.0,
        };
        let net = own.max(0.0) * factor + seen;
        let by_cost = scale * segments * self.cost.se();
        let by_sample = executions * (executions - timed).max(0.0) / timed.max(1.0) * deviation;
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
    /// Nanoseconds of long executions that were seen outside of timed slices.
    pub seen: u64,
}

/// What is known of all forms of an opcode.
#[derive(Debug, Clone, Copy, Default)]
struct Base {
    net: f64,
    /// What its short executions took.
    short: f64,
    /// What its instructions were estimated to take, each by itself.
    estimated: f64,
    executions: f64,
    timed: f64,
    /// The sum of the squares of the deviations of timed executions from the mean of their form.
    squares: f64,
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
