use std::io::{self, Write};

use opmeter_recording::{OpcodeRow, write_opcodes};

use super::Exporter;

/// Parquet, as in the recording itself.
pub(super) struct Parquet;

impl Exporter for Parquet {
    fn opcodes(&self, rows: &[OpcodeRow], out: &mut dyn Write) -> io::Result<()> {
        // The file is made in memory (a few kilobytes): the Parquet writer takes only streams that may
        // change threads, and not every `out` may.
        let mut file = Vec::new();
        write_opcodes(&mut file, rows)?;
        out.write_all(&file)?;
        out.flush()
    }
}
