//! Recordings written to a folder and read back, whole and damaged.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use opmeter_recording::{
    Error, ExitStatus, Manifest, OpcodeRow, Phase, Process, Recording, is_recording, read_opcodes,
};

fn manifest() -> Manifest {
    Manifest {
        command: vec!["python3".into(), "bench.py".into()],
        wall_seconds: 1.25,
        exit: ExitStatus { code: Some(3), signal: None },
        complete: true,
        processes: vec![Process { python: "3.11.7".into(), ..Process::default() }],
        ..Manifest::default()
    }
}

fn rows() -> Vec<OpcodeRow> {
    let row = |process, phase, opcode: &str, base_opcode: &str, number, executions| OpcodeRow {
        process,
        phase,
        opcode: opcode.into(),
        base_opcode: base_opcode.into(),
        number,
        executions,
    };
    vec![
        row(0, Phase::Startup, "LOAD_FAST", "LOAD_FAST", 124, 1),
        row(0, Phase::Main, "COMPARE_OP_INT_JUMP/POP_JUMP_IF_FALSE", "POP_JUMP_IF_FALSE", 255, u64::MAX),
        row(u32::MAX, Phase::Shutdown, "LOAD_ATTR_SLOT", "LOAD_ATTR", 0, 0),
    ]
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/run.opm");
    assert!(!is_recording(&path));
    Recording::write(&path, &manifest(), &rows()).unwrap();
    assert!(is_recording(&path));
    assert_eq!(names(&path), ["manifest.json", "opcodes.parquet"]);
    let recording = Recording::open(&path).unwrap();
    assert_eq!(recording, Recording { path, manifest: manifest(), opcodes: rows() });
}

#[test]
fn many_rows_fill_several_row_groups() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<OpcodeRow> = (0..300_000)
        .map(|n| OpcodeRow { process: n, executions: u64::from(n) << 20, ..rows()[0].clone() })
        .collect();
    Recording::write(folder.path(), &manifest(), &rows).unwrap();
    assert!(Recording::open(folder.path()).unwrap().opcodes == rows);
}

#[test]
fn no_rows_are_a_table_too() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &[]).unwrap();
    assert_eq!(Recording::open(folder.path()).unwrap().opcodes, []);
}

#[test]
fn a_recording_is_replaced_and_other_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("live")).unwrap();
    Recording::write(folder.path(), &manifest(), &rows()).unwrap();
    Recording::write(folder.path(), &Manifest::default(), &rows()[1..]).unwrap();
    assert_eq!(names(folder.path()), ["live", "manifest.json", "opcodes.parquet"]);
    let recording = Recording::open(folder.path()).unwrap();
    assert_eq!(recording.manifest, Manifest::default());
    assert_eq!(recording.opcodes, rows()[1..]);
}

#[test]
fn a_write_that_fails_leaves_nothing_that_looks_whole() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &rows()).unwrap();
    // A folder in the table's place: the table can't be given its name.
    fs::remove_file(folder.path().join("opcodes.parquet")).unwrap();
    fs::create_dir_all(folder.path().join("opcodes.parquet/in the way")).unwrap();
    let error = Recording::write(folder.path(), &manifest(), &rows()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    assert!(!is_recording(folder.path()));
    assert_eq!(names(folder.path()), ["opcodes.parquet"]);
}

#[test]
fn what_is_no_whole_recording_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let missing = Recording::open(&path.join("none.opm")).unwrap_err();
    assert!(matches!(missing, Error::Missing { .. }), "{missing}");
    assert!(matches!(Recording::open(path), Err(Error::NotARecording { .. })));
    fs::create_dir(path.join("live")).unwrap();
    assert!(is_recording(path));
    let unfinished = Recording::open(path).unwrap_err();
    assert!(matches!(unfinished, Error::Unfinished { .. }), "{unfinished}");
    fs::write(path.join("manifest.json"), r#"{"schema_version": 1}"#).unwrap();
    let no_table = Recording::open(path).unwrap_err();
    assert!(no_table.to_string().contains("the file is missing"), "{no_table}");
}

#[test]
fn a_table_cut_short_anywhere_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &rows()).unwrap();
    let path = folder.path().join("opcodes.parquet");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Recording::open(folder.path()).unwrap_err();
        assert!(matches!(error, Error::TornTable { .. }), "{length}: {error}");
    }
}

#[test]
fn a_changed_byte_never_ends_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &rows()).unwrap();
    let whole = fs::read(folder.path().join("opcodes.parquet")).unwrap();
    let path = folder.path().join("changed.parquet");
    for place in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[place] ^= change;
            fs::write(&path, changed).unwrap();
            assert!(catch_unwind(|| drop(read_opcodes(&path))).is_ok(), "byte {place} ^ {change:#x}");
        }
    }
}
