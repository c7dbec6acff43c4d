//! Slices of the run: in some times are taken, in the others opcodes are only counted.
//!
//! The stubs of certain opcodes that every loop and every call goes through count *steps* down; at zero the
//! clock is looked at. A *stretch* is what lies between two looks.

use opmeter_live::{MAX_SUMS, PHASES, SUM_SIZE, SUMS_OFFSET, SliceSum, SliceWord};

use crate::slot_file::SlotFile;
use crate::times::note_clocks;
use crate::tsc;

/// Cycles from one look at the clock to the next, as far as steps allow to aim at that.
const STRETCH: u64 = 120_000;

/// Steps of a stretch of which it is not known how long it will take.
const FIRST_STEPS: u64 = 8;

/// Cycles of a timed slice on average, where at most half of the run is timed.
const TIMED_SLICE: u64 = 1_000_000;

/// Cycles of a slice in between on average, where at least half of the run is timed.
const COUNTED_SLICE: u64 = 250_000;

/// However much is asked for, this share of the run (one in ...) is only counted: it tells what timing costs.
const CALIBRATION: u64 = 16;

/// A stretch so many times as long as usual had something in it that tells nothing of the cost of timing.
const UNUSUAL: f64 = 8.0;

/// The present slice, and what has been learned from those before.
#[derive(Debug, Clone, PartialEq)]
pub struct Slices {
    /// The share of the run that is to be timed, in 65536ths.
    share: u64,
    /// Whether the present slice is timed.
    timed: bool,
    /// Segments and their cycles so far, when the present stretch began.
    segments: (u64, u64),
    /// Cycles until the slice ends.
    left: i64,
    /// When the present stretch began, and how long the clock had stood still by then; none at first.
    stretch: Option<(u64, u64)>,
    /// A phase has ended in the present stretch, which tells nothing of what its steps cost.
    interrupted: bool,
    /// Steps in the present stretch.
    steps: u64,
    /// Usual cycles of a step: counted, timed.
    usual: [f64; 2],
    /// The present sum, and how many pairs of slices it has.
    sum: SliceSum,
    pairs: u64,
    /// Pairs of slices to a sum.
    pairs_per_sum: u64,
    /// Sums in the file.
    sums: usize,
    random: u64,
}

impl Slices {
    /// Slices of which this share is to be timed, in 65536ths. The first one is timed.
    pub fn new(share: u64) -> Self {
        Self::seeded(share, tsc::now())
    }

    /// Slices whose lengths follow from this number.
    fn seeded(share: u64, seed: u64) -> Self {
        let mut slices = Self {
            share: share.clamp(1, 65536),
            timed: true,
            segments: (0, 0),
            left: 0,
            stretch: None,
            interrupted: false,
            steps: 0,
            usual: [0.0; 2],
            sum: SliceSum::default(),
            pairs: 0,
            pairs_per_sum: 1,
            sums: 0,
            random: seed | 1,
        };
        slices.left = slices.length();
        slices
    }

    /// Whether the present slice is timed.
    pub fn timed(&self) -> bool {
        self.timed
    }

    /// The steps are used up, at the time `now`, when the clock has stood still for `paused` cycles in all, and
    /// so many segments, with their cycles, have been timed; the process is in this phase. Gives the number of steps to the next look, and
    /// whether the kind of slice has changed.
    pub fn look(
        &mut self,
        now: u64,
        paused: u64,
        segments: (u64, u64),
        phase: usize,
        file: Option<&SlotFile>,
    ) -> (u64, bool) {
        let mut changed = false;
        if let Some((start, before)) = self.stretch {
            let cycles = now.wrapping_sub(start).saturating_sub(paused.wrapping_sub(before));
            if !std::mem::take(&mut self.interrupted) {
                self.learn(cycles, segments);
            }
            self.note_passed(cycles, phase, file);
            // What takes long is no reason to change: whether it is timed must not depend on what was before.
            self.left -= cycles.min(2 * STRETCH) as i64;
            if self.left <= 0 {
                changed = true;
                self.change(file);
            }
        }
        if let Some(file) = file {
            note_clocks(file, SliceWord::LastTsc, SliceWord::LastNs);
        }
        self.segments = segments;
        let usual = self.usual[usize::from(self.timed)];
        self.steps = if usual > 0.0 { (STRETCH as f64 / usual) as u64 } else { FIRST_STEPS };
        self.steps = self.steps.clamp(1, 1 << 20);
        // Not quite the same each time, lest it keep step with a loop of the program.
        self.steps += self.random() % (self.steps / 4 + 1);
        (self.steps, changed)
    }

    /// The phase ends in the middle of a stretch, at the time `now`: what has passed belongs to it.
    pub fn end_phase(&mut self, now: u64, paused: u64, phase: usize, file: Option<&SlotFile>) {
        if let Some((start, before)) = self.stretch {
            let cycles = now.wrapping_sub(start).saturating_sub(paused.wrapping_sub(before));
            self.note_passed(cycles, phase, file);
            self.interrupted = true;
            if let Some(file) = file {
                note_clocks(file, SliceWord::LastTsc, SliceWord::LastNs);
            }
            self.begin_stretch(now, paused);
        }
    }

