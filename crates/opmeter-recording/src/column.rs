use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnDescriptor, Type, TypePtr};
use rustc_hash::FxHashMap;

use crate::seal;
use crate::table_row::io_error;

/// What a column holds. No column of a recording has missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// A whole number of at most 8 bits, from 0 (a Parquet INT32).
    U8,
    /// A whole number of at most 32 bits, from 0 (a Parquet INT32).
    U32,
    /// A whole number of at most 64 bits, from 0 (a Parquet INT64).
    U64,
    /// A whole number of at most 64 bits that may be below 0 (a Parquet INT64).
    I64,
    /// A number of 64 bits that need not be whole (a Parquet DOUBLE).
    F64,
}

impl ColumnType {
    fn physical(self) -> PhysicalType {
        match self {
            ColumnType::Text => PhysicalType::BYTE_ARRAY,
            ColumnType::U8 | ColumnType::U32 => PhysicalType::INT32,
            ColumnType::U64 | ColumnType::I64 => PhysicalType::INT64,
            ColumnType::F64 => PhysicalType::DOUBLE,
        }
    }

    fn logical(self) -> Option<LogicalType> {
        match self {
            ColumnType::Text => Some(LogicalType::String),
            ColumnType::U8 => Some(LogicalType::integer(8, false)),
            ColumnType::U32 => Some(LogicalType::integer(32, false)),
            ColumnType::U64 => Some(LogicalType::integer(64, false)),
            ColumnType::I64 => Some(LogicalType::integer(64, true)),
            ColumnType::F64 => None,
        }
    }
}

/// The values of one column, a value a row.
#[derive(Debug)]
pub enum Values {
    /// UTF-8, unless the file is damaged.
    Text(Vec<ByteArray>),
    /// 8 and 32 bits: the bits of an unsigned number.
    Narrow(Vec<i32>),
    /// 64 bits: the bits of an unsigned number, or of one that may be below 0.
    Wide(Vec<i64>),
    /// 64 bits: a number that need not be whole.
    Real(Vec<f64>),
}

impl Values {
    pub(crate) fn text<'a>(values: impl Iterator<Item = &'a str>) -> Values {
        // One buffer for each different text: tables repeat few names many times, most of them row after row.
        let mut known: FxHashMap<&str, ByteArray> = FxHashMap::default();
        let mut last: Option<(*const str, ByteArray)> = None;
        let values = values.map(|text| {
            if let Some((same, buffer)) = &last
                && std::ptr::eq(*same, text)
            {
                return buffer.clone();
            }
            let buffer = known.entry(text).or_insert_with(|| text.into()).clone();
            last = Some((text, buffer.clone()));
            buffer
        });
        Values::Text(values.collect())
    }

    pub(crate) fn narrow(values: impl Iterator<Item = u32>) -> Values {
        Values::Narrow(values.map(u32::cast_signed).collect())
    }

    /// How many rows they are of.
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Text(values) => values.len(),
            Values::Narrow(values) => values.len(),
            Values::Wide(values) => values.len(),
            Values::Real(values) => values.len(),
        }
    }

    pub(crate) fn wide(values: impl Iterator<Item = u64>) -> Values {
        Values::Wide(values.map(u64::cast_signed).collect())
    }
}

