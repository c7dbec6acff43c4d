mod terminal;

use std::fmt;
use std::io::{self, Write};

use csv::WriterBuilder;
use opmeter_analysis::{DataColumn, DataTable, DataValues};
use opmeter_recording::{ColumnType, ColumnValues, Values, write_columns};
use serde_json::{Map, Number, Value};

use crate::Style;
use crate::export::csv_error;
use crate::number::{grouped, signed, significant};
use crate::terminal_text::visible;

use terminal::write_terminal;

/// A format for a table of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFormat {
    /// For the terminal.
    Table,
    /// Comma-separated values; a number that is missing is empty.
    Csv,
    /// A JSON array of objects; a number that is missing is null.
    Json,
    /// Apache Parquet; a number that is missing is not a number.
    Parquet,
    /// A table for Markdown.
    Markdown,
}

impl fmt::Display for DataFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Markdown => "markdown",
        })
    }
}

impl DataFormat {
    /// Writes a table.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write(self, table: &DataTable, style: Style, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Table => write_terminal(table, style, out),
            Self::Csv => write_csv(table, out),
            Self::Json => write_json(table, out),
            Self::Parquet => write_parquet(table, out),
            Self::Markdown => write_markdown(table, out),
        }
    }
}

/// A cell for people.
fn shown(column: &DataColumn, row: usize) -> String {
    match &column.values {
        DataValues::Text(values) => visible(&values[row]),
        DataValues::Whole(values) => values[row].map_or(String::new(), |value| grouped(value.into())),
        DataValues::Signed(values) => signed(i128::from(values[row])),
        DataValues::Real(values) if values[row].is_nan() => String::new(),
        DataValues::Real(values) if is_share(column) => format!("{:.2}", values[row]),
        DataValues::Real(values) => significant(values[row], values[row]),
    }
}

fn is_share(column: &DataColumn) -> bool {
    column.name.ends_with("_percent")
}

fn write_csv(table: &DataTable, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = WriterBuilder::new().from_writer(out);
    writer.write_record(table.columns.iter().map(|column| column.name)).map_err(csv_error)?;
    for row in 0..table.rows() {
        let cells = table.columns.iter().map(|column| match &column.values {
            DataValues::Text(values) => values[row].clone(),
            DataValues::Whole(values) => values[row].map_or(String::new(), |value| value.to_string()),
            DataValues::Signed(values) => values[row].to_string(),
            DataValues::Real(values) if values[row].is_nan() => String::new(),
            DataValues::Real(values) => values[row].to_string(),
        });
        writer.write_record(cells).map_err(csv_error)?;
    }
    writer.flush()
}

fn write_json(table: &DataTable, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for row in 0..table.rows() {
        out.write_all(if row == 0 { b"\n" } else { b",\n" })?;
        let cells = table.columns.iter().map(|column| {
            let value = match &column.values {
                DataValues::Text(values) => Value::from(values[row].as_str()),
                DataValues::Whole(values) => Value::from(values[row]),
                DataValues::Signed(values) => Value::from(values[row]),
                DataValues::Real(values) => Number::from_f64(values[row]).map_or(Value::Null, Value::Number),
            };
            (column.name.to_owned(), value)
        });
        serde_json::to_writer(&mut *out, &cells.collect::<Map<String, Value>>())?;
    }
    out.write_all(b"\n]\n")?;
    out.flush()
}

fn write_parquet(table: &DataTable, out: &mut dyn Write) -> io::Result<()> {
    let columns = table.columns.iter().map(|column| {
        let (kind, values) = match &column.values {
            DataValues::Text(values) => {
                (ColumnType::Text, Values::Text(values.iter().map(|text| text.as_str().into()).collect()))
            }
            DataValues::Whole(values) if values.iter().any(Option::is_none) => {
                return ((column.name, ColumnType::U64), ColumnValues::Some(values.clone()));
            }
            DataValues::Whole(values) => {
                let values = values.iter().flatten().map(|value| value.cast_signed());
                (ColumnType::U64, Values::Wide(values.collect()))
            }
            DataValues::Signed(values) => (ColumnType::I64, Values::Wide(values.clone())),
            DataValues::Real(values) => (ColumnType::F64, Values::Real(values.clone())),
        };
        ((column.name, kind), ColumnValues::All(values))
    });
    // In memory first: the Parquet writer takes only streams that may change threads.
    let mut file = Vec::new();
    write_columns(&mut file, table.name, columns.collect())?;
    out.write_all(&file)?;
    out.flush()
}

