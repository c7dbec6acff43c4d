//! A table of results on the terminal: what of it there is room for.

use std::collections::BTreeMap;
use std::io::{self, Write};

use opmeter_analysis::{DataColumn, DataTable, DataValues};

use super::{is_share, shown};
use crate::Style;
use crate::grid::{Column, GAP, Grid, LEAST_BAR, Row};
use crate::terminal_text::{first_difference, last_difference, width};

/// The most columns of the terminal that a line takes.
const COLUMNS: usize = 100;

/// Names are not cut below this where other columns can be left out instead: of what rows are, and of other texts.
const NAME: usize = 22;
const TEXT: usize = 9;

/// Columns that are left out where there is no room, those with least to say first.
const LEAST: [&str; 9] = [
    "mean_share_percent",
    "cycles_raw_mean",
    "watts",
    "million_executions_per_second",
    "cpu_seconds",
    "programs",
    "cycles_raw_p99",
    "cycles_raw_median",
    "spread_percent",
];

/// What a column is called on the terminal, where room is short.
fn short_name(name: &'static str) -> &'static str {
    match name {
        "share_percent" => "share %",
        "mean_share_percent" => "mean share %",
        "spread_percent" => "spread %",
        "time_percent" => "time %",
        "interval_percent" => "± %",
        "seconds" => "time s",
        "cpu_seconds" => "CPU s",
        "million_executions_per_second" => "M/s",
        "joules" => "J",
        "watts" => "W",
        "ns_net_mean" => "ns each",
        "cycles_raw_mean" => "raw cycles",
        "cycles_raw_median" => "median",
        "cycles_raw_p99" => "p99",
        "executions_ratio" => "executions ×",
        "seconds_ratio" => "time ×",
        "joules_ratio" => "J ×",
        name => name,
    }
}

/// A column of the table, as it is shown.
struct Shown<'t> {
    column: &'t DataColumn,
    cells: Vec<String>,
    natural: usize,
    /// How narrow it may be, of a text, and whether it is then cut at its start: as wide as what tells rows apart.
    cut: Option<(usize, bool)>,
}

impl<'t> Shown<'t> {
    fn new(table: &DataTable, column: &'t DataColumn) -> Self {
        // An estimate is never shown like a measurement.
        let is_joules = ["joules", "watts", "joules_ratio"].contains(&column.name);
        let cells = (0..table.rows()).map(|row| match shown(column, row) {
            cell if is_joules && is_estimated(table, row) && !cell.is_empty() => format!("~{cell}"),
            cell => cell,
        });
        let cells: Vec<String> = cells.collect();
        let widest = cells.iter().map(|cell| width(cell)).max().unwrap_or(0);
        let natural = widest.max(width(short_name(column.name)));
        Self { column, cells, natural, cut: None }
    }

    /// Finds how narrow a text may be: so that rows are told apart which are alike in the columns `beside` it.
    fn find_cut(&mut self, beside: &[&DataColumn]) {
        if !matches!(self.column.values, DataValues::Text(_)) {
            return;
        }
        let mut groups: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
        for (row, cell) in self.cells.iter().enumerate() {
            let key = beside.iter().filter_map(|column| match &column.values {
                DataValues::Text(values) => Some(values[row].as_str()),
                _ => None,
            });
            groups.entry(key.collect()).or_default().push(cell);
        }
        let most = |difference: fn(&[&str]) -> usize| groups.values().map(|cells| difference(cells)).max();
        let (end, start) = (most(first_difference).unwrap_or(1), most(last_difference).unwrap_or(1));
        let at_start = end > NAME && start < end;
        let least = match self.column.name {
            // Nothing of a version says anything alone.
            "interpreter" | "machine" => self.natural,
            _ => TEXT,
        };
        let narrowest = if at_start { start } else { end }.max(least).min(self.natural);
        self.cut = Some((narrowest, at_start));
    }

