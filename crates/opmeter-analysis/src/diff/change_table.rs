use super::{Change, Changed, Changes, Comparison, Place};
use crate::{DataColumn, DataTable, Spot, TimeSum};

/// What there is a row for where two recordings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedBy {
    /// Opcodes.
    Opcode,
    /// Families of opcodes.
    Family,
    /// Functions.
    Function,
    /// Files.
    File,
    /// Lines.
    Line,
}

impl Comparison<'_> {
    /// What changed, for any format: those rows whose executions did, most first. Paths are as the recordings have
    /// them; what is folded has its name in brackets, and line 0.
    pub fn table(&self, by: ChangedBy) -> DataTable {
        match by {
            ChangedBy::Opcode => named("opcodes", "opcode", &self.opcodes),
            ChangedBy::Family => named("families", "family", &self.families),
            ChangedBy::Function => spots("functions", &self.functions, true),
            ChangedBy::File => spots("files", &self.files, false),
            ChangedBy::Line => lines(&self.lines),
        }
    }
}

fn named(table: &'static str, column: &'static str, changes: &Changes<String>) -> DataTable {
    let rows: Vec<&Changed<String>> = changes.changed().collect();
    let names = rows.iter().map(|row| row.latest().cloned().unwrap_or_default());
    let mut columns = vec![DataColumn::text(column, names)];
    columns.extend(counts(&rows));
    DataTable::new(table, columns)
}

fn spots(table: &'static str, changes: &Changes<Spot>, with_functions: bool) -> DataTable {
    let rows: Vec<&Changed<Spot>> = changes.changed().collect();
    let mut columns = vec![edits(&rows)];
    columns.extend(places(&rows, with_functions.then_some(function_of), |spot| spot));
    columns.extend(counts(&rows));
    DataTable::new(table, columns)
}

fn lines(changes: &Changes<Place>) -> DataTable {
    let rows: Vec<&Changed<Place>> = changes.changed().collect();
    let mut columns = vec![edits(&rows)];
    let function = |place: &Place| place.function.as_deref().unwrap_or_default().to_owned();
    columns.extend(places(&rows, Some(function), |place| &place.spot));
    columns.extend(counts(&rows));
    let text =
        |place: Option<&Place>| place.and_then(|place| place.text.as_deref()).unwrap_or_default().to_owned();
    columns.push(DataColumn::text("text_before", rows.iter().map(|row| text(row.before.as_ref()))));
    columns.push(DataColumn::text("text_after", rows.iter().map(|row| text(row.after.as_ref()))));
    DataTable::new("lines", columns)
}

fn edits<S>(rows: &[&Changed<S>]) -> DataColumn {
    DataColumn::text("edit", rows.iter().map(|row| row.edit.name().to_owned()))
}

fn function_of(spot: &Spot) -> String {
    match spot {
        Spot::Function(_, _, name) => name.to_string(),
        _ => String::new(),
    }
}

/// Where something was and is: files, lines where `function` is given, and functions.
fn places<S>(
    rows: &[&Changed<S>],
    function: Option<impl Fn(&S) -> String>,
    spot: impl Fn(&S) -> &Spot,
) -> Vec<DataColumn> {
    let file = |place: Option<&S>| match place.map(&spot) {
        None => String::new(),
        Some(Spot::Line(file, _) | Spot::Function(file, ..) | Spot::File(file)) => file.to_string(),
        Some(Spot::Folded(origin)) => format!("({})", origin.name()),
    };
    let line = |place: Option<&S>| match place.map(&spot) {
        Some(Spot::Line(_, line) | Spot::Function(_, line, _)) => u64::from(*line),
        _ => 0,
    };
    let mut columns = Vec::new();
    type Get<S> = fn(&Changed<S>) -> Option<&S>;
    let sides: [(Get<S>, [&'static str; 3]); 2] = [
        (|row| row.before.as_ref(), ["file_before", "line_before", "function_before"]),
        (|row| row.after.as_ref(), ["file_after", "line_after", "function_after"]),
    ];
    for (side, [file_name, line_name, function_name]) in sides {
        columns.push(DataColumn::text(file_name, rows.iter().map(|row| file(side(row)))));
        if let Some(function) = &function {
            columns.push(DataColumn::whole(line_name, rows.iter().map(|row| line(side(row)))));
            let name = |row: &&Changed<S>| side(row).map(function).unwrap_or_default();
            columns.push(DataColumn::text(function_name, rows.iter().map(name)));
        }
    }
    columns
}

/// Executions, and times where both recordings have them.
fn counts<S>(rows: &[&Changed<S>]) -> Vec<DataColumn> {
    let whole = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    let signed = |number: i128| i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX });
    let changes = || rows.iter().map(|row| &row.change);
    let mut columns = vec![
        DataColumn::whole("executions_before", changes().map(|change| whole(change.before.executions))),
        DataColumn::whole("executions_after", changes().map(|change| whole(change.after.executions))),
        DataColumn::signed("executions_change", changes().map(|change| signed(change.executions()))),
        DataColumn::real("executions_change_percent", changes().map(Change::percent)),
    ];
    if changes().all(|change| change.times().is_none()) {
        return columns;
    }
    let times: Vec<(TimeSum, TimeSum)> = changes()
        .map(|change| (change.before.time.unwrap_or_default(), change.after.time.unwrap_or_default()))
        .collect();
    let of = |name: &'static str, number: fn(&(TimeSum, TimeSum)) -> u128| {
        DataColumn::whole(name, times.iter().map(number).map(whole))
    };
    columns.extend([
        of("timed_executions_before", |(before, _)| before.timed_executions),
        of("timed_executions_after", |(_, after)| after.timed_executions),
        of("cycles_raw_before", |(before, _)| before.cycles_raw),
        of("cycles_raw_after", |(_, after)| after.cycles_raw),
        of("cycles_net_before", |(before, _)| before.cycles_net),
        of("cycles_net_after", |(_, after)| after.cycles_net),
        of("cycles_net_se_before", |(before, _)| before.cycles_net_se),
        of("cycles_net_se_after", |(_, after)| after.cycles_net_se),
    ]);
    // Nothing, where none of a row's executions was timed.
    let net = || changes().map(Change::net_cycles);
    columns
        .push(DataColumn::real("cycles_net_change", net().map(|net| net.map(|(change, _)| change as f64))));
    columns.push(DataColumn::real("cycles_net_change_se", net().map(|net| net.map(|(_, error)| error))));
    columns
}
