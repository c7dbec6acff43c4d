use std::collections::BTreeMap;

use crate::design::Design;

/// Executions of a feature in a template's programs from which on their time says what one takes.
const ENOUGH_EXECUTIONS: f64 = 1000.0;

/// Templates whose times have to be known.
const ENOUGH_TEMPLATES: usize = 3;

/// No cost is taken to be less than this part of the mean: the time of what a combined opcode executes is that of the
/// combined opcode.
const LEAST: f64 = 0.02;

/// Costs are not taken to differ by less than this between templates, or where only one tells them, by this.
const DEVIATIONS: (f64, f64) = (0.1, 1.0);

/// What an execution of a feature takes, by the times of the metered runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MeasuredCost {
    /// Nanoseconds.
    pub(crate) nanoseconds: f64,
    /// How far it differs between templates: the standard deviation of its logarithm.
    pub(crate) deviation: f64,
}

/// What an execution of each feature takes by the times of the metered runs, in nanoseconds: the geometric mean over
/// templates, so that one that calls C code that takes long does not decide. None where too few programs have times.
pub(crate) fn measured_costs(design: &Design) -> Option<Vec<MeasuredCost>> {
    let mut templates: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in (0..design.len()).filter(|&row| design.nanoseconds.row(row).sum() > 0.0) {
        templates.entry(design.templates[row]).or_default().push(row);
    }
    if templates.len() < ENOUGH_TEMPLATES {
        return None;
    }
    let timed: Vec<usize> = templates.values().flatten().copied().collect();
    let all = |rows: &[usize], of: &dyn Fn(usize) -> f64| rows.iter().map(|&row| of(row)).sum::<f64>();
    let mean = all(&timed, &|row| design.nanoseconds.row(row).sum())
        / all(&timed, &|row| design.features.row(row).sum()).max(1.0);
    let cost = |column: usize| {
        let of_templates = templates.values().filter_map(|rows| {
            let executions = all(rows, &|row| design.features[(row, column)]);
            let nanoseconds = all(rows, &|row| design.nanoseconds[(row, column)]);
            (executions >= ENOUGH_EXECUTIONS).then(|| (nanoseconds / executions).max(LEAST * mean).ln())
        });
        let logarithms: Vec<f64> = of_templates.collect();
        let count = logarithms.len() as f64;
        if logarithms.is_empty() {
            return MeasuredCost { nanoseconds: mean, deviation: DEVIATIONS.1 };
        }
        let middle = logarithms.iter().sum::<f64>() / count;
        let squares: f64 = logarithms.iter().map(|value| (value - middle).powi(2)).sum();
        let deviation = if count < 2.0 { DEVIATIONS.1 } else { (squares / (count - 1.0)).sqrt() };
        MeasuredCost { nanoseconds: middle.exp(), deviation: deviation.max(DEVIATIONS.0) }
    };
    Some((0..design.features.ncols()).map(cost).collect())
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;

    #[test]
    fn templates_count_alike_and_what_has_no_times_gets_the_mean() {
        let features = DMatrix::from_row_slice(4, 2, &[1e6, 0.0, 1e6, 10.0, 1e9, 0.0, 1e6, 0.0]);
        let nanoseconds = DMatrix::from_row_slice(4, 2, &[2e6, 0.0, 2e6, 0.0, 16e9, 0.0, 4e6, 0.0]);
        let design = |nanoseconds| Design {
            features: features.clone(),
            nanoseconds,
            templates: vec![0, 0, 1, 2],
            executions: vec![1e6; 4],
            seconds: vec![1.0; 4],
            response: vec![1.0; 4],
        };
        let costs = measured_costs(&design(nanoseconds)).unwrap();
        assert!((costs[0].nanoseconds - 128f64.cbrt()).abs() < 1e-9, "{costs:?}");
        assert!(costs[0].deviation > 1.0 && costs[1].deviation == 1.0);
        assert!((costs[1].nanoseconds - 16.008e9 / 1.003_000_01e9).abs() < 1e-6, "{costs:?}");
        assert_eq!(measured_costs(&design(DMatrix::zeros(4, 2))), None);
    }
}
