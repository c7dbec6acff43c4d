use std::collections::HashMap;

use super::alignment::align;
use super::increasing::increasing;
use super::likeness::likeness_with_header;
use super::scope_pairs::{Found, ScopeAt};
use super::source::Source;

/// How alike definitions have to be that stand in the same place among others.
const ALIKE_IN_PLACE: f32 = 0.6;
/// What it tells that they ran as often.
const RAN_ALIKE: f32 = 0.25;
/// More pairs of definitions between two others than so many are not compared with each other.
const MOST_PAIRS: usize = 400;

/// Pairs definitions that got another name, and hold too little that anything else tells which they are: between others that
/// are pairs, those that are alike but for the name.
pub(crate) fn pair_in_place((before, after): (&[Source], &[Source]), found: &mut Found) {
    // From the outside in: what is inside a pair can be one.
    let mut outer: Vec<(ScopeAt, ScopeAt)> = found.pairs.iter().map(|(one, other)| (*one, *other)).collect();
    outer.sort_unstable();
    while let Some((one, other)) = outer.pop() {
        let (inner, inner_after) = (definitions_inside(before, one), definitions_inside(after, other));
        for (gap, gap_after) in gaps(&inner, &inner_after, found) {
            if gap.len() * gap_after.len() > MOST_PAIRS {
                continue;
            }
            let worth = |i: usize, j: usize| {
                let (one, other) = ((&before[gap[i].0], gap[i].1), (&after[gap_after[j].0], gap_after[j].1));
                let kind = |(source, place): (&Source, usize)| source.outline.scopes[place].kind;
                if kind(one) != kind(other) {
                    return None;
                }
                let likeness = likeness_with_header(one, other)?;
                (likeness.alike >= ALIKE_IN_PLACE).then_some(likeness.alike + RAN_ALIKE * likeness.ran_alike)
            };
            for (i, j) in align(gap.len(), gap_after.len(), worth) {
                found.add(gap[i], gap_after[j]);
                outer.push((gap[i], gap_after[j]));
            }
        }
    }
}

/// The definitions right inside another, in the order of the source.
fn definitions_inside(sources: &[Source], (file, place): ScopeAt) -> Vec<ScopeAt> {
    let scopes = sources[file].outline.scopes.iter().enumerate().skip(place + 1);
    let within = scopes.take_while(|(_, scope)| scope.parent >= place);
    within.filter(|(_, scope)| scope.parent == place).map(|(inner, _)| (file, inner)).collect()
}

/// Definitions before and after that are in no pair, between pairs that keep their order.
fn gaps(before: &[ScopeAt], after: &[ScopeAt], found: &Found) -> Vec<(Vec<ScopeAt>, Vec<ScopeAt>)> {
    let places: HashMap<ScopeAt, usize> = after.iter().enumerate().map(|(place, at)| (*at, place)).collect();
    let pairs = before.iter().enumerate();
    let pairs: Vec<(usize, usize)> =
        pairs.filter_map(|(place, at)| Some((place, *places.get(found.pairs.get(at)?)?))).collect();
    let kept = increasing(&pairs.iter().map(|(_, after)| *after).collect::<Vec<usize>>());
    let ends = kept.into_iter().map(|place| pairs[place]).chain([(before.len(), after.len())]);
    let mut gaps = Vec::new();
    let (mut from, mut from_after) = (0, 0);
    for (i, j) in ends {
        let gap = before[from..i].iter().filter(|at| !found.pairs.contains_key(at)).copied();
        let gap_after = after[from_after..j].iter().filter(|at| !found.taken.contains(at)).copied();
        gaps.push((gap.collect::<Vec<_>>(), gap_after.collect::<Vec<_>>()));
        (from, from_after) = (i + 1, j + 1);
    }
    gaps.retain(|(gap, gap_after)| !gap.is_empty() && !gap_after.is_empty());
    gaps
}
