use std::collections::BTreeMap;

use opmeter_recording::DistributionRow;

use crate::RowFilter;

/// How long the timed executions of an opcode took: raw cycles, what measuring cost included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Buckets without gaps between them or not, by cycles: the fewest and the most of each, and the executions in it.
    pub buckets: Vec<(u64, u64, u128)>,
    /// All timed executions.
    pub executions: u128,
}

impl Distribution {
    /// The cycles that this part of the executions, from 0 to 1, did not exceed: the middle of its bucket. None where
    /// there are no executions.
    pub fn quantile(&self, part: f64) -> Option<u64> {
        let wanted = (part * self.executions as f64).ceil().max(1.0) as u128;
        let mut seen = 0;
        let bucket = self.buckets.iter().find(|(.., executions)| {
            seen += executions;
            seen >= wanted
        });
        bucket.map(|(from, to, _)| from + (to - from) / 2)
    }
}

/// The distributions of the opcodes, by name as executed, added up over the rows that a filter takes.
pub fn distributions<'a>(rows: &'a [DistributionRow], filter: &RowFilter) -> BTreeMap<&'a str, Distribution> {
    let mut sums: BTreeMap<&str, BTreeMap<(u64, u64), u128>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.executions > 0 && filter.takes(*row)) {
        let buckets = sums.entry(&row.opcode).or_default();
        *buckets.entry((row.cycles_from, row.cycles_to)).or_default() += u128::from(row.executions);
    }
    let distribution = |buckets: BTreeMap<(u64, u64), u128>| Distribution {
        executions: buckets.values().sum(),
        buckets: buckets.into_iter().map(|((from, to), executions)| (from, to, executions)).collect(),
    };
    sums.into_iter().map(|(opcode, buckets)| (opcode, distribution(buckets))).collect()
}

#[cfg(test)]
mod tests {
    use opmeter_recording::Phase;

    use super::*;

    #[test]
    fn buckets_of_processes_are_added_up_and_have_quantiles() {
        let row = |process, phase, from, to, executions| DistributionRow {
            process,
            phase,
            opcode: "NOP".to_owned(),
            cycles_from: from,
            cycles_to: to,
            executions,
        };
        let rows = [
            row(0, Phase::Main, 20, 20, 50),
            row(0, Phase::Main, 100, 103, 10),
            row(1, Phase::Main, 20, 20, 39),
            row(1, Phase::Main, 64, 65, 1),
            row(1, Phase::Startup, 1, 1, 1000),
            row(1, Phase::Main, 9000, 9100, 0),
        ];
        let filter = RowFilter { phases: Some(vec![Phase::Main]), processes: None };
        let all = distributions(&rows, &filter);
        let nop = &all["NOP"];
        assert_eq!(nop.executions, 100);
        assert_eq!(nop.buckets, [(20, 20, 89), (64, 65, 1), (100, 103, 10)]);
        let quantiles = [0.0, 0.5, 0.89, 0.9, 0.91, 1.0].map(|part| nop.quantile(part).unwrap());
        assert_eq!(quantiles, [20, 20, 20, 64, 101, 101]);
        assert_eq!(Distribution::default().quantile(0.5), None);
    }
}
