//! Recordings written to a folder and read back, whole and damaged.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use opmeter_recording::{
    Energy, EnergyDomain, EnergyRow, Error, ExitStatus, InstructionRow, Manifest, NetEnergy, OpcodeRow,
    PairRow, Phase, Process, Recording, RunRow, SourceRow, SourceTextRow, SpecializationRow, TableRow,
    Tables, is_recording, lines, read_rows,
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
        time: None,
    };
    vec![
        row(0, Phase::Startup, "LOAD_FAST", "LOAD_FAST", 124, 1),
        row(0, Phase::Main, "COMPARE_OP_INT_JUMP/POP_JUMP_IF_FALSE", "POP_JUMP_IF_FALSE", 255, u64::MAX),
        row(u32::MAX, Phase::Shutdown, "LOAD_ATTR_SLOT", "LOAD_ATTR", 0, 0),
    ]
}

fn instruction(offset: u32, opcode: &str, executions: u64) -> InstructionRow {
    InstructionRow {
        process: 0,
        phase: Phase::Main,
        file: "/home/ü/bench.py".into(),
        function: "f.<locals>.<lambda>".into(),
        first_line: 3,
        line: 4,
        offset,
        opcode: opcode.into(),
        executions,
        code: 17,
        argument: u32::MAX,
        time: None,
    }
}

/// A table of opcodes, and nothing in the others.
fn opcodes(rows: &[OpcodeRow]) -> Tables {
    Tables { opcodes: rows.to_vec(), ..Tables::default() }
}

/// Two runs; 1e-300 and 0.1 are no sums of few powers of two.
fn energy_rows(net: Option<NetEnergy>) -> Vec<EnergyRow> {
    let row = |run, joules: f64| EnergyRow {
        run,
        source: "powercap".into(),
        domain: "package-0-die-1".into(),
        joules,
        seconds: 0.1,
        watts: joules / 0.1,
        repetitions: 3,
        joules_resolution: 1e-300,
        net: net.clone(),
    };
    vec![row(0, 1.0 / 3.0), row(u32::MAX, 1e300)]
}

fn run_rows() -> Vec<RunRow> {
    vec![
        RunRow { run: 0, seconds: 0.1, cpu_seconds: 0.05, repetitions: 3 },
        RunRow { run: u32::MAX, seconds: 1.0 / 3.0, cpu_seconds: 0.0, repetitions: 1 },
    ]
}

fn tables() -> Tables {
    let instructions = vec![instruction(2, "LOAD_ATTR", u64::MAX), instruction(u32::MAX, "NOP", 0)];
    Tables {
        opcodes: rows(),
        lines: lines(&instructions, &[]),
        distributions: Vec::new(),
        event_sites: Vec::new(),
        runs: run_rows(),
        energy: energy_rows(None),
        pairs: vec![PairRow {
            process: 0,
            phase: Phase::Shutdown,
            first: "LOAD_ATTR_SLOT".into(),
            second: "NOP".into(),
            first_base: "LOAD_ATTR".into(),
            second_base: "NOP".into(),
            executions: 7,
        }],
        specialization: vec![SpecializationRow {
            process: 0,
            phase: Phase::Main,
            file: "/home/ü/bench.py".into(),
            function: "f.<locals>.<lambda>".into(),
            first_line: 3,
            line: 4,
            offset: 2,
            opcode: "LOAD_ATTR".into(),
            executions: 6,
            specialized: 1,
            unspecialized: 2,
            missed: 3,
            code: 17,
        }],
        sources: vec![SourceRow {
            file: "bench.py".into(),
            path: "/home/ü/bench.py".into(),
            size: 1 << 40,
            sha256: "00ff".into(),
            changed: 1,
        }],
        source_texts: vec![SourceTextRow { file: "bench.py".into(), text: "x = 'ü'\r\n\tpass".into() }],
        instructions,
    }
}

/// The manifest as it is read back from a recording of `tables`.
fn read_back(tables: &[&str]) -> Manifest {
    Manifest { tables: tables.iter().map(|&name| name.into()).collect(), ..manifest() }
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
    Recording::write(&path, &manifest(), &tables()).unwrap();
    assert!(is_recording(&path));
    let recording = Recording::open(&path).unwrap();
    let named = [
        "opcodes",
        "instructions",
        "lines",
        "pairs",
        "specialization",
        "sources",
        "source_texts",
        "runs",
        "energy",
    ];
    let manifest = read_back(&named);
    let mut files: Vec<String> = named.iter().map(|name| format!("{name}.parquet")).collect();
    files.push("manifest.json".to_owned());
    files.sort();
    assert_eq!(names(&path), files);
    assert_eq!(recording, Recording { path, manifest, tables: tables() });
}

#[test]
fn energy_is_added_to_counts_and_leaves_them_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let counted = Tables { energy: Vec::new(), runs: Vec::new(), ..tables() };
    Recording::write(path, &manifest(), &counted).unwrap();
    let mut recording = Recording::open(path).unwrap();
    assert!(recording.manifest.has_counts() && !recording.manifest.has_energy());
    recording.manifest.energy = Some(energy());
    recording.tables.energy = energy_rows(Some(NetEnergy { idle_watts: 0.7, joules_net: 0.25 }));
    recording.tables.runs = run_rows();
    recording.manifest = Recording::write_runs(path, &recording.manifest, &recording.tables).unwrap();
    assert!(recording.manifest.has_counts() && recording.manifest.has_energy());
    assert_eq!(Recording::open(path).unwrap(), recording);
    // And again, with other runs, whose energy is not known.
    recording.tables.energy.clear();
    recording.tables.runs.truncate(1);
    recording.manifest = Recording::write_runs(path, &recording.manifest, &recording.tables).unwrap();
    assert!(recording.manifest.has_counts() && !recording.manifest.has_energy());
    assert_eq!(Recording::open(path).unwrap(), recording);
}

