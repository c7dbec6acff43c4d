//! From timed executions to what all of them took by themselves: see `docs/method.md`.

use opmeter_live::{LONG_CYCLES, LongExecution, OpcodeTimes, PHASES, Slices, Times, bucket_limits};
use rustc_hash::FxHashMap;

use crate::calibration::{ProbeCost, Timing};
use crate::measured_times::{Measured, Sums, all_segments, mean_short, measured};
use crate::saturating_sum::saturating_sum;
use crate::{InstructionRow, InstructionTime, OpcodeRow, OpcodeTime, Phase};

/// Executions that take so long (in seconds) are seen from outside where they are not timed: see
/// [`LongExecution`].
const SEEN: f64 = 0.0025;

/// An estimate is not wrong by more than so many standard errors.
const LIKELY: f64 = 2.0;

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
    /// ran in each phase; `spread` tells over how many instructions the executions are
    /// spread, `minor` is the interpreter's minor version.
    pub(crate) fn new(
        times: [Times; PHASES],
        slices: &Slices,
        executions: &[FxHashMap<u8, u64>; PHASES],
        (spread, minor): (f64, u64),
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
        let executed = saturating_sum(executions.iter().flat_map(|phase| phase.values()).copied());
        let timed = saturating_sum(times.iter().flat_map(|phase| &phase.0).map(|one| one.executions));
        let ratio = (executed as f64 / timed.max(1) as f64).max(1.0);
        let measured: [Vec<Measured>; PHASES] =
            std::array::from_fn(|phase| measured(&times[phase], &executions[phase], seen_from, ratio));
        let mut cost = ProbeCost::of(slices, spread, minor);
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
                // No further than it may be wrong: others may have had the processor meanwhile.
                let most = LIKELY * cost.timed_se;
                let change = difference * (1.0 - chance) / sums.untimed_segments;
                cost.timed = (cost.timed - change.clamp(-most, most)).max(0.0);
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
        // What made the difference is not known.
        let by_factor = untimed * (self.untimed_factor[opcode.0] - 1.0);
        (net, (by_cost * by_cost + by_sample + by_long + by_factor * by_factor).sqrt())
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
                let (net, se) = self.instruction(row, cell, bases[place]);
                bases[place].estimated += net;
                bases[place].placed += row.executions as f64;
                (net, se)
            })
            .collect();
        for ((row, cell), (net, se)) in rows.iter_mut().zip(measured).zip(estimates) {
            let base = place(row).map(|place| bases[place]).unwrap_or_default();
            let net = if base.estimated > 0.0 {
                net * base.net / base.estimated
            } else {
                base.net * row.executions as f64 / base.placed.max(1.0)
            };
            row.time = Some(InstructionTime {
                timed_executions: cell.executions,
                cycles_raw: cell.cycles,
                cycles_net: net.round() as u64,
                cycles_net_se: se.ceil() as u64,
                ns_net: self.nanoseconds(net),
            });
        }
    }

    fn instruction(&self, row: &InstructionRow, cell: &CellTime, base: Base) -> (f64, f64) {
        let (executions, timed) = (row.executions as f64, cell.executions as f64);
        let usual = base.short / base.executions.max(1.0);
        let seen = cell.seen as f64 * self.hz / 1e9;
        let deviation = base.squares / base.timed.max(1.0);
        let (segments, cycles) = (cell.segments as f64, cell.cycles as f64);
        if segments == 0.0 && timed > 1.0 {
            // It returned to C code each time that it was timed: what passed is the caller's. (One alone may have been under
            // way when its slice ended.)
            return (seen, 0.0);
        }
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
        let untimed = (executions - timed).max(0.0);
        let by_sample = executions * untimed / timed.max(1.0) * deviation;
        let by_factor = net * untimed / executions.max(1.0) * (self.untimed_factor[row.phase as usize] - 1.0);
        (net, (by_cost * by_cost + by_sample + by_factor * by_factor).sqrt())
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
    /// Executions of its instructions, those by combined opcodes included.
    placed: f64,
    executions: f64,
    timed: f64,
    /// The sum of the squares of the deviations of timed executions from the mean of their form.
    squares: f64,
}

