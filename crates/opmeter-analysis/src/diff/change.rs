use std::cmp::Reverse;

use crate::{Ran, TimeSum};

/// How often something ran before and after, and how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// What it ran before.
    pub before: Ran,
    /// What it ran after.
    pub after: Ran,
}

/// What became of something from one recording to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edit {
    /// It is there as it was, or only on other lines.
    Same,
    /// It is there as it was, in another order, definition or file.
    Moved,
    /// Something else stands in its place.
    Changed,
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
}

impl Edit {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Edit::Same => "same",
            Edit::Moved => "moved",
            Edit::Changed => "changed",
            Edit::Added => "added",
            Edit::Removed => "removed",
        }
    }
}

/// Something of both recordings or of one, with how often it ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed<S> {
    /// What it was before; none where it was not there.
    pub before: Option<S>,
    /// What it is after; none where it is not there any more.
    pub after: Option<S>,
    /// What became of it.
    pub edit: Edit,
    /// How often it ran.
    pub change: Change,
}

impl<S> Changed<S> {
    /// What it is after, or was before where it is not there any more.
    pub fn latest(&self) -> Option<&S> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// All that ran in one recording or the other, by what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes<S> {
    /// Those whose executions grew or shrank most first, then by what they are.
    pub rows: Vec<Changed<S>>,
}

impl<S: Ord> Changes<S> {
    /// Sorts what ran, and leaves out what did not.
    pub(crate) fn new(mut rows: Vec<Changed<S>>) -> Self {
        rows.retain(|row| row.change.before.executions + row.change.after.executions > 0);
        rows.sort_by(|one, other| {
            let rank = |row: &Changed<S>| Reverse(row.change.size());
            rank(one).cmp(&rank(other)).then_with(|| one.latest().cmp(&other.latest()))
        });
        Changes { rows }
    }
}

impl<S> Changes<S> {
    /// Those whose executions changed.
    pub fn changed(&self) -> impl Iterator<Item = &Changed<S>> {
        self.rows.iter().filter(|row| row.change.size() > 0)
    }

    /// How many ran as often as before.
    pub fn unchanged(&self) -> usize {
        self.rows.iter().filter(|row| row.change.size() == 0).count()
    }
}

impl Change {
    /// By how much executions grew; below 0 where they shrank.
    pub fn executions(&self) -> i128 {
        self.after.executions.cast_signed() - self.before.executions.cast_signed()
    }

    /// By how much executions grew or shrank.
    pub fn size(&self) -> u128 {
        self.after.executions.abs_diff(self.before.executions)
    }

    /// By how many percent executions grew; none where there were none before.
    pub fn percent(&self) -> Option<f64> {
        let before = self.before.executions;
        (before > 0).then(|| self.executions() as f64 / before as f64 * 100.0)
    }

    /// The times of both, where they are known: of what ran, some executions have to have been timed. What did not run
    /// took none.
    pub fn times(&self) -> Option<(TimeSum, TimeSum)> {
        let known = |ran: Ran| match ran.executions {
            0 => Some(TimeSum::default()),
            _ => ran.time.filter(|time| time.timed_executions > 0),
        };
        if self.before.time.is_none() && self.after.time.is_none() {
            return None;
        }
        Some((known(self.before)?, known(self.after)?))
    }

    /// By how many net cycles, estimated, it takes longer, and the standard error of that; where times were taken in
    /// both recordings.
    pub fn net_cycles(&self) -> Option<(i128, f64)> {
        let (before, after) = self.times()?;
        // The two runs were timed each by itself.
        let error = (before.cycles_net_se as f64).hypot(after.cycles_net_se as f64);
        Some((after.cycles_net.cast_signed() - before.cycles_net.cast_signed(), error))
    }

    /// Adds what else it ran.
    pub(crate) fn add(&mut self, other: Change) {
        self.before.add(other.before);
        self.after.add(other.after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: u128, after: u128) -> Change {
        let ran = |executions| Ran { executions, time: None };
        Change { before: ran(before), after: ran(after) }
    }

    #[test]
    fn changes_have_signs_and_percents() {
        assert_eq!((change(10, 4).executions(), change(10, 4).percent()), (-6, Some(-60.0)));
        assert_eq!((change(0, 4).executions(), change(0, 4).percent()), (4, None));
        assert_eq!(change(3, 3).size(), 0);
    }

    #[test]
    fn what_changed_most_comes_first_and_what_never_ran_is_left_out() {
        let row = |name: &'static str, before, after| Changed {
            before: Some(name),
            after: (after > 0).then_some(name),
            edit: Edit::Same,
            change: change(before, after),
        };
        let changes = Changes::new(vec![
            row("c", 5, 5),
            row("b", 1, 3),
            row("a", 9, 0),
            row("d", 0, 0),
            row("e", 2, 4),
        ]);
        let names: Vec<_> = changes.rows.iter().filter_map(|row| row.latest()).copied().collect();
        assert_eq!(names, ["a", "b", "e", "c"]);
        assert_eq!((changes.changed().count(), changes.unchanged()), (3, 1));
    }

    #[test]
    fn times_are_compared_where_both_were_timed() {
        let time = |cycles_net, cycles_net_se| {
            Some(TimeSum { timed_executions: 1, cycles_net, cycles_net_se, ..TimeSum::default() })
        };
        let mut change = change(1, 1);
        assert_eq!(change.net_cycles(), None);
        change.before.time = time(100, 3);
        assert_eq!(change.net_cycles(), None);
        change.after.time = time(50, 4);
        assert_eq!(change.net_cycles(), Some((-50, 5.0)));
        // Nothing is known of what was never timed.
        change.before.time = Some(TimeSum::default());
        assert_eq!(change.net_cycles(), None);
        change.before = Ran::default();
        assert_eq!(change.net_cycles(), Some((50, 4.0)));
    }
}
