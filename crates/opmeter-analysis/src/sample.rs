use statrs::distribution::{ContinuousCDF, StudentsT};

/// The part of all intervals that cover what they are of.
const CONFIDENCE: f64 = 0.95;

/// A run is an outlier from so many deviations on, by the median absolute deviation: Iglewicz and Hoaglin's modified
/// Z-score (How to Detect and Handle Outliers, 1993, who propose 3.5) with room for the skewed distributions that
/// run times have.
const OUTLYING: f64 = 7.0;

/// What a standard deviation is of the median absolute deviation, for normally distributed values.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// A deviation that is a smaller part of the median than this makes no outliers.
const LEAST_DEVIATION: f64 = 0.005;

/// What runs measured of one thing, and what follows from that.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
}

impl Sample {
    /// A sample of these values, in the order in which they were taken; none where there are none.
    pub fn new(values: Vec<f64>) -> Option<Self> {
        (!values.is_empty()).then_some(Self { values })
    }

    /// The values, in the order in which they were taken.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many values there are.
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// The least value.
    pub fn min(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The standard deviation (of a sample: n - 1 degrees of freedom); none of a single value.
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean();
        let squares: f64 = self.values.iter().map(|value| (value - mean).powi(2)).sum();
        (self.count() > 1).then(|| (squares / (self.count() - 1) as f64).sqrt())
    }

    /// The half width of the 95 % confidence interval of the mean, by Student's distribution; none of a single
    /// value. `systematic` is the standard error of what is common to all values, such as an idle power that was
    /// taken off; 0 for nothing.
    pub fn half_width(&self, systematic: f64) -> Option<f64> {
        let error = self.deviation()? / (self.count() as f64).sqrt();
        let student = StudentsT::new(0.0, 1.0, (self.count() - 1) as f64).ok()?;
        Some(student.inverse_cdf((1.0 + CONFIDENCE) / 2.0) * error.hypot(systematic))
    }

    /// The places of values that lie far from most others.
    pub fn outliers(&self) -> Vec<usize> {
        let median = median(self.values.clone());
        let deviations = self.values.iter().map(|value| (value - median).abs()).collect();
        let deviation = (MAD_TO_DEVIATION * self::median(deviations)).max(LEAST_DEVIATION * median.abs());
        let outlying = |value: &f64| (value - median).abs() > OUTLYING * deviation;
        (0..self.count()).filter(|place| outlying(&self.values[*place])).collect()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    #[test]
    fn intervals_are_those_of_students_tables() {
        let five = sample(&[10.0, 12.0, 9.0, 11.0, 13.0]);
        assert_eq!((five.mean(), five.min()), (11.0, 9.0));
        let deviation = five.deviation().unwrap();
        assert!((deviation - 2.5f64.sqrt()).abs() < 1e-12);
        // t(0.975, 4) = 2.776.
        let expected = 2.776_445 * deviation / 5f64.sqrt();
        assert!((five.half_width(0.0).unwrap() - expected).abs() < 1e-5);
        assert!(five.half_width(1.0).unwrap() > 2.776 && five.half_width(1.0).unwrap() < 3.5);
    }

    #[test]
    fn one_value_has_no_deviation() {
        let one = sample(&[3.0]);
        assert_eq!((one.mean(), one.min(), one.deviation(), one.half_width(0.0)), (3.0, 3.0, None, None));
        assert!(one.outliers().is_empty() && Sample::new(vec![]).is_none());
    }

    #[test]
    fn outliers_lie_far_from_the_rest() {
        assert_eq!(sample(&[2.0, 1.0, 1.01, 0.99, 1.02, 1.0]).outliers(), [0]);
        assert!(sample(&[1.1, 1.0, 1.01, 0.99, 1.05, 1.0]).outliers().is_empty());
        // What hardly scatters has no outliers for a trifle.
        assert!(sample(&[1.0, 1.0, 1.0, 1.0, 1.02]).outliers().is_empty());
    }
}