fn write_markdown(table: &DataTable, out: &mut dyn Write) -> io::Result<()> {
    let line = |out: &mut dyn Write, cells: Vec<String>| writeln!(out, "| {} |", cells.join(" | "));
    line(out, table.columns.iter().map(|column| column.name.to_owned()).collect())?;
    let rules = table.columns.iter().map(|column| match column.values {
        DataValues::Text(_) => "---".to_owned(),
        _ => "---:".to_owned(),
    });
    line(out, rules.collect())?;
    for row in 0..table.rows() {
        let cells = table.columns.iter().map(|column| shown(column, row).replace('|', r"\|"));
        line(out, cells.collect())?;
    }
    out.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn table() -> DataTable {
        DataTable::new(
            "programs",
            vec![
                DataColumn::text("program", ["a|b\u{1b}.py", "c,\"d\""].map(str::to_owned)),
                DataColumn::whole("executions", [1_234_567, u64::MAX]),
                DataColumn::real("seconds", [Some(0.5), None]),
                DataColumn::real("joules", [Some(7.5), Some(1.0 / 3.0)]),
                DataColumn::text("energy", ["estimate", "perf"].map(str::to_owned)),
            ],
        )
    }

    fn written(format: DataFormat) -> Vec<u8> {
        let mut out = Vec::new();
        format.write(&table(), Style::PLAIN, &mut out).unwrap();
        out
    }

    fn text(format: DataFormat) -> String {
        String::from_utf8(written(format)).unwrap()
    }

    #[test]
    fn people_get_short_names_and_estimates_that_look_like_such() {
        let expected = "program                       executions  time s       J\n\
            a|b\\u{1b}.py                   1,234,567  0.5000  ~7.500  ████████████████████\n\
            c,\"d\"         18,446,744,073,709,551,615          0.3333\n";
        assert_eq!(text(DataFormat::Table), expected);
    }

    #[test]
    fn other_programs_get_all_digits() {
        let csv = "program,executions,seconds,joules,energy\na|b\u{1b}.py,1234567,0.5,7.5,estimate\n\
            \"c,\"\"d\"\"\",18446744073709551615,,0.3333333333333333,perf\n";
        assert_eq!(text(DataFormat::Csv), csv);
        let json: Vec<Map<String, Value>> = serde_json::from_slice(&written(DataFormat::Json)).unwrap();
        assert_eq!(json[1]["executions"], Value::from(u64::MAX));
        assert_eq!((&json[1]["seconds"], &json[0]["seconds"]), (&Value::Null, &Value::from(0.5)));
        assert_eq!(&written(DataFormat::Parquet)[..4], b"PAR1");
        assert!(text(DataFormat::Markdown).contains("| a\\|b\\u{1b}.py | 1,234,567 | 0.5000 |"));
        assert_eq!(text(DataFormat::Markdown).lines().nth(1).unwrap(), "| --- | ---: | ---: | ---: | --- |");
    }

    #[test]
    fn an_empty_table_has_its_columns() {
        let empty = DataTable::new("programs", vec![DataColumn::text("program", Vec::new())]);
        let mut out = Vec::new();
        DataFormat::Csv.write(&empty, Style::PLAIN, &mut out).unwrap();
        DataFormat::Json.write(&empty, Style::PLAIN, &mut out).unwrap();
        assert_eq!(out, b"program\n[\n]\n");
    }
}
