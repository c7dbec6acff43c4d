use std::collections::HashMap;

use super::matching::{LineAt, Matching};
use super::source::Source;

/// Pairs blocks of lines that hold the same and stand elsewhere, among lines that are in no pair.
///
/// A block begins with a line, or two in a row, that stand once before and once after, and goes on as long as the lines
/// around hold the same. It has to have `least` lines that say something. The longest blocks come first.
pub(crate) fn pair_moved(
    (before, after): (&[Source], &[Source]),
    (from, to): (Vec<LineAt>, Vec<LineAt>),
    least: usize,
    matching: &mut Matching,
) {
    let (mut from, mut to) = (from, to);
    loop {
        from.retain(|(file, line)| matching.to_after[*file][*line].is_none());
        to.retain(|(file, line)| matching.to_before[*file][*line].is_none());
        if from.is_empty() || to.is_empty() {
            return;
        }
        let mut blocks: Vec<Vec<(LineAt, LineAt)>> = Vec::new();
        for (one, other) in seeds(before, &from, after, &to) {
            // What the block before has reached, its own seeds would only find again.
            if blocks.last().is_some_and(|block| block.contains(&(one, other))) {
                continue;
            }
            let block = block((before, after), (one, other), matching);
            let telling = block.iter().filter(|((file, line), _)| before[*file].lines[*line].is_telling());
            if telling.count() >= least {
                blocks.push(block);
            }
        }
        blocks.sort_by_key(|block| std::cmp::Reverse(block.len()));
        let mut has_paired = false;
        for block in blocks {
            if block.iter().all(|(one, other)| matching.is_free(*one, *other)) {
                block.into_iter().for_each(|(one, other)| matching.pair(one, other));
                has_paired = true;
            }
        }
        if !has_paired {
            return;
        }
    }
}

/// What a block may begin with: a line's key, or two of lines in a row.
type SeedKey = (u32, Option<u32>);

/// Lines that stand once in each, by themselves or with the next.
fn seeds(before: &[Source], from: &[LineAt], after: &[Source], to: &[LineAt]) -> Vec<(LineAt, LineAt)> {
    let once = |sources: &[Source], lines: &[LineAt]| -> HashMap<SeedKey, Option<LineAt>> {
        let mut found: HashMap<SeedKey, Option<LineAt>> = HashMap::new();
        for &(file, line) in lines {
            let this = &sources[file].lines[line];
            if !this.is_telling() {
                continue;
            }
            let next = next_line(&sources[file], line, 1).map(|next| sources[file].lines[next].key);
            for key in [Some((this.key, None)), next.map(|next| (this.key, Some(next)))].into_iter().flatten()
            {
                found.entry(key).and_modify(|place| *place = None).or_insert(Some((file, line)));
            }
        }
        found
    };
    let (one, other) = (once(before, from), once(after, to));
    let both = one.iter().filter_map(|(key, place)| Some(((*place)?, (*other.get(key)?)?)));
    let mut seeds: Vec<(LineAt, LineAt)> = both.collect();
    seeds.sort();
    seeds.dedup();
    seeds
}

/// The lines around two that hold the same, as far as they do and are in no pair, blank lines and comments aside.
fn block(
    (before, after): (&[Source], &[Source]),
    (one, other): (LineAt, LineAt),
    matching: &Matching,
) -> Vec<(LineAt, LineAt)> {
    let (source, target) = (&before[one.0], &after[other.0]);
    let mut block = vec![(one, other)];
    for step in [1, -1] {
        let (mut i, mut j) = (one.1, other.1);
        while let (Some(next), Some(with)) = (next_line(source, i, step), next_line(target, j, step)) {
            let pair = ((one.0, next), (other.0, with));
            if source.lines[next].key != target.lines[with].key || !matching.is_free(pair.0, pair.1) {
                break;
            }
            block.push(pair);
            (i, j) = (next, with);
        }
    }
    block.sort();
    block
}

/// The next line, up or down, that is not blank and has more than a comment.
fn next_line(source: &Source, line: usize, step: isize) -> Option<usize> {
    let mut next = line.checked_add_signed(step)?;
    while source.lines.get(next)?.is_idle {
        next = next.checked_add_signed(step)?;
    }
    Some(next)
}