#[test]
fn energy_may_be_all_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = Manifest { energy: Some(energy()), tables: Vec::new(), ..manifest() };
    let tables = Tables { energy: energy_rows(None), runs: run_rows(), ..Tables::default() };
    Recording::write_runs(folder.path(), &manifest, &tables).unwrap();
    let recording = Recording::open(folder.path()).unwrap();
    assert!(recording.manifest.has_energy() && !recording.manifest.has_counts());
    assert_eq!(recording.tables, tables);
    assert_eq!(names(folder.path()), ["energy.parquet", "manifest.json", "runs.parquet"]);
}

fn energy() -> Energy {
    Energy {
        source: "powercap".into(),
        runs: 2,
        domains: vec![EnergyDomain {
            domain: "package-0-die-1".into(),
            kind: "package".into(),
            socket: Some(0),
            die: Some(1),
            update_seconds: Some(0.001),
            ..EnergyDomain::default()
        }],
        complete: true,
        ..Energy::default()
    }
}

#[test]
fn many_rows_fill_several_row_groups_and_share_their_texts() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<OpcodeRow> = (0..300_000)
        .map(|n| OpcodeRow { process: n, executions: u64::from(n) << 20, ..rows()[0].clone() })
        .collect();
    let instructions = (0..300_000).map(|n| instruction(n, "NOP", 1)).collect();
    let tables = Tables { instructions, ..opcodes(&rows) };
    Recording::write(folder.path(), &manifest(), &tables).unwrap();
    let read = Recording::open(folder.path()).unwrap().tables;
    assert!(read == tables);
    assert!(std::sync::Arc::ptr_eq(&read.instructions[0].file, &read.instructions[299_999].file));
}

#[test]
fn no_rows_are_a_table_too() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &Tables::default()).unwrap();
    assert_eq!(Recording::open(folder.path()).unwrap().tables, Tables::default());
}

#[test]
fn pairs_have_a_file_only_where_they_were_recorded() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &tables()).unwrap();
    Recording::write(folder.path(), &manifest(), &opcodes(&rows())).unwrap();
    assert!(!folder.path().join("pairs.parquet").exists());
    let recording = Recording::open(folder.path()).unwrap();
    assert_eq!(recording.manifest.tables, ["opcodes", "instructions", "lines", "specialization", "sources"]);
    assert_eq!(recording.tables, opcodes(&rows()));
}

#[test]
fn a_recording_from_before_there_were_other_tables_has_opcodes() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &tables()).unwrap();
    fs::write(folder.path().join("manifest.json"), r#"{"schema_version": 1}"#).unwrap();
    assert_eq!(Recording::open(folder.path()).unwrap().tables, opcodes(&rows()));
}

#[test]
fn a_table_that_the_manifest_names_and_that_has_no_file_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["opcodes", "instructions", "lines", "pairs", "specialization", "sources"] {
        Recording::write(folder.path(), &manifest(), &tables()).unwrap();
        fs::remove_file(folder.path().join(format!("{name}.parquet"))).unwrap();
        let error = Recording::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains(&format!("{name}.parquet: the table is damaged (the file is")));
    }
}

#[test]
fn a_recording_is_replaced_and_other_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("live")).unwrap();
    Recording::write(folder.path(), &manifest(), &tables()).unwrap();
    Recording::write(folder.path(), &Manifest::default(), &opcodes(&rows()[1..])).unwrap();
    assert!(folder.path().join("live").exists());
    let recording = Recording::open(folder.path()).unwrap();
    assert_eq!(
        recording.manifest,
        Manifest { tables: recording.manifest.tables.clone(), ..Manifest::default() }
    );
    assert_eq!(recording.tables, opcodes(&rows()[1..]));
}

#[test]
fn a_write_that_fails_leaves_nothing_that_looks_whole() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &tables()).unwrap();
    // A folder in the table's place: the table can't be given its name.
    fs::remove_file(folder.path().join("lines.parquet")).unwrap();
    fs::create_dir_all(folder.path().join("lines.parquet/in the way")).unwrap();
    let error = Recording::write(folder.path(), &manifest(), &tables()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    assert!(!is_recording(folder.path()));
    assert!(names(folder.path()).iter().all(|name| !name.starts_with('.')));
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
    for name in ["opcodes.parquet", "instructions.parquet"] {
        Recording::write(folder.path(), &manifest(), &tables()).unwrap();
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Recording::open(folder.path()).unwrap_err();
            assert!(matches!(error, Error::TornTable { .. }), "{length}: {error}");
        }
    }
}

#[test]
fn a_changed_byte_never_ends_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    Recording::write(folder.path(), &manifest(), &tables()).unwrap();
    changed_bytes::<OpcodeRow>(folder.path());
    changed_bytes::<InstructionRow>(folder.path());
}

fn changed_bytes<R: TableRow>(folder: &Path) {
    let whole = fs::read(folder.join(format!("{}.parquet", R::TABLE))).unwrap();
    let path = folder.join("changed.parquet");
    for place in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[place] ^= change;
            fs::write(&path, changed).unwrap();
            assert!(catch_unwind(|| drop(read_rows::<R>(&path))).is_ok(), "byte {place} ^ {change:#x}");
        }
    }
}
