use opmeter_opcodes::Family;
use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::opcode_sums::opcode_sums;
use super::study::Study;
use crate::{Terms, TimeSum};

/// Families of opcodes over all studies, those with most executions first: executions and their shares, and what an
/// execution takes by itself, estimated, where times were taken.
pub fn family_table(studies: &[Study], phases: &[Phase]) -> DataTable {
    let mut rows: Vec<(Family, u64, f64, Option<TimeSum>)> =
        Family::ALL.into_iter().map(|family| (family, 0, 0.0, None)).collect();
    for sum in opcode_sums(studies, Terms::Base, phases).into_values() {
        let row = rows.iter_mut().find(|(family, ..)| Some(*family) == sum.family);
        let Some((_, executions, shares, time)) = row else { continue };
        *executions += sum.executions;
        *shares += sum.shares;
        if let Some(took) = sum.time {
            time.get_or_insert_default().add(took);
        }
    }
    rows.retain(|(_, executions, ..)| *executions > 0);
    rows.sort_by_key(|(_, executions, ..)| std::cmp::Reverse(*executions));
    let all = rows.iter().map(|(_, executions, ..)| executions).sum::<u64>().max(1) as f64;
    let all_time = rows.iter().filter_map(|(.., time)| *time).map(|time| time.ns_net).sum::<u128>() as f64;
    let count = studies.len().max(1) as f64;
    DataTable::new(
        "families",
        vec![
            DataColumn::text("family", rows.iter().map(|(family, ..)| family.to_string())),
            DataColumn::whole("executions", rows.iter().map(|(_, executions, ..)| *executions)),
            DataColumn::real(
                "share_percent",
                rows.iter().map(|(_, executions, ..)| Some(*executions as f64 / all * 100.0)),
            ),
            DataColumn::real(
                "mean_share_percent",
                rows.iter().map(|(_, _, shares, _)| Some(shares / count * 100.0)),
            ),
            DataColumn::real(
                "time_percent",
                rows.iter().map(|(.., time)| time.map(|time| time.ns_net as f64 / all_time * 100.0)),
            ),
            DataColumn::real(
                "ns_net_mean",
                rows.iter()
                    .map(|(_, executions, _, time)| time.map(|time| time.ns_net as f64 / *executions as f64)),
            ),
        ],
    )
}
