//! The search against simulated programs: no time passes, and every run of the tests is the same.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::convert::Infallible;

use opmeter_synthesis::{HIGHEST, LowerEnd, Outcome, Range, Runs, UpperEnd, search};

/// The target, in seconds; runs are ended after half as much again.
const TARGET: f64 = 1.0;
const LIMIT: f64 = 1.5;

/// What an interpreter takes to start, in seconds.
const START: f64 = 0.02;

/// A program that takes a known time, or fails.
struct Simulated<F> {
    cost: F,
    /// How much slower noise may make a run, as a part; one run in twenty is four times as late as that.
    noise: f64,
    state: u64,
}

impl<F: Fn(u64) -> Result<f64, String>> Runs for Simulated<F> {
    type Error = Infallible;

    fn run(&mut self, n: u64) -> Result<Outcome, Infallible> {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let uniform = (self.state >> 33) as f64 / (1u64 << 31) as f64;
        let late = if uniform > 0.95 { 4.0 } else { uniform };
        Ok(match (self.cost)(n) {
            Err(error) => Outcome::Failed(error),
            Ok(seconds) => match (START + seconds) * (1.0 + self.noise * late) {
                seconds if seconds > LIMIT => Outcome::TooLong(LIMIT),
                seconds => Outcome::Took(seconds),
            },
        })
    }
}

fn searched(noise: f64, seed: u64, cost: impl Fn(u64) -> Result<f64, String>) -> Range {
    search(&mut Simulated { cost, noise, state: seed }, TARGET).unwrap()
}

fn failure(n: u64) -> Result<f64, String> {
    Err(format!("ValueError: {n}"))
}