/// A column's name and type.
pub type ColumnSpec = (&'static str, ColumnType);

/// A file's schema; `lacking` is which columns have missing values.
fn schema(table: &str, columns: &[ColumnSpec], lacking: &[bool]) -> Result<TypePtr> {
    let fields = columns.iter().enumerate().map(|(place, &(name, column))| {
        let lacks = lacking.get(place).is_some_and(|lacks| *lacks);
        let repetition = if lacks { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        Type::primitive_type_builder(name, column.physical())
            .with_logical_type(column.logical())
            .with_repetition(repetition)
            .build()
            .map(Arc::new)
    });
    Type::group_type_builder(table).with_fields(fields.collect::<Result<_>>()?).build().map(Arc::new)
}

/// A column of rows of a type.
pub struct Column<R> {
    /// Its name and type.
    pub spec: ColumnSpec,
    /// The values that it has for some rows.
    pub values: fn(&[R]) -> Values,
}

/// Rows of which a column's values are in memory at a time: so few that they stay in the processor's cache.
const PART_ROWS: usize = 1 << 12;

/// Writes one table as a Parquet file, in row groups of so many rows, to be sealed.
pub(crate) fn write_table<R>(
    out: impl Write + Send,
    table: &str,
    columns: &[Column<R>],
    rows: &[R],
    group_rows: usize,
) -> Result<()> {
    let specs: Vec<ColumnSpec> = columns.iter().map(|column| column.spec).collect();
    let checksum = KeyValue::new(seal::KEY.to_owned(), seal::OPEN.to_owned());
    let mut writer = TableWriter::with(out, table, (&specs, &[]), Some(vec![checksum]))?;
    for rows in rows.chunks(group_rows) {
        writer.write_group(columns, rows)?;
    }
    writer.close()
}

/// The values of a column that is written, a value a row.
pub enum ColumnValues {
    /// Every row has one.
    All(Values),
    /// Whole numbers of at most 64 bits, from 0, which some rows lack: null in the file.
    Some(Vec<Option<u64>>),
}

/// Writes columns of the same length as a Parquet file: each with its name, its type, and the values of this type.
///
/// # Errors
/// Whatever `out` gives; or where values are of another type than their column, or of other lengths.
pub fn write_columns(
    out: impl Write + Send,
    table: &str,
    columns: Vec<(ColumnSpec, ColumnValues)>,
) -> std::io::Result<()> {
    let specs: Vec<ColumnSpec> = columns.iter().map(|(spec, _)| *spec).collect();
    let lacking: Vec<bool> =
        columns.iter().map(|(_, values)| matches!(values, ColumnValues::Some(_))).collect();
    let write = || {
        let mut writer = TableWriter::with(out, table, (&specs, &lacking), None)?;
        let mut group = writer.0.next_row_group()?;
        for (_, values) in &columns {
            let Some(mut writer) = group.next_column()? else { break };
            match values {
                ColumnValues::All(values) => write_values(&mut writer, values)?,
                ColumnValues::Some(values) => {
                    let there: Vec<i64> = values.iter().flatten().map(|value| value.cast_signed()).collect();
                    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
                    writer.typed::<Int64Type>().write_batch(&there, Some(&levels), None)?;
                }
            }
            writer.close()?;
        }
        group.close()?;
        writer.close()
    };
    write().map_err(io_error)
}

fn write_values(writer: &mut SerializedColumnWriter<'_>, values: &Values) -> Result<()> {
    match values {
        Values::Text(values) => writer.typed::<ByteArrayType>().write_batch(values, None, None)?,
        Values::Narrow(values) => writer.typed::<Int32Type>().write_batch(values, None, None)?,
        Values::Wide(values) => writer.typed::<Int64Type>().write_batch(values, None, None)?,
        Values::Real(values) => writer.typed::<DoubleType>().write_batch(values, None, None)?,
    };
    Ok(())
}

/// Writes one table as a Parquet file, group by group.
pub(crate) struct TableWriter<W: Write + Send>(SerializedFileWriter<W>);

impl<W: Write + Send> TableWriter<W> {
    /// Begins the file.
    pub(crate) fn new(out: W, table: &str, specs: &[ColumnSpec]) -> Result<Self> {
        Self::with(out, table, (specs, &[]), None)
    }

    /// Begins a file that says `metadata` of itself, and of which those columns have missing values that are `lacking`.
    fn with(
        out: W,
        table: &str,
        (specs, lacking): (&[ColumnSpec], &[bool]),
        metadata: Option<Vec<KeyValue>>,
    ) -> Result<Self> {
        let mut properties = WriterProperties::builder();
        for (name, column) in specs {
            // Numbers seldom repeat so often that a dictionary is worth its time.
            properties =
                properties.set_column_dictionary_enabled((*name).into(), *column == ColumnType::Text);
        }
        let properties = properties
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_key_value_metadata(metadata)
            .set_created_by(concat!("opmeter ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        SerializedFileWriter::new(out, schema(table, specs, lacking)?, Arc::new(properties)).map(Self)
    }

    /// Writes a row group.
    pub(crate) fn write_group<R>(&mut self, columns: &[Column<R>], rows: &[R]) -> Result<()> {
        let mut group = self.0.next_row_group()?;
        for column in columns {
            let Some(mut writer) = group.next_column()? else {
                return Err(ParquetError::General("there are more columns than the table has".to_owned()));
            };
            for rows in rows.chunks(PART_ROWS) {
                write_values(&mut writer, &(column.values)(rows))?;
            }
            writer.close()?;
        }
        group.close().map(drop)
    }

    /// Ends the file.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.0.finish().map(drop)
    }
}

/// Whether a Parquet file has a column of this name.
pub(crate) fn has_column(file: &SerializedFileReader<impl ChunkReader + 'static>, name: &str) -> bool {
    let schema = file.metadata().file_metadata().schema_descr();
    schema.columns().iter().any(|column| column.path().string() == name)
}

/// Reads one table from a Parquet file: hands the values of all `columns` of each row group, in the order
/// of `columns`, to `take`. Columns that are not asked for are passed over; one that is missing, or has
/// another type, is an error.
pub(crate) fn read_table(
    file: &SerializedFileReader<impl ChunkReader + 'static>,
    columns: &[ColumnSpec],
    mut take: impl FnMut(Vec<Values>) -> Result<()>,
) -> Result<()> {
    let found = file.metadata().file_metadata().schema_descr().columns();
    let places = columns.iter().map(|spec| place(found, spec)).collect::<Result<Vec<usize>>>()?;
    for index in 0..file.num_row_groups() {
        let group = file.get_row_group(index)?;
        let rows = usize::try_from(group.metadata().num_rows())?;
        let values = columns.iter().zip(&places).map(|((name, _), &place)| {
            let (read, values) = read_values(group.get_column_reader(place)?, rows)?;
            if read == rows {
                Ok(values)
            } else {
                let text = format!("column {name} has {read} of the {rows} values of row group {index}");
                Err(ParquetError::General(text))
            }
        });
        take(values.collect::<Result<_>>()?)?;
    }
    Ok(())
}

/// Where a column lies in a file.
fn place(found: &[Arc<ColumnDescriptor>], (name, column): &ColumnSpec) -> Result<usize> {
    let Some(place) = found.iter().position(|found| found.path().string() == *name) else {
        return Err(ParquetError::General(format!("it has no column {name}")));
    };
    let descriptor = &found[place];
    let logical = descriptor.logical_type_ref();
    let plain = descriptor.max_def_level() == 0 && descriptor.max_rep_level() == 0;
    if descriptor.physical_type() != column.physical() || logical != column.logical().as_ref() || !plain {
        let name_of = |logical: Option<&LogicalType>| {
            logical.map_or("of no logical type".to_owned(), |logical| format!("{logical:?}"))
        };
        let text = format!(
            "column {name} is {} {}, not {} {} without missing values",
            descriptor.physical_type(),
            name_of(logical),
            column.physical(),
            name_of(column.logical().as_ref()),
        );
        return Err(ParquetError::General(text));
    }
    Ok(place)
}

fn read_values(reader: ColumnReader, rows: usize) -> Result<(usize, Values)> {
    match reader {
        ColumnReader::ByteArrayColumnReader(mut reader) => {
            let mut values = Vec::new();
            let (read, ..) = reader.read_records(rows, None, None, &mut values)?;
            Ok((read, Values::Text(values)))
        }
        ColumnReader::Int32ColumnReader(mut reader) => {
            let mut values = Vec::new();
            let (read, ..) = reader.read_records(rows, None, None, &mut values)?;
            Ok((read, Values::Narrow(values)))
        }
        ColumnReader::Int64ColumnReader(mut reader) => {
            let mut values = Vec::new();
            let (read, ..) = reader.read_records(rows, None, None, &mut values)?;
            Ok((read, Values::Wide(values)))
        }
        ColumnReader::DoubleColumnReader(mut reader) => {
            let mut values = Vec::new();
            let (read, ..) = reader.read_records(rows, None, None, &mut values)?;
            Ok((read, Values::Real(values)))
        }
        _ => Err(ParquetError::General("it has a column of a type that no table has".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const WRITTEN: [ColumnSpec; 3] =
        [("name", ColumnType::Text), ("small", ColumnType::U32), ("large", ColumnType::U64)];

    type Thing = (&'static str, u32, u64);

    fn file() -> Bytes {
        let columns: [Column<Thing>; 3] = [
            Column { spec: WRITTEN[0], values: |rows| Values::text(rows.iter().map(|row| row.0)) },
            Column { spec: WRITTEN[1], values: |rows| Values::narrow(rows.iter().map(|row| row.1)) },
            Column { spec: WRITTEN[2], values: |rows| Values::wide(rows.iter().map(|row| row.2)) },
        ];
        let rows = [("a", 0, 0), ("b", u32::MAX, u64::MAX), ("c", 0, 0), ("", u32::MAX, u64::MAX)];
        let mut out = Vec::new();
        write_table(&mut out, "things", &columns, &rows, 2).unwrap();
        out.into()
    }

    fn reader() -> SerializedFileReader<Bytes> {
        SerializedFileReader::new(file()).unwrap()
    }

    fn failure(columns: &[ColumnSpec]) -> String {
        read_table(&reader(), columns, |_| Ok(())).unwrap_err().to_string()
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_all_row_groups() {
        let mut large = Vec::new();
        let mut names = Vec::new();
        read_table(&reader(), &[WRITTEN[2], WRITTEN[0]], |values| {
            let [Values::Wide(wide), Values::Text(text)] = &values[..] else { panic!("{values:?}") };
            large.extend(wide.iter().map(|value| value.cast_unsigned()));
            names.extend(text.iter().map(|name| name.as_utf8().unwrap().to_owned()));
            Ok(())
        })
        .unwrap();
        assert_eq!(large, [0, u64::MAX, 0, u64::MAX]);
        assert_eq!(names, ["a", "b", "c", ""]);
    }

    #[test]
    fn what_is_missing_is_null_and_no_number() {
        let mut out = Vec::new();
        let columns = vec![
            (WRITTEN[2], ColumnValues::Some(vec![Some(7), None, Some(u64::MAX)])),
            (WRITTEN[1], ColumnValues::All(Values::narrow([1, 2, 3].into_iter()))),
        ];
        write_columns(&mut out, "things", columns).unwrap();
        let file = SerializedFileReader::new(Bytes::from(out)).unwrap();
        let rows: Vec<String> =
            file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(
            rows,
            ["{large: 7, small: 1}", "{large: null, small: 2}", "{large: 18446744073709551615, small: 3}"]
        );
    }

    #[test]
    fn a_missing_column_is_an_error() {
        assert!(failure(&[("joules", ColumnType::U64)]).contains("no column joules"));
    }

    #[test]
    fn a_column_of_another_type_is_an_error() {
        assert!(failure(&[("small", ColumnType::U64)]).contains("column small is INT32"));
        assert!(failure(&[("small", ColumnType::U8)]).contains("column small is INT32"));
        assert!(failure(&[("name", ColumnType::U64)]).contains("column name is BYTE_ARRAY"));
    }
}
