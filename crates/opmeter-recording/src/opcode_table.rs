use std::fs::File;
use std::io::{self, Write};
use std::panic::catch_unwind;
use std::path::Path;

use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result as ParquetResult};

use crate::column::{ColumnSpec, ColumnType, Values, read_table, write_table};
use crate::{Error, OpcodeRow, Phase};

const COLUMNS: [ColumnSpec; 6] = [
    (OpcodeRow::COLUMNS[0], ColumnType::U32),
    (OpcodeRow::COLUMNS[1], ColumnType::Text),
    (OpcodeRow::COLUMNS[2], ColumnType::Text),
    (OpcodeRow::COLUMNS[3], ColumnType::Text),
    (OpcodeRow::COLUMNS[4], ColumnType::U8),
    (OpcodeRow::COLUMNS[5], ColumnType::U64),
];

/// Rows of a row group: enough for good compression, few enough to hold in memory.
const GROUP_ROWS: usize = 1 << 18;

/// Writes the opcodes table as a Parquet file, compressed with Snappy.
///
/// Columns: `process` (INT32, unsigned), `phase`, `opcode`, `base_opcode` (UTF-8), `number` (INT32,
/// unsigned, 8 bits), `executions` (INT64, unsigned). None has missing values.
///
/// # Errors
/// Whatever `out` gives.
pub fn write_opcodes(out: impl Write + Send, rows: &[OpcodeRow]) -> io::Result<()> {
    let groups = rows.chunks(GROUP_ROWS).map(|rows| {
        vec![
            Values::narrow(rows.iter().map(|row| row.process)),
            Values::text(rows.iter().map(|row| row.phase.name())),
            Values::text(rows.iter().map(|row| row.opcode.as_str())),
            Values::text(rows.iter().map(|row| row.base_opcode.as_str())),
            Values::narrow(rows.iter().map(|row| u32::from(row.number))),
            Values::wide(rows.iter().map(|row| row.executions)),
        ]
    });
    write_table(out, "opcodes", &COLUMNS, groups).map_err(|error| match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    })
}

/// Reads the opcodes table from a Parquet file, in the order of its rows.
///
/// # Errors
/// [`Error::Io`] where the file can't be opened, [`Error::TornTable`] where it is no whole opcodes table.
pub fn read_opcodes(path: &Path) -> Result<Vec<OpcodeRow>, Error> {
    let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
    // On some damage the Parquet reader panics where it should return an error.
    let read = catch_unwind(|| {
        let mut rows = Vec::new();
        read_table(file, &COLUMNS, |values| take_group(values, &mut rows)).map(|()| rows)
    });
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

/// Appends the rows of a row group to `rows`.
fn take_group(values: Vec<Values>, rows: &mut Vec<OpcodeRow>) -> ParquetResult<()> {
    let Ok(
        [
            Values::Narrow(processes),
            Values::Text(phases),
            Values::Text(opcodes),
            Values::Text(base_opcodes),
            Values::Narrow(numbers),
            Values::Wide(executions),
        ],
    ) = <[Values; 6]>::try_from(values)
    else {
        return Err(ParquetError::General("its columns have other types than its schema says".to_owned()));
    };
    let columns =
        processes.iter().zip(&phases).zip(&opcodes).zip(&base_opcodes).zip(&numbers).zip(&executions);
    for (((((process, phase), opcode), base_opcode), number), executions) in columns {
        let phase = text(phase)?;
        rows.push(OpcodeRow {
            process: process.cast_unsigned(),
            phase: phase
                .parse::<Phase>()
                .map_err(|error| ParquetError::General(format!("a row has an unknown phase: {error}")))?,
            opcode: text(opcode)?.to_owned(),
            base_opcode: text(base_opcode)?.to_owned(),
            number: u8::try_from(*number)
                .map_err(|_| ParquetError::General(format!("a row has the opcode number {number}")))?,
            executions: executions.cast_unsigned(),
        });
    }
    Ok(())
}

fn text(bytes: &ByteArray) -> ParquetResult<&str> {
    std::str::from_utf8(bytes.data())
        .map_err(|_| ParquetError::General("it has a text that is not UTF-8".to_owned()))
}