/// The middle of the bucket in which this part of the executions is reached.
fn quantile(histogram: &[(u16, u64)], part: f64) -> u64 {
    let all = saturating_sum(histogram.iter().map(|(_, count)| *count));
    let rank = ((all as f64 * part).ceil() as u64).clamp(1, all.max(1));
    let mut reached = 0u64;
    for &(bucket, count) in histogram {
        reached = reached.saturating_add(count);
        if reached >= rank {
            let (low, high) = bucket_limits(usize::from(bucket));
            return low + (high - low) / 2;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use opmeter_live::{SliceSum, bucket};

    use super::*;

    const SHORT: u8 = 10;
    const LONG: u8 = 20;

    fn times(opcodes: &[(u8, OpcodeTimes)]) -> Times {
        let none = OpcodeTimes { executions: 0, segments: 0, cycles: 0, histogram: Vec::new() };
        let mut times = Times(vec![none; 256]);
        for (number, opcode) in opcodes {
            times.0[usize::from(*number)] = opcode.clone();
        }
        times
    }

    fn alike(executions: u64, cycles: u64) -> OpcodeTimes {
        let histogram = vec![(bucket(cycles) as u16, executions)];
        OpcodeTimes { executions, segments: executions, cycles: executions * cycles, histogram }
    }

    /// A program of which a quarter was timed: 400,000 times an instruction that takes 10 cycles, and 2 of an
    /// opcode that takes long. A probe costs 20 cycles, counting 2; a cycle is a third of a nanosecond.
    fn net(long: OpcodeTimes, longs: u64, long_cycles_untimed: u64, seen: &[LongExecution]) -> NetTimes {
        let sum = SliceSum {
            timed_cycles: 30_000,
            timed_steps: 100,
            timed_segments: 1000,
            counted_cycles: 36_000,
            counted_steps: 300,
        };
        let slices = Slices {
            last: (3_000_000_000, 1_000_000_000),
            core_ratio: 1024,
            back_to_back: 25 * 1024,
            pairs: 100,
            counted: [0, 3_600_000 + long_cycles_untimed, 0],
            sums: vec![sum; 100],
            ..Slices::default()
        };
        let main = times(&[(SHORT, alike(100_000, 30)), (LONG, long)]);
        let executions = [
            [].into_iter().collect(),
            [(SHORT, 400_000), (LONG, longs)].into_iter().collect(),
            [].into_iter().collect(),
        ];
        // So that counting costs two cycles: see `calibration`.
        let spread = (5.3f64 / 1.28).exp();
        NetTimes::new([times(&[]), main, times(&[])], &slices, &executions, (spread, 12), seen)
    }

    fn rows(net: &NetTimes, longs: u64) -> Vec<OpcodeTime> {
        let row = |number, opcode: &str, executions| OpcodeRow {
            process: 0,
            phase: Phase::Main,
            opcode: opcode.into(),
            base_opcode: opcode.into(),
            number,
            executions,
            time: None,
        };
        let mut rows = [row(SHORT, "SHORT", 400_000), row(SHORT, "SHORT/OTHER", 7), row(LONG, "LONG", longs)];
        net.fill_opcodes(1, &mut rows);
        rows.into_iter().map(|row| row.time.unwrap()).collect()
    }

    fn near(found: u64, expected: u64) -> bool {
        (found as f64 / expected as f64 - 1.0).abs() < 0.02
    }

    #[test]
    fn the_cost_of_probes_is_taken_off() {
        let net = net(alike(0, 0), 0, 0, &[]);
        let timing = net.timing();
        assert!((timing.probe_cycles - 20.0).abs() < 0.1, "{timing:?}");
        assert!((timing.counting_cycles - 2.0).abs() < 1e-6 && timing.tsc_hz == 3e9, "{timing:?}");
        let [short, other, _] = &rows(&net, 0)[..] else { panic!() };
        assert!(near(short.cycles_net, 4_000_000) && near(short.ns_net, 1_333_333), "{short:?}");
        assert_eq!(
            (short.timed_executions, short.cycles_raw, short.p50, short.max),
            (100_000, 3_000_000, 30, 30)
        );
        assert!(short.cycles_net_se > 0 && short.cycles_net_se < 1_000_000, "{short:?}");
        assert_eq!(*other, OpcodeTime::NONE, "it is part of the other");
    }

    #[test]
    fn others_that_had_the_processor_change_no_cost_and_are_an_uncertainty() {
        // Half of what was only counted was theirs.
        let net = net(alike(0, 0), 0, 3_600_000, &[]);
        let timing = net.timing();
        assert!((timing.probe_cycles - 20.0).abs() < 3.0 * timing.probe_cycles_se, "{timing:?}");
        let [short, ..] = &rows(&net, 0)[..] else { panic!() };
        let (net, error) = (short.cycles_net as f64, short.cycles_net_se as f64);
        assert!(
            near(short.cycles_net, 4_000_000 + 3_600_000),
            "what passed is what executions took: {short:?}"
        );
        assert!((net - 4e6) < 1.5 * error, "{short:?}");
    }

    #[test]
    fn long_executions_are_told_by_the_time_that_passed() {
        // One of a million cycles was timed; one of two million was not.
        let net = net(alike(1, 1_000_000), 2, 2_000_000, &[]);
        let [short, _, long] = &rows(&net, 2)[..] else { panic!() };
        assert!(near(long.cycles_net, 3_000_000), "{long:?}");
        assert!(near(short.cycles_net, 4_000_000), "{short:?}");
        assert!(long.cycles_net_se > 1_000_000, "it was one of two: {long:?}");
    }

    #[test]
    fn very_long_ones_are_seen_from_outside() {
        let seen = LongExecution { cell: 0, number: LONG, phase: 1, nanoseconds: 3_000_000 };
        let net = net(alike(0, 0), 1, 9_000_000, &[seen]);
        let [short, _, long] = &rows(&net, 1)[..] else { panic!() };
        assert!(near(long.cycles_net, 9_000_000) && near(long.ns_net, 3_000_000), "{long:?}");
        assert_eq!(long.timed_executions, 0);
        assert!(near(short.cycles_net, 4_000_000), "{short:?}");
    }

    #[test]
    fn what_returns_to_c_code_takes_nothing() {
        // It was timed, and has no segments: its time is that of who called.
        let returns = OpcodeTimes { executions: 1000, segments: 0, cycles: 0, histogram: Vec::new() };
        let net = net(returns, 4000, 0, &[]);
        let [short, _, returned] = &rows(&net, 4000)[..] else { panic!() };
        assert_eq!((returned.timed_executions, returned.cycles_raw), (1000, 0));
        assert_eq!((returned.cycles_net, returned.cycles_net_se, returned.ns_net), (0, 0, 0));
        assert!(near(short.cycles_net, 4_000_000), "{short:?}");
    }

    #[test]
    fn instructions_add_up_to_their_opcode() {
        let net = net(alike(0, 0), 0, 0, &[]);
        let mut opcodes = vec![OpcodeRow {
            process: 0,
            phase: Phase::Main,
            opcode: "SHORT".into(),
            base_opcode: "SHORT".into(),
            number: SHORT,
            executions: 400_000,
            time: None,
        }];
        net.fill_opcodes(1, &mut opcodes);
        let row = |executions| InstructionRow {
            process: 0,
            phase: Phase::Main,
            file: "a.py".into(),
            function: "f".into(),
            first_line: 1,
            line: 1,
            offset: 0,
            opcode: "SHORT".into(),
            executions,
            code: 0,
            argument: 0,
            time: None,
        };
        // The first takes 25 cycles, the second 5; a few of the third were never timed, the last never ran.
        let mut rows = [row(100_000), row(299_990), row(10), row(0)];
        let cell = |executions, cycles| CellTime { executions, segments: executions, cycles, seen: 0 };
        let cells = [cell(25_000, 25_000 * 45), cell(75_000, 75_000 * 25), cell(0, 0), cell(0, 0)];
        net.fill_instructions(&mut rows, &cells, &opcodes);
        let nets: Vec<u64> = rows.iter().map(|row| row.time.as_ref().unwrap().cycles_net).collect();
        assert!(near(nets[0], 2_500_000) && near(nets[1], 1_500_000) && near(nets[2], 100), "{nets:?}");
        assert_eq!(nets[3], 0);
        assert!(near(nets.iter().sum(), opcodes[0].time.as_ref().unwrap().cycles_net));
    }
}
