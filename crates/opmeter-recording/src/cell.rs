use std::collections::HashSet;
use std::slice::Iter;
use std::sync::Arc;

use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};

use crate::Phase;
use crate::column::{ColumnType, Values};

/// Texts that were read, each kept once where it can be: tables repeat few names many times.
#[derive(Debug, Default)]
pub struct Interner {
    known: HashSet<Arc<str>>,
    /// How many bytes the other texts may have yet.
    left: u64,
}

impl Interner {
    /// Texts that are not shared may have so many bytes in all.
    pub(crate) fn allow(&mut self, bytes: u64) {
        self.left = bytes;
    }

    fn own(&mut self, text: &str) -> Result<String> {
        let left = self.left.checked_sub(text.len() as u64);
        self.left = left.ok_or_else(|| {
            ParquetError::General("its texts have more bytes than those of its length have".to_owned())
        })?;
        Ok(text.to_owned())
    }

    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.known.insert(text.clone());
        text
    }
}

/// A type that a field of a row may have.
pub(crate) trait Cell: Sized {
    /// The type of its column.
    const COLUMN: ColumnType;

    /// The values of its column.
    fn values<'a>(cells: impl Iterator<Item = &'a Self>) -> Values
    where
        Self: 'a;

    /// The value of row `place` of a column that has so many.
    fn read(column: &Values, place: usize, interner: &mut Interner) -> Result<Self>;
}

/// The type of the column that a field of a row stands in.
pub(crate) fn column_type<R, C: Cell>(_field: impl Fn(&R) -> &C) -> ColumnType {
    C::COLUMN
}

/// The next of a row group's columns, which has a value for each of `count` rows.
pub(crate) fn next_column<'a>(columns: &mut Iter<'a, Values>, count: usize) -> Result<&'a Values> {
    let column = columns.next().ok_or_else(|| other_types("fewer columns"))?;
    if column.len() == count { Ok(column) } else { Err(other_types("columns of other lengths")) }
}

fn other_types(found: &str) -> ParquetError {
    ParquetError::General(format!("it has {found} than its schema says"))
}

fn narrow(column: &Values, place: usize) -> Result<u32> {
    match column {
        Values::Narrow(values) => Ok(values[place].cast_unsigned()),
        _ => Err(other_types("other types")),
    }
}

fn text(column: &Values, place: usize) -> Result<&str> {
    match column {
        Values::Text(values) => utf8(&values[place]),
        _ => Err(other_types("other types")),
    }
}

fn utf8(bytes: &ByteArray) -> Result<&str> {
    std::str::from_utf8(bytes.data())
        .map_err(|_| ParquetError::General("it has a text that is not UTF-8".to_owned()))
}

impl Cell for u8 {
    const COLUMN: ColumnType = ColumnType::U8;

    fn values<'a>(cells: impl Iterator<Item = &'a u8>) -> Values {
        Values::narrow(cells.copied().map(u32::from))
    }

    fn read(column: &Values, place: usize, _: &mut Interner) -> Result<u8> {
        let number = narrow(column, place)?;
        u8::try_from(number)
            .map_err(|_| ParquetError::General(format!("a row has the number {number}, of more than 8 bits")))
    }
}

impl Cell for u32 {
    const COLUMN: ColumnType = ColumnType::U32;

    fn values<'a>(cells: impl Iterator<Item = &'a u32>) -> Values {
        Values::narrow(cells.copied())
    }

    fn read(column: &Values, place: usize, _: &mut Interner) -> Result<u32> {
        narrow(column, place)
    }
}

impl Cell for u64 {
    const COLUMN: ColumnType = ColumnType::U64;

    fn values<'a>(cells: impl Iterator<Item = &'a u64>) -> Values {
        Values::wide(cells.copied())
    }

    fn read(column: &Values, place: usize, _: &mut Interner) -> Result<u64> {
        match column {
            Values::Wide(values) => Ok(values[place].cast_unsigned()),
            _ => Err(other_types("other types")),
        }
    }
}

impl Cell for f64 {
    const COLUMN: ColumnType = ColumnType::F64;

    fn values<'a>(cells: impl Iterator<Item = &'a f64>) -> Values {
        Values::Real(cells.copied().collect())
    }

    fn read(column: &Values, place: usize, _: &mut Interner) -> Result<f64> {
        match column {
            Values::Real(values) => Ok(values[place]),
            _ => Err(other_types("other types")),
        }
    }
}

impl Cell for String {
    const COLUMN: ColumnType = ColumnType::Text;

    fn values<'a>(cells: impl Iterator<Item = &'a String>) -> Values {
        Values::text(cells.map(String::as_str))
    }

    fn read(column: &Values, place: usize, interner: &mut Interner) -> Result<String> {
        text(column, place).and_then(|text| interner.own(text))
    }
}

impl Cell for Arc<str> {
    const COLUMN: ColumnType = ColumnType::Text;

    fn values<'a>(cells: impl Iterator<Item = &'a Arc<str>>) -> Values {
        Values::text(cells.map(|cell| &**cell))
    }

    fn read(column: &Values, place: usize, interner: &mut Interner) -> Result<Arc<str>> {
        text(column, place).map(|text| interner.share(text))
    }
}

impl Cell for Phase {
    const COLUMN: ColumnType = ColumnType::Text;

    fn values<'a>(cells: impl Iterator<Item = &'a Phase>) -> Values {
        Values::text(cells.map(|phase| phase.name()))
    }

    fn read(column: &Values, place: usize, _: &mut Interner) -> Result<Phase> {
        text(column, place)?
            .parse()
            .map_err(|error| ParquetError::General(format!("a row has an unknown phase: {error}")))
    }
}
