//! Whether known costs are found again in the counts of real programs:
//! `cargo bench --bench recovery -- [--repetitions N] [--seeds N] [--executed] [--python PY] FOLDER...`
//!
//! It takes the counts of the results in these folders, draws a cost for each opcode (log-normal, a median of
//! 12 nJ, a standard deviation of 0.8 of the logarithm; half a millijoule for the start), makes the programs' energy of
//! them with a noise of 3 %, and fits a model. Of each opcode with at least 1 % of the energy it prints in how many
//! repetitions the cost was found to within 10 %, and its interval covered the truth. Beside it stands what these
//! programs tell at all: the standard error that an unbiased estimate has at least (the bound of Cramér and Rao), given
//! the noise.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use nalgebra::DMatrix;
use opmeter_analysis::Terms;
use opmeter_corpus::Collection;
use opmeter_model::{Clock, Cost, Observation, Observations, Response, Wish, fit};

#[path = "median.rs"]
mod median;

use median::median;

const MEDIAN_COST: f64 = 12e-9;
const SPREAD: f64 = 0.8;
const START: f64 = 0.5e-3;
const NOISE: f64 = 0.03;
const NANO: f64 = 1e9;

/// An opcode, or several that have one cost in the model: over all repetitions.
#[derive(Default)]
struct Found {
    share: f64,
    least_error: f64,
    repetitions: usize,
    close: usize,
    covered: usize,
    errors: Vec<f64>,
}

fn main() {
    let (mut repetitions, mut seeds, mut terms, mut python) = (200, 1, Terms::Base, None);
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--repetitions" => repetitions = arguments.next().unwrap().parse().unwrap(),
            "--seeds" => seeds = arguments.next().unwrap().parse().unwrap(),
            "--executed" => terms = Terms::AsExecuted,
            "--python" => python = arguments.next(),
            _ => folders.push(argument.into()),
        }
    }
    assert!(!folders.is_empty(), "which folders of results?");
    let wish = Wish { response: Response::Time(Clock::Processor), terms, python };
    let mut observations = Observations::of(&Collection::of(&folders).unwrap(), &wish).unwrap();
    let wish = Wish { response: Response::Energy { domain: None }, ..wish };
    observations.programs.iter_mut().for_each(|program| program.nanoseconds.clear());
    println!(
        "{} programs, {repetitions} repetitions, noise {} %",
        observations.programs.len(),
        NOISE * 100.0
    );
    for seed in 0..seeds {
        recover(&observations, &wish, seed, repetitions);
    }
}

/// Draws costs by `seed`, fits models to what programs would take by them, and prints what is found again.
fn recover(observations: &Observations, wish: &Wish, seed: u64, repetitions: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut truth: BTreeMap<String, f64> = BTreeMap::new();
    for opcode in observations.programs.iter().flat_map(|program| program.counts.keys()) {
        if !truth.contains_key(opcode) {
            truth.insert(opcode.clone(), MEDIAN_COST * (SPREAD * normal(&mut random)).exp());
        }
    }
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut held_out = Vec::new();
    for _ in 0..repetitions {
        let mut drawn = observations.clone();
        for program in &mut drawn.programs {
            let joules = energy(program, &truth) * (1.0 + NOISE * normal(&mut random));
            program.response = joules;
            program.seconds = joules / 10.0;
        }
        let model = fit(&drawn, wish, "").unwrap();
        held_out.push(model.template_error.median);
        let bounds = least_errors(&model.costs, &drawn.programs, &truth);
        for (cost, bound) in model.costs.iter().zip(bounds) {
            found.entry(cost.name.clone()).or_default().least_error = bound;
            note(found.entry(cost.name.clone()).or_default(), cost, &observations.programs, &truth);
        }
    }
    let mut looked_at: Vec<(&String, &Found)> =
        found.iter().filter(|(_, found)| found.share >= 0.01).collect();
    looked_at.sort_by(|a, b| b.1.share.total_cmp(&a.1.share));
    println!(
        "\ncosts {seed}: templates held out are predicted to {:.1} %",
        100.0 * median(held_out.into_iter())
    );
    println!(
        "{:<34}{:>9}{:>14}{:>16}{:>13}{:>11}",
        "opcode", "share %", "least error %", "median error %", "within 10 %", "covered %"
    );
    let percent = |count: usize, of: usize| 100.0 * count as f64 / of as f64;
    for (name, found) in &looked_at {
        println!(
            "{name:<34}{:>9.2}{:>14.1}{:>16.1}{:>13.1}{:>11.1}",
            found.share * 100.0,
            found.least_error.min(9.999) * 100.0,
            100.0 * median(found.errors.iter().copied()),
            percent(found.close, found.repetitions),
            percent(found.covered, found.repetitions)
        );
    }
    let all = |of: fn(&Found) -> usize| looked_at.iter().map(|(_, found)| of(found)).sum::<usize>();
    let of = all(|found| found.repetitions);
    let told = looked_at.iter().filter(|(_, found)| found.least_error <= 0.05).count();
    println!("{told} of {} can be told to a standard error of 5 % by these programs", looked_at.len());
    println!(
        "{} of 1 % or more: within 10 % in {:.1} %, covered in {:.1} %",
        looked_at.len(),
        percent(all(|found| found.close), of),
        percent(all(|found| found.covered), of)
    );
}

