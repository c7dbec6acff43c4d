/// How sizes lie over a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Each is about the same multiple of the one before.
    Logarithmic,
    /// Each is about as much above the one before.
    Linear,
}

/// At most `count` distinct sizes from `smallest` to `largest` in ascending order, both included: as many as
/// the range holds, if that is fewer. A `count` below 2 counts as 2; `smallest` is 1 or more.
pub fn sizes(smallest: u64, largest: u64, count: usize, spacing: Spacing) -> Vec<u64> {
    let held = largest.saturating_sub(smallest).saturating_add(1);
    let count = held.min(count.max(2) as u64);
    let mut sizes = Vec::with_capacity(count as usize);
    sizes.push(smallest);
    for left in (1..count).rev() {
        let before = sizes[sizes.len() - 1];
        let next = match spacing {
            Spacing::Linear => before + ((largest - before) as f64 / left as f64).round() as u64,
            // Where sizes are small, they lie closer than whole numbers do: the multiple is that of the rest.
            Spacing::Logarithmic => {
                let multiple = (largest as f64 / before as f64).powf(1.0 / left as f64);
                (before as f64 * multiple).round() as u64
            }
        };
        // The last is the border itself, and those to come have room.
        sizes.push(if left == 1 { largest } else { next.clamp(before + 1, largest - (left - 1)) });
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use Spacing::{Linear, Logarithmic};

    #[test]
    fn sizes_are_spaced_as_asked() {
        assert_eq!(sizes(1, 1000, 4, Logarithmic), [1, 10, 100, 1000]);
        assert_eq!(sizes(10, 40, 4, Linear), [10, 20, 30, 40]);
    }

    #[test]
    fn small_sizes_are_distinct_and_the_borders_are_there() {
        assert_eq!(sizes(1, 16, 8, Logarithmic), [1, 2, 3, 4, 6, 8, 11, 16]);
        assert_eq!(sizes(3, 7, 20, Logarithmic), [3, 4, 5, 6, 7]);
        assert_eq!(sizes(3, 7, 20, Linear), [3, 4, 5, 6, 7]);
        assert_eq!(sizes(5, 5, 20, Linear), [5]);
        for spacing in [Linear, Logarithmic] {
            for largest in [2, 3, 19, 20, 21, 500, 123_456, 1 << 40] {
                let sizes = sizes(1, largest, 20, spacing);
                assert_eq!(sizes.len() as u64, largest.min(20));
                assert_eq!((sizes[0], sizes[sizes.len() - 1]), (1, largest));
                assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]), "{sizes:?}");
            }
        }
    }
}
