use std::io::{self, Write};

use opmeter_recording::OpcodeRow;

/// Something that writes tables in one format.
pub trait Exporter {
    /// Writes the opcodes table: all `rows`, in their order, in the columns
    /// [`OpcodeRow::COLUMNS`].
    ///
    /// # Errors
    /// Whatever `out` gives, unchanged.
    fn opcodes(&self, rows: &[OpcodeRow], out: &mut dyn Write) -> io::Result<()>;
}
