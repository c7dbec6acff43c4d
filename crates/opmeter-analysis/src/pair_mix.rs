use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use opmeter_recording::PairRow;

use crate::{RowFilter, Terms, Totals};

/// Two opcodes, one right after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct PairEntry {
    /// The first opcode.
    pub first: Arc<str>,
    /// The opcode that followed it.
    pub second: Arc<str>,
    /// How often they ran in this order; never 0.
    pub executions: u128,
    /// Their part of all pairs that are taken, above 0 and up to 1.
    pub share: f64,
    /// The part of this pair and all before it, above 0 and up to 1.
    pub cumulative_share: f64,
}

/// How often each pair of opcodes ran, added up over the rows that a filter takes.
#[derive(Debug, Clone, PartialEq)]
pub struct PairMix {
    /// The pairs that ran: most executions first, by name among equals.
    pub entries: Vec<PairEntry>,
    /// What they add up to.
    pub totals: Totals,
}

impl PairMix {
    /// Adds up the rows that `filter` takes, by the opcodes' names in the given terms.
    pub fn new(rows: &[PairRow], filter: RowFilter, terms: Terms) -> PairMix {
        let mut pairs: BTreeMap<(&Arc<str>, &Arc<str>), u128> = BTreeMap::new();
        let totals = Totals::add_up(
            rows,
            filter,
            |_| true,
            |row| {
                let pair = match terms {
                    Terms::AsExecuted => (&row.first, &row.second),
                    Terms::Base => (&row.first_base, &row.second_base),
                };
                *pairs.entry(pair).or_default() += u128::from(row.executions);
            },
        );
        let mut sums: Vec<_> = pairs.into_iter().collect();
        sums.sort_by_key(|&(names, executions)| (Reverse(executions), names));
        let mut cumulative = 0;
        let entries = sums.into_iter().map(|((first, second), executions)| {
            cumulative += executions;
            PairEntry {
                first: first.clone(),
                second: second.clone(),
                executions,
                share: totals.share(executions),
                cumulative_share: totals.share(cumulative),
            }
        });
        PairMix { entries: entries.collect(), totals: totals.clone() }
    }
}

#[cfg(test)]
mod tests {
    use opmeter_recording::Phase;

    use super::*;

    #[test]
    fn pairs_are_added_up_as_executed_or_by_base() {
        let row = |first: &str, second: &str, phase, executions| PairRow {
            process: 0,
            phase,
            first: first.into(),
            second: second.into(),
            first_base: first.trim_end_matches("_SLOT").into(),
            second_base: second.trim_end_matches("_SLOT").into(),
            executions,
        };
        let rows = [
            row("LOAD_ATTR_SLOT", "NOP", Phase::Main, 3),
            row("LOAD_ATTR", "NOP", Phase::Main, 4),
            row("NOP", "LOAD_ATTR", Phase::Main, 5),
            row("NOP", "LOAD_ATTR", Phase::Startup, 9),
            row("NOP", "NOP", Phase::Main, 0),
        ];
        let found = |terms| {
            let filter = RowFilter { phases: Some(vec![Phase::Main]), processes: None };
            let mix = PairMix::new(&rows, filter, terms);
            assert_eq!(mix.totals.executions, 12);
            let entries = mix.entries.into_iter();
            entries
                .map(|entry| (format!("{} {}", entry.first, entry.second), entry.executions))
                .collect::<Vec<_>>()
        };
        let entry = |pair: &str, executions| (pair.to_owned(), executions);
        assert_eq!(
            found(Terms::AsExecuted),
            [entry("NOP LOAD_ATTR", 5), entry("LOAD_ATTR NOP", 4), entry("LOAD_ATTR_SLOT NOP", 3)]
        );
        assert_eq!(found(Terms::Base), [entry("LOAD_ATTR NOP", 7), entry("NOP LOAD_ATTR", 5)]);
    }
}
