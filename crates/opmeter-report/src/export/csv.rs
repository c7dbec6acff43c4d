use std::io::{self, Write};

use csv::{ErrorKind, Writer};
use opmeter_recording::OpcodeRow;

use super::Exporter;

/// Comma-separated values.
pub(super) struct Csv;

impl Exporter for Csv {
    fn opcodes(&self, rows: &[OpcodeRow], out: &mut dyn Write) -> io::Result<()> {
        let mut writer = Writer::from_writer(out);
        writer.write_record(OpcodeRow::COLUMNS).map_err(io_error)?;
        for row in rows {
            let process = row.process.to_string();
            let number = row.number.to_string();
            let executions = row.executions.to_string();
            let record = [&process, row.phase.name(), &row.opcode, &row.base_opcode, &number, &executions];
            writer.write_record(record).map_err(io_error)?;
        }
        writer.flush()
    }
}

/// The stream's own error where there is one, so that its kind is kept.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