/// Costs by n, in seconds, and whether they are so steep that there is no n near the target.
type Cost = (&'static str, fn(f64) -> f64, bool);
const COSTS: [Cost; 6] = [
    ("n", |n| 3e-5 * n, false),
    ("n log n", |n| 2e-6 * n * (n + 1.0).log2(), false),
    ("n²", |n| 4e-7 * n * n, false),
    ("n³", |n| 3e-7 * n * n * n, false),
    ("√n", |n| 1e-3 * n.sqrt(), false),
    ("2ⁿ", |n| 1e-7 * 2f64.powf(n), true),
];

#[test]
fn the_largest_is_within_a_tenth_of_the_target_whatever_the_growth_and_noise() {
    for (name, cost, steep) in COSTS {
        for noise in [0.0, 0.02, 0.05] {
            for seed in 0..20 {
                let range = searched(noise, seed, |n| Ok(cost(n as f64)));
                assert_eq!(range.upper, UpperEnd::ReachedTarget, "{name}, {noise}, {seed}");
                assert_eq!((range.smallest, &range.lower), (Some(1), &LowerEnd::RunsAtOne));
                let largest = range.largest.unwrap();
                // What a run takes that noise does not disturb much.
                let part = |n: u64| (START + cost(n as f64)) * (1.0 + noise / 2.0) / TARGET;
                let found = part(largest);
                assert!(found < 1.05, "{name}, noise {noise}, seed {seed}: n = {largest}, {found}");
                if steep {
                    let next = part(largest + 1);
                    assert!(next > 0.98, "{name}, noise {noise}, seed {seed}: n = {largest}, {next}");
                } else {
                    assert!(found > 0.9, "{name}, noise {noise}, seed {seed}: n = {largest}, {found}");
                }
                assert!(range.is_found());
                assert!(range.monotone, "{name}, {noise}, {seed}: {:?}", range.notes);
                assert!(range.probes.len() < 90, "{name}: {} runs", range.probes.len());
            }
        }
    }
}

#[test]
fn without_noise_neighbours_of_a_steep_cost_are_told_apart_exactly() {
    let range = searched(0.0, 0, |n| Ok(1e-7 * 2f64.powi(n as i32)));
    assert_eq!((range.largest, range.over.unwrap().n), (Some(23), 24));
}

#[test]
fn the_smallest_that_runs_is_found() {
    for least in [2, 3, 5, 17, 100, 1000, 4097] {
        let range = searched(0.02, least, |n| if n < least { failure(n) } else { Ok(3e-5 * n as f64) });
        assert_eq!(range.smallest, Some(least));
        let error = format!("ValueError: {}", least - 1);
        assert_eq!(range.lower, LowerEnd::FailsBelow { n: least - 1, error });
        assert!(range.is_found() && range.monotone);
    }
}

#[test]
fn the_largest_that_does_not_fail_is_found() {
    for most in [1, 2, 3, 10, 993, 1000, 20_000] {
        let range = searched(0.02, most, |n| if n > most { failure(n) } else { Ok(3e-5 * n as f64) });
        assert_eq!((range.smallest, range.largest), (Some(1), Some(most)));
        let error = format!("ValueError: {}", most + 1);
        assert_eq!(range.upper, UpperEnd::FailsAbove { n: most + 1, error });
        assert!(range.is_found() && range.monotone, "{:?}", range.notes);
    }
}

#[test]
fn a_range_of_few_sizes_between_powers_of_two_is_found() {
    let range = searched(0.0, 0, |n| if (5..=7).contains(&n) { Ok(0.1) } else { failure(n) });
    assert_eq!((range.smallest, range.largest), (Some(5), Some(7)));
}

#[test]
fn what_fails_at_every_size_is_told_with_its_error() {
    let range = searched(0.0, 0, failure);
    let LowerEnd::FailsEverywhere { highest, error } = &range.lower else { panic!("{:?}", range.lower) };
    assert_eq!((*highest, &**error), (1 << 20, "ValueError: 1"));
    assert_eq!((range.smallest, range.largest), (None, None));
    assert!(!range.is_found());
    assert!(range.probes.len() < 100);
}

#[test]
fn what_never_gets_slow_is_told() {
    for cost in [|_| 0.01, |n| 0.005 * f64::log2(n)] {
        let range = searched(0.3, 1, |n| Ok(cost(n as f64)));
        assert_eq!((range.upper.clone(), range.largest), (UpperEnd::NeverSlow, Some(HIGHEST)));
        assert!(!range.is_found());
        assert!(range.probes.len() < 100);
    }
}

#[test]
fn what_is_too_slow_from_the_beginning_is_told() {
    for seconds in [1.1, 60.0] {
        let range = searched(0.0, 0, |_| Ok(seconds));
        assert_eq!((range.smallest, range.largest, range.upper.clone()), (Some(1), None, UpperEnd::TooSlow));
        assert!(!range.is_found());
    }
}

#[test]
fn times_that_fall_as_n_grows_are_noticed() {
    let odd_is_fast = |n: u64| Ok(3e-5 * n as f64 * if n % 2 == 1 { 0.5 } else { 1.0 });
    let zigzag = |n: u64| Ok(0.2 + 0.15 * ((n as f64).log2() * 2.1).sin() + n as f64 * 1e-6);
    let falls_above = |n: u64| Ok(if n > 50_000 { 0.1 } else { 3e-5 * n as f64 });
    let costs: [&dyn Fn(u64) -> Result<f64, String>; 3] = [&odd_is_fast, &zigzag, &falls_above];
    for (place, cost) in costs.iter().enumerate() {
        for seed in 0..10 {
            let range = searched(0.03, seed, cost);
            assert!(!range.monotone, "cost {place}, seed {seed}");
            assert!(range.notes[0].contains("not monotone"), "{:?}", range.notes);
        }
    }
}

#[test]
fn a_machine_that_is_busy_now_and_then_does_not_make_times_fall() {
    for (phase, slower) in [(3, 1.6), (10, 1.6), (10, 3.0), (25, 2.0)] {
        for seed in 0..20 {
            let runs = Cell::new(seed);
            let busy = |n: u64| {
                runs.set(runs.get() + 1);
                let factor = if runs.get() / phase % 2 == 0 { 1.0 } else { slower };
                Ok((START + 3e-5 * n as f64) * factor - START)
            };
            let range = searched(0.02, seed, busy);
            // Where it is too uneven, that is told.
            assert!(range.is_found() || range.upper == UpperEnd::Undecided, "{phase}, {slower}, {seed}");
            assert!(range.probes.len() < 280, "{}", range.probes.len());
            assert!(range.monotone, "{phase}, {slower}, {seed}: {:?}", range.notes);
        }
    }
}

#[test]
fn single_sizes_that_fail_are_passed_over_and_told() {
    let range = searched(0.02, 3, |n| if n % 2 == 0 { failure(n) } else { Ok(3e-5 * n as f64) });
    assert_eq!((range.smallest, range.upper.clone()), (Some(1), UpperEnd::ReachedTarget));
    let largest = range.largest.unwrap();
    assert!(largest % 2 == 1 && largest > 28_000, "{largest}");
    assert!(!range.monotone && range.notes.iter().any(|note| note.contains("fail")), "{:?}", range.notes);
}

#[test]
fn one_failure_of_a_size_that_runs_is_not_its_end() {
    struct FailsOnce(Vec<u64>);
    impl Runs for FailsOnce {
        type Error = Infallible;
        fn run(&mut self, n: u64) -> Result<Outcome, Infallible> {
            if (n == 64 || n == 65 || n == 129) && !self.0.contains(&n) {
                self.0.push(n);
                return Ok(Outcome::Failed("no luck".to_owned()));
            }
            Ok(Outcome::Took(START + 1e-3 * n as f64))
        }
    }
    let range = search(&mut FailsOnce(Vec::new()), TARGET).unwrap();
    let largest = range.largest.unwrap();
    assert!((880..=980).contains(&largest), "{largest}");
    assert_eq!(range.upper, UpperEnd::ReachedTarget);
    assert!(range.notes.iter().any(|note| note.contains("now and then")), "{:?}", range.notes);
}

#[test]
fn what_ends_a_run_for_good_ends_the_search() {
    struct Broken;
    impl Runs for Broken {
        type Error = &'static str;
        fn run(&mut self, n: u64) -> Result<Outcome, &'static str> {
            if n > 4 { Err("gone") } else { Ok(Outcome::Took(0.1)) }
        }
    }
    assert_eq!(search(&mut Broken, TARGET), Err("gone"));
}

#[test]
fn noise_beyond_all_bounds_comes_to_an_end() {
    for seed in 0..20 {
        let range = searched(1.0, seed, |n| Ok(1e-3 * n as f64));
        assert!(range.largest.is_some());
        assert!(range.probes.len() < 400, "{}", range.probes.len());
    }
}
