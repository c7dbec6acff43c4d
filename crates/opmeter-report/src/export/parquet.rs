use std::io::{self, Write};

use opmeter_recording::{TableRow, write_rows};

/// Writes rows as Parquet, as in the recording itself.
pub(super) fn write<R: TableRow>(rows: &[R], out: &mut dyn Write) -> io::Result<()> {
    // The file is made in memory (a few megabytes at most): the Parquet writer takes only streams that may
    // change threads, and not every `out` may.
    let mut file = Vec::new();
    write_rows(&mut file, rows)?;
    out.write_all(&file)?;
    out.flush()
}
