/// Columns are told apart where the sine of the angle between them is greater than this: where one can't be made of the
/// other to within 2 %.
const TOLERANCE: f64 = 0.02;

/// Groups columns that can't be told apart: each is a multiple of the first of its group, within the tolerance. Gives
/// the places of the columns of each group; groups and columns in the order in which they came.
pub(crate) fn alike(columns: &[Vec<f64>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        match groups.iter_mut().find(|group| sine(&columns[group[0]], column) <= TOLERANCE) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// The sine of the angle between two columns; 1 where one is 0.
fn sine(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (of_a, of_b) = (product(a, a), product(b, b));
    if of_a == 0.0 || of_b == 0.0 {
        return 1.0;
    }
    // What is left of b when its part along a is taken off: exact also for small angles.
    let along = product(a, b) / of_a;
    let rest: f64 = a.iter().zip(b).map(|(a, b)| (b - along * a).powi(2)).sum();
    (rest / of_b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_alike_and_others_are_not() {
        let columns = [
            vec![1.0, 2.0, 3.0],
            vec![0.0, 1.0, 0.0],
            vec![2.0, 4.01, 6.0],
            vec![1.0, 2.0, 3.3],
            vec![0.0; 3],
        ];
        assert_eq!(alike(&columns), [vec![0, 2], vec![1], vec![3], vec![4]]);
        assert!((sine(&[1.0, 0.0], &[1.0, 0.001]) - 0.001).abs() < 1e-6);
    }
}