/// What a program takes by these costs, in joules.
fn energy(program: &Observation, truth: &BTreeMap<String, f64>) -> f64 {
    START + program.counts.iter().map(|(opcode, count)| truth[opcode] * count).sum::<f64>()
}

/// The least standard errors of unbiased estimates of costs, as parts of them: infinite where the programs say nothing.
fn least_errors(costs: &[Cost], programs: &[Observation], truth: &BTreeMap<String, f64>) -> Vec<f64> {
    // A column for each cost, in parts of what a program takes: an error of a cost in parts of the cost.
    let part = |row: usize, column: usize| {
        let program = &programs[row];
        let joules = match costs.get(column) {
            Some(cost) => {
                let counted = cost.members.iter().filter_map(|name| program.counts.get_key_value(name));
                counted.map(|(opcode, count)| truth[opcode] * count).sum()
            }
            None => START,
        };
        joules / energy(program, truth)
    };
    let parts = DMatrix::from_fn(programs.len(), costs.len() + 1, part);
    let (vectors, values) = {
        let factors = parts.svd(false, true);
        (factors.v_t.unwrap(), factors.singular_values)
    };
    let least = values.max() * 1e-9;
    let variance = |column: usize| -> f64 {
        let along = |row: usize| match vectors[(row, column)].powi(2) {
            part if values[row] > least => part / values[row].powi(2),
            part if part > 1e-9 => f64::INFINITY,
            _ => 0.0,
        };
        // With fewer programs than costs, nothing is told of what the vectors leave out.
        let left_out = 1.0 - vectors.column(column).norm_squared();
        if left_out > 1e-6 { f64::INFINITY } else { (0..values.len()).map(along).sum() }
    };
    (0..costs.len()).map(|column| NOISE * variance(column).sqrt()).collect()
}

/// Compares a cost with the truth: of several opcodes with one cost, with the mean of theirs by what they are executed.
fn note(found: &mut Found, cost: &Cost, programs: &[Observation], truth: &BTreeMap<String, f64>) {
    let (mut joules, mut executions, mut share) = (0.0, 0.0, 0.0);
    for program in programs {
        let all = energy(program, truth);
        for (opcode, count) in cost.members.iter().filter_map(|name| program.counts.get_key_value(name)) {
            joules += truth[opcode] * count / all;
            executions += count / all;
            share += truth[opcode] * count / all / programs.len() as f64;
        }
    }
    let truth = joules / executions * NANO;
    let error = (cost.cost.value / truth - 1.0).abs();
    found.share = share;
    found.repetitions += 1;
    found.close += usize::from(error <= 0.1);
    found.covered += usize::from(cost.cost.low <= truth && truth <= cost.cost.high);
    found.errors.push(error);
}

/// A value of the standard normal distribution (Box and Muller).
fn normal(random: &mut fastrand::Rng) -> f64 {
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
}
