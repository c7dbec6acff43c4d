use crate::bootstrap::{Interval, intervals};
use crate::cost_fit::CostFit;
use crate::relative_fit::Drawing;

/// 95 % of a normal distribution lie within so many standard deviations.
const NORMAL_95: f64 = 1.96;

/// The intervals of the intercept and of the costs.
///
/// What draws of programs tell is the scatter of a cost that is pulled; not by how much the pull may be wrong, which is
/// added. And where templates are few, their draws tell too little of what differs between them: an interval is not
/// taken to be narrower than it would be if programs erred each by itself. What a cost is pulled to is an assumption,
/// unless it `is_known` to have been measured: an interval holds all that is possible without it.
pub(crate) fn cost_intervals(
    fit: &CostFit,
    drawing: &Drawing,
    folds: &[Vec<usize>],
    rows: usize,
    draws: usize,
    is_known: bool,
) -> (Interval, Vec<Interval>) {
    let (of_intercept, of_costs) = intervals(fit, drawing, folds, rows, draws);
    let possible = (!is_known).then(|| fit.possible_ranges(drawing.variance, NORMAL_95.powi(2)));
    let widened = |(column, (low, high)): (usize, Interval)| {
        let (cost, centre) = (fit.costs[column], fit.centres[column]);
        let scatter = NORMAL_95 * drawing.scatters[column] * centre;
        let pull = NORMAL_95 * drawing.pulls[column] * centre;
        let half = |drawn: f64| drawn.max(scatter).hypot(pull);
        let (low, high) = ((cost - half(cost - low)).max(0.0), cost + half(high - cost));
        let (least, most) = possible.as_ref().map_or((low, high), |possible| possible[column]);
        (low.min(least), high.max(most))
    };
    (of_intercept, of_costs.into_iter().enumerate().map(widened).collect())
}
