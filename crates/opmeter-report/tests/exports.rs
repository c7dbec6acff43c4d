//! Exports, compared with golden files.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::fs;
use std::io::{self, ErrorKind, Write};

use common::{assert_golden, program, rows};
use opmeter_recording::{OpcodeRow, Phase, TableRow, read_rows};
use opmeter_report::export::{Format, Profile, write_callgrind, write_lcov};

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
        time: None,
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

/// Writes a table in every format; each is read back, and the columns are the same.
fn table<R: TableRow + PartialEq + std::fmt::Debug>(rows: &[R]) {
    let written = |format: Format| {
        let mut out = Vec::new();
        format.write(rows, &mut out).unwrap();
        out
    };
    assert_golden(&format!("{}.csv", R::TABLE), &written(Format::Csv));
    let json = written(Format::Json);
    assert_eq!(serde_json::from_slice::<Vec<R>>(&json).unwrap(), rows);
    let columns: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(&json).unwrap();
    let mut names = R::COLUMNS.to_vec();
    names.sort_unstable();
    assert_eq!(columns[0].keys().collect::<Vec<_>>(), names);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    fs::write(&path, written(Format::Parquet)).unwrap();
    assert_eq!(read_rows::<R>(&path).unwrap(), rows);
}

#[test]
fn every_table() {
    let tables = program::tables();
    table(&tables.instructions);
    table(&tables.lines);
    table(&tables.pairs);
    table(&tables.specialization);
    table(&tables.sources);
}

fn profile(write: impl FnOnce(&Profile<'_>, &mut dyn Write) -> io::Result<()>) -> String {
    let tables = program::tables();
    let command = ["python3".to_owned(), "a\nb.py".to_owned()];
    let profile = Profile {
        command: &command,
        instructions: &tables.instructions,
        lines: &tables.lines,
        sources: &tables.sources,
    };
    let mut out = Vec::new();
    write(&profile, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn callgrind() {
    let text = profile(write_callgrind);
    assert_golden("profile.callgrind", text.as_bytes());
    let costs = text.lines().filter(|line| line.starts_with("0x"));
    let sum: u64 = costs.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
    let all: u64 = program::tables().opcodes.iter().map(|row| row.executions).sum();
    assert_eq!(sum, all);
    assert!(text.ends_with(&format!("totals: {all}\n")));
}

#[test]
fn lcov() {
    let text = profile(write_lcov);
    assert_golden("profile.lcov", text.as_bytes());
    assert!(!text.contains("<frozen"), "{text}");
}

#[test]
fn names_never_break_a_format_of_lines() {
    for text in [profile(write_callgrind), profile(write_lcov)] {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        assert!(text.contains(r"evil\nfn=(1)\u{1b}[2J"), "{text}");
    }
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
