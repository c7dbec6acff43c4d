use std::io::{self, Write};

use csv::{ErrorKind, WriterBuilder};
use opmeter_recording::TableRow;

/// Writes rows as comma-separated values.
pub(super) fn write<R: TableRow>(rows: &[R], out: &mut dyn Write) -> io::Result<()> {
    // The names of the columns stand there also where there are no rows.
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(out);
    writer.write_record(R::COLUMNS).map_err(io_error)?;
    for row in rows {
        writer.serialize(row).map_err(io_error)?;
    }
    writer.flush()
}

/// The stream's own error where there is one, so that its kind is kept.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
