/// The places of the most numbers that increase from one to the next.
pub(crate) fn increasing(numbers: &[usize]) -> Vec<usize> {
    // For each length: the place at which the increasing numbers of that length end that end lowest.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(place);
        } else {
            ends[length] = place;
        }
    }
    let mut places: Vec<usize> =
        std::iter::successors(ends.last().copied(), |place| before[*place]).collect();
    places.reverse();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_numbers_are_kept() {
        for (numbers, expected) in [
            (vec![], vec![]),
            (vec![1, 2, 3], vec![0, 1, 2]),
            (vec![3, 1, 2], vec![1, 2]),
            (vec![5, 1, 6, 2, 7, 3], vec![1, 3, 5]),
        ] {
            assert_eq!(increasing(&numbers), expected, "{numbers:?}");
        }
        let kept = increasing(&[10, 20, 30, 5, 40, 50]);
        assert_eq!(kept, [0, 1, 2, 4, 5]);
    }
}
