use std::io::{self, BufWriter, Write};

use opmeter_recording::TableRow;

/// Writes rows as a JSON array of objects.
pub(super) fn write<R: TableRow>(rows: &[R], out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    out.write_all(b"[")?;
    for (place, row) in rows.iter().enumerate() {
        out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut out, row)?;
    }
    out.write_all(b"\n]\n")?;
    out.flush()
}
