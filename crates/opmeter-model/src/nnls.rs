use nalgebra::{Cholesky, DMatrix, DVector};

/// A gradient that is a smaller part of the right side than this is none.
const TOLERANCE: f64 = 1e-10;

/// Solves the least-squares problem with the normal equations `gram x = right` under `x >= 0`.
///
/// The active-set method of Lawson and Hanson (Solving Least Squares Problems, 1974, chapter 23), on the normal
/// equations as Bro and de Jong do it (A fast non-negativity-constrained least squares algorithm, Journal of
/// Chemometrics 11, 1997). `start` says which variables are likely to be above 0, such as those of a similar problem's
/// solution: it changes how long it takes, not the result. `gram` has to be positive definite, as any is with a ridge.
pub(crate) fn solve(gram: &DMatrix<f64>, right: &DVector<f64>, start: &[bool]) -> DVector<f64> {
    let count = right.len();
    let mut passive: Vec<bool> = (0..count).map(|place| start.get(place).copied().unwrap_or(false)).collect();
    let mut solution = feasible(gram, right, &mut passive);
    let tolerance = TOLERANCE * right.amax().max(f64::MIN_POSITIVE);
    let mut refused = vec![false; count];
    // Each turn lowers the sum of squares, so that no set of variables comes twice; the limit is for rounding errors.
    for _ in 0..30 * count.max(1) {
        let gradient = right - gram * &solution;
        let candidates = (0..count).filter(|&place| !passive[place] && !refused[place]);
        let steepest = candidates.max_by(|&a, &b| gradient[a].total_cmp(&gradient[b]));
        let Some(entering) = steepest.filter(|&place| gradient[place] > tolerance) else { break };
        passive[entering] = true;
        let free = free_solution(gram, right, &passive);
        if free[entering] <= 0.0 {
            // Only rounding makes this of a positive gradient.
            (passive[entering], refused[entering]) = (false, true);
            continue;
        }
        refused.fill(false);
        walk(gram, right, &mut passive, &mut solution, free);
    }
    solution
}

/// A solution of some of the variables that are `passive`, all of them above 0: the others leave.
fn feasible(gram: &DMatrix<f64>, right: &DVector<f64>, passive: &mut [bool]) -> DVector<f64> {
    loop {
        let free = free_solution(gram, right, passive);
        let mut left = false;
        for (place, is_passive) in passive.iter_mut().enumerate() {
            if *is_passive && free[place] <= 0.0 {
                (*is_passive, left) = (false, true);
            }
        }
        if !left {
            return free;
        }
    }
}

/// Goes from a solution towards a `free` one that may have variables below 0, as far as none is; those that come to 0
/// leave, until the free solution of the rest has none.
fn walk(
    gram: &DMatrix<f64>,
    right: &DVector<f64>,
    passive: &mut [bool],
    solution: &mut DVector<f64>,
    mut free: DVector<f64>,
) {
    loop {
        let below: Vec<usize> =
            (0..passive.len()).filter(|&place| passive[place] && free[place] <= 0.0).collect();
        let part = |place: usize| solution[place] / (solution[place] - free[place]);
        let Some(nearest) = below.iter().copied().min_by(|&a, &b| part(a).total_cmp(&part(b))) else {
            *solution = free;
            return;
        };
        let step = part(nearest).clamp(0.0, 1.0);
        for place in 0..passive.len() {
            if passive[place] {
                solution[place] += step * (free[place] - solution[place]);
            }
        }
        for &place in &below {
            if place == nearest || solution[place] <= 0.0 {
                (passive[place], solution[place]) = (false, 0.0);
            }
        }
        free = free_solution(gram, right, passive);
    }
}

/// The solution without a constraint of the variables that are `passive`, the others being 0.
fn free_solution(gram: &DMatrix<f64>, right: &DVector<f64>, passive: &[bool]) -> DVector<f64> {
    let places: Vec<usize> = (0..passive.len()).filter(|&place| passive[place]).collect();
    let part =
        DMatrix::from_fn(places.len(), places.len(), |row, column| gram[(places[row], places[column])]);
    let wanted = DVector::from_fn(places.len(), |row, _| right[places[row]]);
    let mut solution = DVector::zeros(passive.len());
    if let Some(factors) = Cholesky::new(part) {
        let values = factors.solve(&wanted);
        places.iter().zip(values.iter()).for_each(|(&place, value)| solution[place] = *value);
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(rows: &[&[f64]], response: &[f64]) -> (DMatrix<f64>, DVector<f64>) {
        let design = DMatrix::from_fn(rows.len(), rows[0].len(), |row, column| rows[row][column]);
        let response = DVector::from_column_slice(response);
        (design.tr_mul(&design), design.tr_mul(&response))
    }

    #[test]
    fn what_needs_no_constraint_is_the_least_squares_solution() {
        let (gram, right) = problem(&[&[1.0, 0.0], &[1.0, 1.0], &[1.0, 2.0]], &[1.0, 3.0, 5.0]);
        let found = solve(&gram, &right, &[]);
        assert!((found[0] - 1.0).abs() < 1e-9 && (found[1] - 2.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn what_would_be_below_0_is_0_and_the_rest_fits_to_it() {
        let (gram, right) = problem(&[&[1.0, 0.0], &[1.0, 1.0], &[1.0, 2.0]], &[2.0, 1.0, 0.0]);
        let found = solve(&gram, &right, &[]);
        // Without the second column the best constant is the mean.
        assert!((found[0] - 1.0).abs() < 1e-9 && found[1] == 0.0, "{found}");
    }

    #[test]
    fn the_conditions_of_kuhn_and_tucker_hold_whatever_the_start() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let (rows, columns) = (random.usize(1..12), random.usize(1..10));
            let design = DMatrix::from_fn(rows, columns, |_, _| random.f64() * 2.0 - 0.5);
            let response = DVector::from_fn(rows, |_, _| random.f64() * 2.0 - 0.5);
            let gram = design.tr_mul(&design) + DMatrix::identity(columns, columns) * 1e-6;
            let right = design.tr_mul(&response);
            let start: Vec<bool> = (0..columns).map(|_| random.bool()).collect();
            let found = solve(&gram, &right, &start);
            let gradient = &right - &gram * &found;
            for place in 0..columns {
                assert!(found[place] >= 0.0 && gradient[place] < 1e-7, "{found} {gradient}");
                assert!(found[place] == 0.0 || gradient[place].abs() < 1e-7, "{found} {gradient}");
            }
        }
    }
}
