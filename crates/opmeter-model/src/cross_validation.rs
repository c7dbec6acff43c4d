use std::num::NonZero;
use std::thread;

use opmeter_analysis::at_once;

use crate::cost_fit::{CostFit, Setting};
use crate::design::Design;

/// Folds that a setting is chosen with, at most.
const FOLDS: usize = 6;

/// The least part of what was measured that a prediction is taken to be, where errors are added up.
const LEAST: f64 = 1e-3;

/// Where held-out templates are predicted to this part on the mean, costs explain what programs take, so that those that
/// lie far from all others are let be found. Elsewhere these would take what is not theirs, such as the time of C code.
const EXPLAINED: f64 = 0.1;

/// Rows that are held out together: those of one key, a fold for each key, in the order in which keys come; where there
/// are more keys than `most`, several to a fold, dealt in turn.
pub(crate) fn folds(keys: &[&str], most: usize) -> Vec<Vec<usize>> {
    let mut known: Vec<&str> = Vec::new();
    let mut folds: Vec<Vec<usize>> = Vec::new();
    for (row, key) in keys.iter().enumerate() {
        let place = known.iter().position(|other| other == key).unwrap_or_else(|| {
            known.push(key);
            known.len() - 1
        });
        let fold = place % most;
        if folds.len() <= fold {
            folds.resize(fold + 1, Vec::new());
        }
        folds[fold].push(row);
    }
    folds
}

/// The rows that a fold leaves.
fn rest(rows: usize, fold: &[usize]) -> Vec<usize> {
    (0..rows).filter(|row| !fold.contains(row)).collect()
}

/// What is predicted of each row by what `fit` makes of the rows of the other folds. As many folds at the same time as
/// there are processors.
pub(crate) fn held_out<F: Fn(usize) -> f64>(
    design: &Design,
    folds: &[Vec<usize>],
    fit: impl Fn(&Design, &[usize]) -> F + Sync,
) -> Vec<f64> {
    let predictions = |fold: &[usize]| -> Vec<f64> {
        let rows = rest(design.len(), fold);
        let predict = fit(&design.select(&rows), &rows);
        fold.iter().map(|&row| predict(row)).collect()
    };
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let each = folds.len().div_ceil(processors).max(1);
    let parts: Vec<&[Vec<usize>]> = folds.chunks(each).collect();
    let parts: Vec<Vec<Vec<f64>>> =
        at_once(parts.len(), |part| parts[part].iter().map(|fold| predictions(fold)).collect());
    let mut predicted = vec![f64::NAN; design.len()];
    for (fold, values) in folds.iter().zip(parts.into_iter().flatten()) {
        fold.iter().zip(values).for_each(|(&row, value)| predicted[row] = value);
    }
    predicted
}

/// The setting whose predictions of held-out templates are the best: the mean of the logarithms of their errors, in
/// either direction, is the least.
pub(crate) fn choose(design: &Design, templates: &[&str]) -> Setting {
    let folds = folds(templates, FOLDS);
    let error = |setting: Setting| {
        let predicted = held_out(design, &folds, |train, _| {
            let fit = CostFit::new(train, setting);
            move |row| fit.predict(design, row)
        });
        let errors = predicted
            .iter()
            .zip(&design.response)
            .map(|(predicted, measured)| (predicted / measured).max(LEAST).ln().abs());
        errors.sum::<f64>()
    };
    let tried = Setting::all().map(|setting| (setting, error(setting)));
    let best = tried.min_by(|a, b| a.1.total_cmp(&b.1));
    let usual = Setting { ridge: 1.0, intercept: true, loosened: false };
    let (tight, least) = best.unwrap_or((usual, f64::INFINITY));
    Setting { loosened: least / (design.len() as f64) < EXPLAINED, ..tight }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_key_are_held_out_together() {
        assert_eq!(folds(&["a", "b", "a", "c"], 9), [vec![0, 2], vec![1], vec![3]]);
        assert_eq!(folds(&["a", "b", "a", "c"], 2), [vec![0, 2, 3], vec![1]]);
        assert_eq!(rest(4, &[0, 2]), [1, 3]);
    }
}
