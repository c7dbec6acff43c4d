use std::io::{self, Write};

use csv::{ErrorKind, Writer, WriterBuilder};
use opmeter_recording::{TableRow, Values, columns_of};

/// Rows whose columns are in memory at a time.
const PART_ROWS: usize = 1 << 12;

/// Writes rows as comma-separated values.
pub(super) fn write<R: TableRow>(rows: &[R], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = WriterBuilder::new().from_writer(out);
    let columns = columns_of(rows);
    // The names of the columns stand there also where there are no rows.
    writer.write_record(columns.iter().map(|column| column.spec.0)).map_err(csv_error)?;
    for rows in rows.chunks(PART_ROWS) {
        let values: Vec<Values> = columns.iter().map(|column| (column.values)(rows)).collect();
        for place in 0..rows.len() {
            for column in &values {
                write_cell(column, place, &mut writer)?;
            }
            writer.write_record(None::<&[u8]>).map_err(csv_error)?;
        }
    }
    writer.flush()
}

fn write_cell(column: &Values, place: usize, writer: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    let mut digits = itoa::Buffer::new();
    let real;
    let cell = match column {
        Values::Text(texts) => texts[place].data(),
        Values::Narrow(numbers) => digits.format(numbers[place].cast_unsigned()).as_bytes(),
        Values::Wide(numbers) => digits.format(numbers[place].cast_unsigned()).as_bytes(),
        Values::Real(numbers) => {
            real = numbers[place].to_string();
            real.as_bytes()
        }
    };
    writer.write_field(cell).map_err(csv_error)
}

/// The stream's own error where there is one, so that its kind is kept.
pub(crate) fn csv_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
