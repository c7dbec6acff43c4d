use crate::bootstrap::{Interval, intervals};
use crate::cost_fit::CostFit;
use crate::relative_fit::Drawing;

/// 95 % of a normal distribution lie within so many standard deviations.
const NORMAL_95: f64 = 1.96;

/// The intervals of the intercept and of the costs.
///
/// What draws of programs tell is the scatter of a cost that is pulled; not by how much the pull may be wrong, which is
/// added. And where templates are few, their draws tell too little of what differs between them: an interval is not
/// taken to be narrower than it would be if programs erred each by itself.
pub(crate) fn cost_intervals(
    fit: &CostFit,
    drawing: &Drawing,
    folds: &[Vec<usize>],
    rows: usize,
    draws: usize,
) -> (Interval, Vec<Interval>) {
    let (of_intercept, of_costs) = intervals(fit, drawing, folds, rows, draws);
    let widened = |(column, (low, high)): (usize, Interval)| {
        let (cost, centre) = (fit.costs[column], fit.centres[column]);
        let scatter = NORMAL_95 * drawing.scatters[column] * centre;
        let pull = NORMAL_95 * drawing.pulls[column] * centre;
        let half = |drawn: f64| drawn.max(scatter).hypot(pull);
        ((cost - half(cost - low)).max(0.0), cost + half(high - cost))
    };
    (of_intercept, of_costs.into_iter().enumerate().map(widened).collect())
}
