use opmeter_opcodes::Family;
use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::opcode_sums::{OpcodeSum, counted, opcode_sums};
use super::study::Study;
use crate::Terms;

/// Opcodes over all studies, those with most executions first; of one family, if one is named. An opcode that is for
/// two families has a row for each.
///
/// `share_percent` is of all executions, `mean_share_percent` the mean of each study's; `ns_net_mean` is what an
/// execution takes by itself, estimated, in studies with times, and `spread_percent` the standard deviation of that over
/// studies; `cycles_raw_…` are as measured, the probe's cost included, and medians only known of opcodes as executed, of
/// which nine of ten timed executions are in the distributions.
pub fn opcode_table(studies: &[Study], terms: Terms, phases: &[Phase], family: Option<Family>) -> DataTable {
    let sums = opcode_sums(studies, terms, phases);
    let all = sums.values().map(|sum| sum.executions).sum::<u64>().max(1) as f64;
    let mut rows: Vec<((String, Family), OpcodeSum)> =
        sums.into_iter().filter(|((_, of), _)| family.is_none_or(|family| family == *of)).collect();
    rows.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.executions));
    let whole = |value: fn(&OpcodeSum) -> u64| rows.iter().map(move |(_, sum)| value(sum));
    let real = |value: &dyn Fn(&OpcodeSum) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|(_, sum)| value(sum)).collect()
    };
    let quantile = |part: f64| real(&|sum| sum.quantile(part).map(|cycles| cycles as f64));
    let count = counted(studies, phases);
    DataTable::new(
        "opcodes",
        vec![
            DataColumn::text("opcode", rows.iter().map(|((name, _), _)| name.clone())),
            DataColumn::text("family", rows.iter().map(|((_, family), _)| family.to_string())),
            DataColumn::whole("programs", whole(|sum| sum.programs.len() as u64)),
            DataColumn::whole("executions", whole(|sum| sum.executions)),
            DataColumn::real("share_percent", real(&|sum| Some(sum.executions as f64 / all * 100.0))),
            DataColumn::real("mean_share_percent", real(&|sum| Some(sum.shares / count * 100.0))),
            DataColumn::real("ns_net_mean", real(&OpcodeSum::ns_each)),
            DataColumn::real("spread_percent", real(&|sum| sum.spread().map(|part| part * 100.0))),
            DataColumn::real("cycles_raw_mean", real(&OpcodeSum::cycles_each)),
            DataColumn::real("cycles_raw_median", quantile(0.5)),
            DataColumn::real("cycles_raw_p99", quantile(0.99)),
        ],
    )
}
