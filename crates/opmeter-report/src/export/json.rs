use std::io::{self, BufWriter, Write};

use opmeter_recording::OpcodeRow;

use super::Exporter;

/// A JSON array of objects.
pub(super) struct Json;

impl Exporter for Json {
    fn opcodes(&self, rows: &[OpcodeRow], out: &mut dyn Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        out.write_all(b"[")?;
        for (place, row) in rows.iter().enumerate() {
            out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut out, row)?;
        }
        out.write_all(b"\n]\n")?;
        out.flush()
    }
}
