/// The median; none of nothing.
pub(crate) fn median(values: Vec<f64>) -> Option<f64> {
    quantile(values, 0.5)
}

/// A quantile, from 0 to 1, between two values where it lies between them (Hyndman and Fan's definition 7, The American
/// Statistician 50, 1996); none of nothing.
pub(crate) fn quantile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = part * values.len().checked_sub(1)? as f64;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![1.0, 2.0]), Some(1.5));
        assert_eq!(quantile(vec![0.0, 10.0], 0.9), Some(9.0));
        assert_eq!(quantile(vec![5.0], 0.9), Some(5.0));
        assert_eq!(median(vec![]), None);
    }
}
