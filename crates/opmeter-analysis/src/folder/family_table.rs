use std::collections::BTreeMap;

use opmeter_opcodes::Family;
use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::opcode_sums::{Timed, counted, opcode_sums};
use super::study::Study;
use crate::Terms;

/// What the opcodes of a family did.
#[derive(Default)]
struct FamilySum {
    executions: u64,
    shares: f64,
    timed: Option<Timed>,
}

/// Families of opcodes over all studies, those with most executions first: executions and their shares, and what an
/// execution takes by itself, estimated, in studies with times. One family alone, if one is named; shares are of all.
pub fn family_table(studies: &[Study], phases: &[Phase], family: Option<Family>) -> DataTable {
    let mut sums: BTreeMap<Family, FamilySum> = BTreeMap::new();
    for ((_, family), opcode) in opcode_sums(studies, Terms::AsExecuted, phases) {
        let sum = sums.entry(family).or_default();
        sum.executions += opcode.executions;
        sum.shares += opcode.shares;
        if let Some(timed) = opcode.timed {
            sum.timed.get_or_insert_default().add(timed);
        }
    }
    let all = sums.values().map(|sum| sum.executions).sum::<u64>().max(1) as f64;
    let all_time: u128 = sums.values().filter_map(|sum| sum.timed).map(|timed| timed.time.ns_net).sum();
    let mut rows: Vec<(Family, FamilySum)> =
        sums.into_iter().filter(|(of, _)| family.is_none_or(|family| family == *of)).collect();
    rows.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.executions));
    let count = counted(studies, phases);
    let real = |value: &dyn Fn(&FamilySum) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|(_, sum)| value(sum)).collect()
    };
    let time_share = |timed: Timed| timed.time.ns_net as f64 / all_time as f64 * 100.0;
    DataTable::new(
        "families",
        vec![
            DataColumn::text("family", rows.iter().map(|(family, _)| family.to_string())),
            DataColumn::whole("executions", rows.iter().map(|(_, sum)| sum.executions)),
            DataColumn::real("share_percent", real(&|sum| Some(sum.executions as f64 / all * 100.0))),
            DataColumn::real("mean_share_percent", real(&|sum| Some(sum.shares / count * 100.0))),
            DataColumn::real("time_percent", real(&|sum| sum.timed.filter(|_| all_time > 0).map(time_share))),
            DataColumn::real("ns_net_mean", real(&|sum| sum.timed.as_ref().and_then(Timed::ns_each))),
        ],
    )
}
