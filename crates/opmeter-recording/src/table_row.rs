use std::cell::Cell;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::cell::Interner;
use crate::column::{Column, ColumnSpec, Values, has_column, read_table, write_table};
use crate::seal;
use crate::table_file::TableFile;

/// Rows of a row group: enough for good compression, few enough to hold in memory.
const GROUP_ROWS: usize = 1 << 16;

/// A row of one of the tables of a recording.
pub trait TableRow: Cells + Serialize + for<'de> Deserialize<'de> {
    /// The table's name: that of its file, and on the command line.
    const TABLE: &'static str;

    /// The names of the columns, in order: the same in every format.
    const COLUMNS: &'static [&'static str];

    /// The names of the columns that follow where more was measured, such as times.
    const OPTIONAL_COLUMNS: &'static [&'static str];
}

/// How rows become columns, and columns rows. Only `table!` implements it.
pub trait Cells: Sized {
    /// The columns, those that are optional included if they are wanted.
    fn columns(all: bool) -> Vec<Column<Self>>;

    /// Whether the row has what the optional columns tell.
    fn has_all(&self) -> bool;

    /// Appends the rows that these values of all columns make up.
    fn append(
        columns: Vec<Values>,
        all: bool,
        interner: &mut Interner,
        rows: &mut Vec<Self>,
    ) -> ParquetResult<()>;
}

/// Makes a row type one of a table: its name, and the row's fields, which are the columns. Where another field and
/// its type are named, such as `time OpcodeTime`, the row may hold one there, whose fields are columns where it does.
macro_rules! table {
    (
        $row:ident, $name:literal, [$($field:ident),+ $(,)?]
        $(, $optional:ident $type:ident [$($part:ident),+ $(,)?])?
    ) => {
        impl crate::table_row::TableRow for $row {
            const TABLE: &'static str = $name;
            const COLUMNS: &'static [&'static str] = &$row::COLUMNS;
            const OPTIONAL_COLUMNS: &'static [&'static str] = &[$($(stringify!($part)),+)?];
        }

        impl crate::table_row::Cells for $row {
            fn columns(all: bool) -> Vec<crate::column::Column<$row>> {
                let always = vec![$(crate::column::Column {
                    spec: (stringify!($field), crate::cell::column_type(|row: &$row| &row.$field)),
                    values: |rows: &[$row]| crate::cell::Cell::values(rows.iter().map(|row| &row.$field)),
                }),+];
                let optional: Vec<crate::column::Column<$row>> = vec![$($(crate::column::Column {
                    spec: (stringify!($part), crate::cell::column_type(|optional: &$type| &optional.$part)),
                    values: |rows: &[$row]| {
                        let optional = rows.iter().map(|row| row.$optional.as_ref().unwrap_or(&$type::NONE));
                        crate::cell::Cell::values(optional.map(|optional| &optional.$part))
                    },
                }),+)?];
                always.into_iter().chain(optional.into_iter().filter(|_| all)).collect()
            }

            fn has_all(&self) -> bool {
                false $(|| { let optional: &Option<$type> = &self.$optional; optional.is_some() })?
            }

            #[allow(unused_variables)]
            fn append(
                columns: Vec<crate::column::Values>,
                all: bool,
                interner: &mut crate::cell::Interner,
                rows: &mut Vec<$row>,
            ) -> parquet::errors::Result<()> {
                let count = columns.first().map_or(0, crate::column::Values::len);
                let mut columns = columns.iter();
                $(let $field = crate::cell::next_column(&mut columns, count)?;)+
                let first = rows.len();
                rows.reserve(count);
                for place in 0..count {
                    rows.push($row {
                        $($field: crate::cell::Cell::read($field, place, interner)?,)+
                        $($optional: crate::table_row::none!($type),)?
                    });
                }
                $(if all {
                    $(let $part = crate::cell::next_column(&mut columns, count)?;)+
                    for (place, row) in rows[first..].iter_mut().enumerate() {
                        row.$optional =
                            Some($type { $($part: crate::cell::Cell::read($part, place, interner)?),+ });
                    }
                })?
                Ok(())
            }
        }
    };
}

