use std::fs::File;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::errors::{ParquetError, Result as ParquetResult};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::cell::Interner;
use crate::column::{Column, ColumnSpec, Values, read_table, write_table};

/// Rows of a row group: enough for good compression, few enough to hold in memory.
const GROUP_ROWS: usize = 1 << 16;

/// A row of one of the tables of a recording.
pub trait TableRow: Cells + Serialize + for<'de> Deserialize<'de> {
    /// The table's name: that of its file, and on the command line.
    const TABLE: &'static str;

    /// The names of the columns, in order: the same in every format.
    const COLUMNS: &'static [&'static str];
}

/// How rows become columns, and columns rows. Only `table!` implements it.
pub trait Cells: Sized {
    /// The columns.
    fn columns() -> Vec<Column<Self>>;

    /// Appends the rows that these values of all columns make up.
    fn append(columns: Vec<Values>, interner: &mut Interner, rows: &mut Vec<Self>) -> ParquetResult<()>;
}

/// Makes a row type one of a table: its name, and the row's fields, which are the columns.
macro_rules! table {
    ($row:ident, $name:literal, [$($field:ident),+ $(,)?]) => {
        impl crate::table_row::TableRow for $row {
            const TABLE: &'static str = $name;
            const COLUMNS: &'static [&'static str] = &$row::COLUMNS;
        }

        impl crate::table_row::Cells for $row {
            fn columns() -> Vec<crate::column::Column<$row>> {
                vec![$(crate::column::Column {
                    spec: (stringify!($field), crate::cell::column_type(|row: &$row| &row.$field)),
                    values: |rows| crate::cell::Cell::values(rows.iter().map(|row| &row.$field)),
                }),+]
            }

            fn append(
                columns: Vec<crate::column::Values>,
                interner: &mut crate::cell::Interner,
                rows: &mut Vec<$row>,
            ) -> parquet::errors::Result<()> {
                let count = columns.first().map_or(0, crate::column::Values::len);
                let mut columns = columns.iter();
                $(let $field = crate::cell::next_column(&mut columns, count)?;)+
                rows.reserve(count);
                for place in 0..count {
                    rows.push($row { $($field: crate::cell::Cell::read($field, place, interner)?),+ });
                }
                Ok(())
            }
        }
    };
}

pub(crate) use table;

/// Writes a table as a Parquet file, compressed with Snappy. Numbers are unsigned INT32 and INT64, texts
/// UTF-8; no column has missing values.
///
/// # Errors
/// Whatever `out` gives.
pub fn write_rows<R: TableRow>(out: impl Write + Send, rows: &[R]) -> io::Result<()> {
    write_table(out, R::TABLE, &R::columns(), rows, GROUP_ROWS).map_err(|error| match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    })
}

/// Reads a table from a Parquet file, in the order of its rows.
///
/// # Errors
/// [`Error::Io`] where the file can't be opened, [`Error::TornTable`] where it is no whole table of these
/// rows.
pub fn read_rows<R: TableRow>(path: &Path) -> Result<Vec<R>, Error> {
    read_interned(path, &mut Interner::default())
}

/// Reads a table as [`read_rows`] does; texts that `interner` has seen are shared.
pub(crate) fn read_interned<R: TableRow>(path: &Path, interner: &mut Interner) -> Result<Vec<R>, Error> {
    let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
    // On some damage the Parquet reader panics where it should return an error. An interner that was left
    // half way holds whole texts all the same.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut rows = Vec::new();
        let columns: Vec<ColumnSpec> = R::columns().iter().map(|column| column.spec).collect();
        read_table(file, &columns, |values| R::append(values, interner, &mut rows)).map(|()| rows)
    }));
    let reason = match read {
        Ok(Ok(rows)) => return Ok(rows),
        Ok(Err(error)) => reason(&error),
        Err(_) => "its parts do not fit together".to_owned(),
    };
    Err(Error::TornTable { path: path.to_owned(), reason })
}

/// What is wrong with a file, in the words of the Parquet reader.
fn reason(error: &ParquetError) -> String {
    match error {
        ParquetError::General(text) | ParquetError::EOF(text) => text.clone(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InstructionRow, LineRow, OpcodeRow, PairRow, SourceRow, SpecializationRow};

    fn columns_are_fields<R: TableRow>() {
        let names: Vec<&str> = R::columns().iter().map(|column| column.spec.0).collect();
        assert_eq!(names, R::COLUMNS, "{}", R::TABLE);
    }

    #[test]
    fn the_columns_are_the_fields() {
        columns_are_fields::<OpcodeRow>();
        columns_are_fields::<InstructionRow>();
        columns_are_fields::<LineRow>();
        columns_are_fields::<PairRow>();
        columns_are_fields::<SpecializationRow>();
        columns_are_fields::<SourceRow>();
    }
}
