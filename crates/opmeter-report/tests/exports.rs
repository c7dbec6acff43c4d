//! Exports, compared with golden files.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::fs;
use std::io::{self, ErrorKind, Write};

use common::{assert_golden, rows};
use opmeter_recording::{OpcodeRow, Phase, read_rows};
use opmeter_report::export::Format;

fn export(format: Format, rows: &[OpcodeRow]) -> Vec<u8> {
    let mut out = Vec::new();
    format.write(rows, &mut out).unwrap();
    out
}

/// The tests' rows, and one with the largest numbers and a text that needs quotes.
fn all_rows() -> Vec<OpcodeRow> {
    let mut rows = rows();
    rows.push(OpcodeRow {
        process: u32::MAX,
        phase: Phase::Main,
        opcode: "a \"b\",\nü".into(),
        base_opcode: String::new(),
        number: u8::MAX,
        executions: u64::MAX,
    });
    rows
}

#[test]
fn comma_separated_values() {
    assert_golden("opcodes.csv", &export(Format::Csv, &all_rows()));
    assert_eq!(export(Format::Csv, &[]), b"process,phase,opcode,base_opcode,number,executions\n");
}

#[test]
fn json() {
    let json = export(Format::Json, &all_rows());
    assert_golden("opcodes.json", &json);
    assert_eq!(serde_json::from_slice::<Vec<OpcodeRow>>(&json).unwrap(), all_rows());
    assert_eq!(export(Format::Json, &[]), b"[\n]\n");
}

#[test]
fn parquet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("opcodes.parquet");
    fs::write(&path, export(Format::Parquet, &all_rows())).unwrap();
    assert_eq!(read_rows::<OpcodeRow>(&path).unwrap(), all_rows());
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "xml".parse::<Format>().unwrap_err();
    assert_eq!(error.to_string(), "\"xml\" is not an export format; use csv, parquet or json");
}

/// A pipe whose reader goes after some bytes.
struct ShortPipe(usize);

impl Write for ShortPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_told_as_such() {
    let many: Vec<OpcodeRow> = all_rows().into_iter().cycle().take(5000).collect();
    for format in Format::ALL {
        for bytes in [0, 300] {
            let error = format.write(&many, &mut ShortPipe(bytes)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{format} after {bytes} bytes: {error}");
        }
    }
}
