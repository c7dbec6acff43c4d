use similar::{Algorithm, DiffOp, capture_diff_slices};

/// What it is worth that two lines are matched whose neighbours before are.
const TOGETHER: f32 = 0.3;
/// The most pairs of lines that are weighed one by one: some megabytes, some tens of milliseconds.
const MOST_CELLS: usize = 1 << 22;

/// Pairs of places in two sequences, in the order of both, that are worth most together.
///
/// `worth` says what a pair is worth, and nothing where it must not be; pairs that follow one another in both are
/// worth a little more. There are none where the sequences are too long for that.
pub(crate) fn align(
    before: usize,
    after: usize,
    worth: impl Fn(usize, usize) -> Option<f32>,
) -> Vec<(usize, usize)> {
    if before == 0 || after == 0 || !is_short(before, after) {
        return Vec::new();
    }
    // For each cell: how its best alignment ends, and whether the pair that it may end with follows another.
    const PAIR: u8 = 0;
    const NO_BEFORE: u8 = 1;
    const NO_AFTER: u8 = 2;
    const FOLLOWS: u8 = 4;
    let width = after + 1;
    let mut steps = vec![NO_BEFORE; (before + 1) * width];
    let mut best = vec![0.0_f32; width];
    let mut paired = vec![f32::NEG_INFINITY; width];
    for i in 1..=before {
        let (mut best_diagonal, mut paired_diagonal) = (best[0], paired[0]);
        paired[0] = f32::NEG_INFINITY;
        steps[i * width] = NO_BEFORE;
        for j in 1..=after {
            let (best_above, paired_above) = (best[j], paired[j]);
            let mut step = 0;
            let pair = worth(i - 1, j - 1).map_or(f32::NEG_INFINITY, |worth| {
                let together = paired_diagonal + TOGETHER;
                if together > best_diagonal {
                    step |= FOLLOWS;
                }
                worth + best_diagonal.max(together)
            });
            let (most, end) =
                if best_above >= best[j - 1] { (best_above, NO_BEFORE) } else { (best[j - 1], NO_AFTER) };
            let end = if pair >= most { PAIR } else { end };
            steps[i * width + j] = step | end;
            best[j] = most.max(pair);
            paired[j] = pair;
            (best_diagonal, paired_diagonal) = (best_above, paired_above);
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j, mut must_pair) = (before, after, false);
    while i > 0 && j > 0 {
        let step = steps[i * width + j];
        if must_pair || step & 3 == PAIR {
            pairs.push((i - 1, j - 1));
            must_pair = step & FOLLOWS != 0;
            (i, j) = (i - 1, j - 1);
        } else if step & 3 == NO_BEFORE {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    pairs.reverse();
    pairs
}

/// Pairs of places that hold the same in two sequences, in the order of both: worth most together where the sequences
/// are short enough to find that out, or those that hold what is nowhere else, and what follows from these.
pub(crate) fn align_same(
    before: &[u32],
    after: &[u32],
    worth: impl Fn(usize, usize) -> f32,
) -> Vec<(usize, usize)> {
    let same = |i: usize, j: usize| before[i] == after[j];
    let start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let rest = before.len().min(after.len()) - start;
    let end = (0..rest).take_while(|end| same(before.len() - 1 - end, after.len() - 1 - end)).count();
    // Of what a repeated line was added next to, its neighbours tell: they are looked at as well.
    let (start_kept, end_kept) = (start.saturating_sub(KEPT), end.saturating_sub(KEPT));
    let (middle_before, middle_after) =
        (&before[start_kept..before.len() - end_kept], &after[start_kept..after.len() - end_kept]);
    let mut pairs: Vec<(usize, usize)> = (0..start_kept).map(|place| (place, place)).collect();
    let middle = if is_short(middle_before.len(), middle_after.len()) {
        align(middle_before.len(), middle_after.len(), |i, j| {
            let (i, j) = (i + start_kept, j + start_kept);
            same(i, j).then(|| worth(i, j))
        })
    } else {
        patience(middle_before, middle_after)
    };
    pairs.extend(middle.into_iter().map(|(i, j)| (i + start_kept, j + start_kept)));
    pairs.extend((0..end_kept).rev().map(|end| (before.len() - 1 - end, after.len() - 1 - end)));
    pairs
}

/// So many lines of what is the same at both ends are weighed with the rest.
const KEPT: usize = 50;

fn is_short(before: usize, after: usize) -> bool {
    before.saturating_mul(after) <= MOST_CELLS
}

fn patience(before: &[u32], after: &[u32]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for step in capture_diff_slices(Algorithm::Patience, before, after) {
        if let DiffOp::Equal { old_index, new_index, len } = step {
            pairs.extend((0..len).map(|place| (old_index + place, new_index + place)));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(before: &str, after: &str) -> Vec<(usize, usize)> {
        let keys = |text: &str| text.bytes().map(u32::from).collect::<Vec<u32>>();
        align_same(&keys(before), &keys(after), |_, _| 1.0)
    }

    #[test]
    fn what_is_the_same_is_matched_in_order() {
        assert_eq!(same("abc", "abc"), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(same("abc", "axc"), [(0, 0), (2, 2)]);
        assert_eq!(same("abc", ""), []);
        assert_eq!(same("", ""), []);
        assert_eq!(same("abcd", "dabc"), [(0, 1), (1, 2), (2, 3)]);
    }

    #[test]
    fn repetitions_stay_together_with_their_neighbours() {
        // `x` stands twice: it is the one between b and c.
        assert_eq!(same("bxc", "axbxc"), [(0, 2), (1, 3), (2, 4)]);
        assert_eq!(same("axbxc", "bxc"), [(2, 0), (3, 1), (4, 2)]);
        assert_eq!(same("axb", "axbxb"), [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn worth_decides_between_alternatives() {
        let worth = |i: usize, j: usize| (i.abs_diff(j) == 1).then_some(if i > j { 1.0 } else { 1.1 });
        assert_eq!(align(2, 2, worth), [(0, 1)]);
        assert_eq!(align(3, 3, |i, j| (i == j).then_some(0.5)), [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn long_sequences_are_matched_by_what_is_unique() {
        let before: Vec<u32> = (0..5000).collect();
        let mut after = before.clone();
        after.remove(2500);
        after.insert(100, 9999);
        let pairs = align_same(&before, &after, |_, _| 1.0);
        assert_eq!(pairs.len(), 4999);
        assert!(pairs.iter().all(|(i, j)| before[*i] == after[*j]));
    }
}