/// Nothing of a type, which the table's declaration names.
macro_rules! none {
    ($type:ident) => {
        None
    };
}

pub(crate) use none;
pub(crate) use table;

/// Writes a table as a Parquet file, compressed with Snappy. Whole numbers are unsigned INT32 and INT64, others
/// DOUBLE, texts UTF-8; no column has missing values. There are optional columns if any of the rows has theirs. The
/// file has a checksum of itself.
///
/// # Errors
/// Whatever `out` gives.
pub fn write_rows<R: TableRow>(mut out: impl Write + Send, rows: &[R]) -> io::Result<()> {
    let mut bytes = Vec::new();
    write_table(&mut bytes, R::TABLE, &columns_of(rows), rows, GROUP_ROWS).map_err(io_error)?;
    seal::seal(&mut bytes);
    out.write_all(&bytes)
}

/// The stream's own error where there is one, so that its kind is kept.
pub(crate) fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}

/// The columns that these rows have.
pub fn columns_of<R: TableRow>(rows: &[R]) -> Vec<Column<R>> {
    R::columns(rows.iter().any(R::has_all))
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
    let file = TableFile::open(path).map_err(|source| Error::io("read", path, source))?;
    if seal::is_intact(&file).map_err(|source| Error::io("read", path, source))? == Some(false) {
        let reason = "it is not what its checksum says".to_owned();
        return Err(Error::TornTable { path: path.to_owned(), reason });
    }
    interner.allow(file.most());
    READING.set(true);
    // On some damage the Parquet reader panics where it should return an error. An interner that was left
    // half way holds whole texts all the same.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut rows = Vec::new();
        let reader = SerializedFileReader::new(file.clone())?;
        file.check(reader.metadata())?;
        let specs = |all| R::columns(all).iter().map(|column| column.spec).collect::<Vec<ColumnSpec>>();
        let all = R::OPTIONAL_COLUMNS.first().is_some_and(|name| has_column(&reader, name));
        let append = |values| R::append(values, all, interner, &mut rows);
        read_table(&reader, &specs(all), append).map(|()| rows)
    }));
    READING.set(false);
    let reason = match read {
        Ok(Ok(rows)) => return Ok(rows),
        Ok(Err(error)) => reason(&error),
        Err(_) => "its parts do not fit together".to_owned(),
    };
    Err(Error::TornTable { path: path.to_owned(), reason })
}

thread_local! {
    /// Whether this thread reads a table.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread reads a table at this moment. If it panics then, the table is damaged, and an error tells
/// that: it need not be told twice.
pub fn is_reading_table() -> bool {
    READING.get()
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
    use crate::{
        EnergyRow, InstructionRow, LineRow, OpcodeRow, PairRow, RunRow, SourceRow, SourceTextRow,
        SpecializationRow,
    };

    fn columns_are_fields<R: TableRow>() {
        let names = |all| R::columns(all).iter().map(|column| column.spec.0).collect::<Vec<&str>>();
        assert_eq!(names(false), R::COLUMNS, "{}", R::TABLE);
        assert_eq!(names(true), [R::COLUMNS, R::OPTIONAL_COLUMNS].concat(), "{}", R::TABLE);
    }

    #[test]
    fn the_columns_are_the_fields() {
        columns_are_fields::<OpcodeRow>();
        columns_are_fields::<InstructionRow>();
        columns_are_fields::<LineRow>();
        columns_are_fields::<PairRow>();
        columns_are_fields::<SpecializationRow>();
        columns_are_fields::<SourceRow>();
        columns_are_fields::<SourceTextRow>();
        columns_are_fields::<EnergyRow>();
        columns_are_fields::<RunRow>();
    }
}
