//! Whether costs that are known are found again.

use nalgebra::DMatrix;

use crate::cost_fit::CostFit;
use crate::cost_intervals::cost_intervals;
use crate::cross_validation::{choose, folds};
use crate::design::Design;

const PROGRAMS: usize = 800;
const OPCODES: usize = 40;
const REPETITIONS: usize = 200;
const DRAWS: usize = 400;
const NOISE: f64 = 0.03;

/// A value of the standard normal distribution (Box and Muller).
fn normal(random: &mut fastrand::Rng) -> f64 {
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
}

/// Counts like those of programs: a few opcodes are most of all executions, and programs differ in which; from a million
/// to a billion executions.
fn counts(random: &mut fastrand::Rng) -> DMatrix<f64> {
    let usual: Vec<f64> = (0..OPCODES).map(|place| 1.0 / (place as f64 + 2.0)).collect();
    let mut counts = DMatrix::zeros(PROGRAMS, OPCODES);
    for row in 0..PROGRAMS {
        let parts: Vec<f64> = usual.iter().map(|usual| usual * (1.5 * normal(random)).exp()).collect();
        let all: f64 = parts.iter().sum();
        let executions = 10f64.powf(6.0 + 3.0 * random.f64());
        for (column, part) in parts.iter().enumerate() {
            counts[(row, column)] = (part / all * executions).round();
        }
    }
    counts
}

#[test]
fn known_costs_are_recovered_and_their_intervals_cover_them() {
    let mut random = fastrand::Rng::with_seed(2);
    let features = counts(&mut random);
    // From 2 to 100 nanojoules, and half a millijoule for the start.
    let truth: Vec<f64> = (0..OPCODES).map(|_| 12e-9 * (0.8 * normal(&mut random)).exp()).collect();
    let start = 0.5e-3;
    let mean = |row: usize| {
        start + truth.iter().enumerate().map(|(column, cost)| cost * features[(row, column)]).sum::<f64>()
    };
    let means: Vec<f64> = (0..PROGRAMS).map(mean).collect();
    let executions: Vec<f64> = (0..PROGRAMS).map(|row| features.row(row).sum()).collect();
    let share = |column: usize| {
        let parts = (0..PROGRAMS).map(|row| truth[column] * features[(row, column)] / means[row]);
        parts.sum::<f64>() / PROGRAMS as f64
    };
    let looked_at: Vec<usize> = (0..OPCODES).filter(|&column| share(column) >= 0.01).collect();
    assert!(looked_at.len() >= 15, "{looked_at:?}");

    let design = |random: &mut fastrand::Rng| Design {
        features: features.clone(),
        nanoseconds: DMatrix::zeros(PROGRAMS, OPCODES),
        templates: (0..PROGRAMS).collect(),
        executions: executions.clone(),
        seconds: vec![1.0; PROGRAMS],
        response: means.iter().map(|mean| mean * (1.0 + NOISE * normal(random))).collect(),
    };
    let names: Vec<String> = (0..PROGRAMS).map(|row| row.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folds = folds(&names, usize::MAX);
    let setting = choose(&design(&mut random), &names);
    let designs: Vec<Design> = (0..REPETITIONS).map(|_| design(&mut random)).collect();
    // Of each opcode: in how many repetitions its interval covers the truth, and it is found to 10 %.
    let (mut covered, mut close) = (vec![0; OPCODES], vec![0; OPCODES]);
    let repetitions = std::thread::scope(|scope| {
        let parts = designs.chunks(REPETITIONS / 2).map(|part| {
            let folds = &folds;
            let each = move |design: &Design| {
                let fit = CostFit::new(design, setting);
                let (_, intervals) = cost_intervals(&fit, &fit.drawing(), folds, PROGRAMS, DRAWS, false);
                (fit.costs, intervals)
            };
            scope.spawn(move || part.iter().map(each).collect::<Vec<_>>())
        });
        let threads: Vec<_> = parts.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (costs, intervals) in repetitions {
        for &column in &looked_at {
            let (low, high) = intervals[column];
            covered[column] += usize::from(low <= truth[column] && truth[column] <= high);
            close[column] += usize::from((costs[column] / truth[column] - 1.0).abs() <= 0.1);
        }
    }
    let mean = looked_at.iter().map(|&column| covered[column]).sum::<usize>() / looked_at.len();
    assert!(mean * 100 >= REPETITIONS * 93, "covered in {mean} on the mean");
    for column in looked_at {
        let said = format!("opcode {column}, {:.3} of all, ridge {}", share(column), setting.ridge);
        assert!(covered[column] * 10 >= REPETITIONS * 9, "covered in {}: {said}", covered[column]);
        assert!(close[column] * 100 >= REPETITIONS * 95, "close in {}: {said}", close[column]);
    }
}