    /// Cycles have passed in the present slice.
    fn note_passed(&self, cycles: u64, phase: usize, file: Option<&SlotFile>) {
        if let Some(file) = file.filter(|_| !self.timed) {
            let word = SliceWord::Counted as usize + phase.min(PHASES - 1);
            file.word(word * 8).fetch_add(cycles, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// In a child that was just forked, which has a file of its own: begins anew, in the slice that it is in.
    pub fn restart(&mut self) {
        self.stretch = None;
        self.interrupted = false;
        self.sum = SliceSum::default();
        (self.pairs, self.pairs_per_sum, self.sums) = (0, 1, 0);
    }

    /// The next stretch begins.
    pub fn begin_stretch(&mut self, now: u64, paused: u64) {
        self.stretch = Some((now, paused));
    }

    fn learn(&mut self, cycles: u64, segments: (u64, u64)) {
        let kind = usize::from(self.timed);
        let step = cycles as f64 / self.steps as f64;
        let usual = self.usual[kind];
        let expected = usual * self.steps as f64;
        self.usual[kind] = if usual == 0.0 { step } else { usual + (step.min(4.0 * usual) - usual) / 16.0 };
        if usual > 0.0 && cycles as f64 > UNUSUAL * expected + STRETCH as f64 {
            return;
        }
        if self.timed {
            self.sum.timed_segments += segments.0.wrapping_sub(self.segments.0);
            self.sum.timed_cycles += segments.1.wrapping_sub(self.segments.1);
            self.sum.timed_steps += self.steps;
        } else {
            self.sum.counted_cycles += cycles;
            self.sum.counted_steps += self.steps;
        }
    }

    fn change(&mut self, file: Option<&SlotFile>) {
        self.timed = !self.timed;
        self.left = self.length();
        if !self.timed {
            return;
        }
        self.pairs += 1;
        let Some(file) = file else { return };
        let words = |sum: SliceSum| {
            [sum.timed_cycles, sum.timed_steps, sum.timed_segments, sum.counted_cycles, sum.counted_steps]
        };
        let word = |index: usize, field: usize| file.word(SUMS_OFFSET + index * SUM_SIZE + field * 8);
        use std::sync::atomic::Ordering::Relaxed;
        if self.sums == MAX_SUMS && self.pairs == 1 {
            // The file is full: two sums become one.
            for index in 0..MAX_SUMS / 2 {
                for field in 0..SUM_SIZE / 8 {
                    let both =
                        word(2 * index, field).load(Relaxed) + word(2 * index + 1, field).load(Relaxed);
                    word(index, field).store(both, Relaxed);
                }
            }
            self.sums = MAX_SUMS / 2;
            self.pairs_per_sum *= 2;
        }
        for (field, value) in words(self.sum).into_iter().enumerate() {
            word(self.sums, field).store(value, Relaxed);
        }
        file.word(SliceWord::Sums as usize * 8).store(self.sums as u64 + 1, Relaxed);
        file.word(SliceWord::PairsPerSum as usize * 8).store(self.pairs_per_sum, Relaxed);
        file.word(SliceWord::Pairs as usize * 8).fetch_add(1, Relaxed);
        if self.pairs >= self.pairs_per_sum {
            self.sums += 1;
            self.pairs = 0;
            self.sum = SliceSum::default();
        }
    }

    /// A length for the present slice: half to one and a half times the mean.
    fn length(&mut self) -> i64 {
        let share = self.share.min(65536 - 65536 / CALIBRATION);
        let mean = match (self.timed, share * 2 <= 65536) {
            (true, true) => TIMED_SLICE,
            (false, true) => TIMED_SLICE * (65536 - share) / share,
            (true, false) => COUNTED_SLICE * share / (65536 - share),
            (false, false) => COUNTED_SLICE,
        };
        (mean / 2 + self.random() % mean) as i64
    }

    /// A number from Marsaglia's xorshift generator (Journal of Statistical Software 8(14), 2003).
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs slices on a program whose steps cost so many cycles, counted and timed, and gives the share of its
    /// cycles that was timed.
    fn run(share: f64, seed: u64, cost: [u64; 2], cycles: u64) -> f64 {
        let mut slices = Slices::seeded((share * 65536.0) as u64, seed);
        let (mut now, mut passed) = (0, [0; 2]);
        while now < cycles {
            let (steps, _) = slices.look(now, 0, (0, 0), 0, None);
            slices.begin_stretch(now, 0);
            let kind = usize::from(slices.timed());
            now += steps * cost[kind];
            passed[kind] += steps * cost[kind];
        }
        passed[1] as f64 / (passed[0] + passed[1]) as f64
    }

    /// Some hundred slices of each kind, half to one and a half times as long as their mean: the mean of both
    /// is known to about 2 %.
    #[test]
    fn slices_share_the_run() {
        for seed in [1, 0x1234_5678_9abc_def1, 0xfedc_ba98_7654_3211] {
            for share in [0.02, 0.25, 0.5, 0.8] {
                let timed = run(share, seed, [100, 250], 20_000_000_000);
                assert!((timed / share - 1.0).abs() < 0.15, "{share}: {timed}");
            }
            let counted = 1.0 - run(1.0, seed, [100, 250], 3_000_000_000);
            assert!((0.04..0.1).contains(&counted), "{counted}");
        }
    }

    #[test]
    fn what_is_unusual_is_left_out() {
        let mut slices = Slices::seeded(65536 / 2, 0x1234_5678_9abc_def1);
        let (mut now, mut looks) = (0, 0);
        while slices.timed() {
            let (steps, _) = slices.look(now, 0, (now / 100, now), 0, None);
            slices.begin_stretch(now, 0);
            looks += 1;
            now += steps * 100 + if looks == 5 { 300_000_000 } else { 0 };
        }
        assert!(slices.sum.timed_cycles <= slices.sum.timed_steps * 100, "{slices:?}");
        assert!(slices.sum.timed_steps > 0);
    }
}
