//! What tables say of times, where these were taken: the same columns for opcodes and for places.

use opmeter_analysis::TimeSum;

use super::table::Column;
use crate::number::{each, error_of, milliseconds, percent};

/// The columns; with what one execution takes, if `of_each`.
pub(crate) fn time_columns(of_each: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::number("raw cycles each")
            .about("Measured: the mean of the executions that were timed, what measuring cost included."),
    ];
    if of_each {
        columns.push(
            Column::number("net ns each").estimated().about("Estimated: what one execution took by itself."),
        );
    }
    columns.extend([
        Column::number("net ms")
            .estimated()
            .sorted()
            .about("Estimated: what all executions took by themselves."),
        Column::number("± %").error().about("The standard error of the net time."),
        Column::number("time %").estimated().about("Of all net time."),
    ]);
    columns
}

/// The cells of a row in them; `executions` where it is to tell what one takes.
pub(crate) fn time_cells(time: Option<TimeSum>, all: &TimeSum, executions: Option<u128>) -> Vec<String> {
    let time = time.unwrap_or_default();
    let of_each = executions.map(|executions| each(time.ns_net, executions));
    let raw = each(time.cycles_raw, time.timed_executions);
    let net = [milliseconds(time.ns_net), error_of(&time), percent(time.share_of(all))];
    std::iter::once(raw).chain(of_each).chain(net).collect()
}