    /// How many columns of the terminal it takes at least, without looking cut off where it stands first.
    fn wanted(&self, place: usize) -> usize {
        let usual = if place == 0 { NAME } else { TEXT };
        self.cut.map_or(self.natural, |(narrowest, _)| narrowest.max(usual).min(self.natural))
    }

    /// The column of a grid, which is cut to what is wanted; or, where there is no room for that, to what tells rows
    /// apart.
    fn grid_column(&self, wanted: Option<usize>) -> Column {
        let name = short_name(self.column.name);
        match self.cut {
            Some((narrowest, false)) => Column::name(name, wanted.unwrap_or(narrowest)),
            Some((narrowest, true)) => Column::place(name, wanted.unwrap_or(narrowest)),
            None => Column::number(name),
        }
    }
}

fn is_estimated(table: &DataTable, row: usize) -> bool {
    table.columns.iter().any(|column| match &column.values {
        DataValues::Text(values) => column.name == "energy" && values[row] == "estimate",
        _ => false,
    })
}

/// Whether a column of texts has several different ones.
fn differs(column: &DataColumn) -> bool {
    match &column.values {
        DataValues::Text(values) => values.iter().any(|value| *value != values[0]),
        _ => true,
    }
}

/// Writes the table in at most [`COLUMNS`] columns, if what tells its rows apart has room in these: bars go first, then
/// columns that say little, then names are cut.
pub(super) fn write_terminal(table: &DataTable, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let is_timed = table.columns.iter().any(|column| column.name == "ns_net_mean");
    let is_shown = |column: &&DataColumn| match column.name {
        "energy" => false,
        // Rows of several machines are told apart by them.
        "machine" => differs(column),
        // Where there are times there is no room for all.
        "mean_share_percent" | "cycles_raw_mean" => !is_timed,
        _ => true,
    };
    let mut columns: Vec<Shown> =
        table.columns.iter().filter(is_shown).map(|column| Shown::new(table, column)).collect();
    columns.iter_mut().for_each(|column| column.find_cut(&[]));
    let room = |columns: &[Shown]| {
        let widths = columns.iter().enumerate().map(|(place, column)| column.wanted(place) + GAP.len());
        (COLUMNS + GAP.len()).checked_sub(widths.sum())
    };
    for name in LEAST {
        if room(&columns).is_none() {
            columns.retain(|shown| shown.column.name != name);
        }
    }
    if room(&columns).is_none() {
        // The first need not tell apart what others do.
        let others: Vec<&DataColumn> = columns.iter().skip(1).map(|shown| shown.column).collect();
        columns.iter_mut().take(1).for_each(|column| column.find_cut(&others));
    }
    let share = table.columns.iter().find_map(|column| match &column.values {
        DataValues::Real(values) if is_share(column) && column.name != "interval_percent" => Some(values),
        DataValues::Real(values) if column.name == "seconds" => Some(values),
        _ => None,
    });
    let most = share.iter().flat_map(|values| values.iter()).copied().fold(0.0, f64::max);
    let rows = (0..table.rows()).map(|row| Row {
        cells: columns.iter().map(|column| column.cells[row].clone()).collect(),
        bar: share.map_or(0.0, |values| if most > 0.0 { values[row].max(0.0) / most } else { 0.0 }),
    });
    let rows: Vec<Row> = rows.collect();
    let bars = most > 0.0 && room(&columns).is_some_and(|room| room >= GAP.len() + LEAST_BAR);
    let has_room = room(&columns).is_some();
    let columns = columns
        .iter()
        .enumerate()
        .map(|(place, column)| column.grid_column(has_room.then(|| column.wanted(place))))
        .collect();
    Grid { columns, bars }.write(out, &rows, COLUMNS, style)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lines(table: &DataTable) -> Vec<String> {
        let mut out = Vec::new();
        write_terminal(table, Style::PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    fn texts<const N: usize>(name: &'static str, values: [&str; N]) -> DataColumn {
        DataColumn::text(name, values.map(str::to_owned))
    }

    #[test]
    fn what_tells_rows_apart_is_not_cut_off() {
        let long = "a-program-of-a-very-long-name-indeed-with-many-words-in-it.py";
        let numbers = ["executions", "seconds", "interval_percent", "cpu_seconds", "joules", "watts"];
        let number = |name| DataColumn::real(name, [Some(1_234_567.0); 3]);
        let mut columns = vec![
            texts("program", [long, long, "b.py"]),
            texts("interpreter", ["cpython 3.12.1", "cpython 3.13.0", "cpython 3.13.0t"]),
        ];
        columns.extend(numbers.map(number));
        columns.push(texts("machine", ["one", "one", "one"]));
        let lines = lines(&DataTable::new("programs", columns));
        assert!(lines.iter().all(|line| width(line) <= COLUMNS), "{lines:?}");
        for (line, interpreter) in lines[1..].iter().zip(["3.12.1", "3.13.0 ", "3.13.0t"]) {
            assert!(line.contains(&format!("cpython {interpreter}")), "{line}");
        }
        assert!(
            lines[0].contains(" J") && !lines[0].contains("machine") && !lines[0].contains(" W"),
            "{lines:?}"
        );
    }

    #[test]
    fn opcodes_are_cut_after_their_families_and_bars_go_before() {
        let opcodes =
            ["LOAD_FAST__LOAD_FAST", "LOAD_FAST__LOAD_FAST/LOAD_FAST", "STORE_FAST__LOAD_FAST/LOAD_FAST"];
        let table = DataTable::new(
            "opcodes",
            vec![
                texts("opcode", opcodes),
                texts("family", ["locals and constants"; 3]),
                DataColumn::whole("programs", [12; 3]),
                DataColumn::whole("executions", [1_234_567_890; 3]),
                DataColumn::real("share_percent", [Some(12.0); 3]),
                DataColumn::real("ns_net_mean", [Some(12.0); 3]),
                DataColumn::real("spread_percent", [Some(12.0); 3]),
                DataColumn::real("cycles_raw_median", [Some(26.0); 3]),
                DataColumn::real("cycles_raw_p99", [Some(9_175_039.0); 3]),
            ],
        );
        let lines = lines(&table);
        assert!(lines.iter().all(|line| width(line) <= COLUMNS), "{lines:?}");
        assert!(lines[2].starts_with("LOAD_FAST__LOAD_FAST/…") && !lines[2].contains('█'), "{lines:?}");
        let mut cells: Vec<&str> = lines[1..].iter().map(|line| line.split("  ").next().unwrap()).collect();
        cells.dedup();
        assert_eq!(cells.len(), 3, "{lines:?}");
    }

    #[test]
    fn rows_that_only_differ_at_their_end_or_by_machine_are_told_apart() {
        let commands = ["3.9", "3.9", "3.11"].map(|version| {
            format!("/home/somebody/with/a/long/name/in/a/deep/folder/of/his/own/and/that/of/others/python{version} p.py")
        });
        let table = DataTable::new(
            "programs",
            vec![
                DataColumn::text("program", commands),
                texts("interpreter", ["cpython 3.9.18", "cpython 3.9.18", "cpython 3.11.7"]),
                DataColumn::whole("executions", [1, 1, 1]),
                DataColumn::real("seconds", [Some(1.0); 3]),
                texts("machine", ["one", "two", "one"]),
            ],
        );
        let lines = lines(&table);
        assert!(lines.iter().all(|line| width(line) <= COLUMNS), "{lines:?}");
        assert!(lines[1].contains("python3.9 p.py") && lines[3].contains("python3.11 p.py"), "{lines:?}");
        assert!(lines[1].contains(" one") && lines[2].contains(" two"), "{lines:?}");
    }
}
