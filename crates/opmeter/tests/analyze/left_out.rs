//! What is left out of tables, and why; and what has no counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use opmeter_recording::{
    Energy, EnergyDomain, EnergyRow, Manifest, OpcodeRow, Phase, Process, ProcessState, Recording, RunRow,
    Tables,
};

use crate::recorded::opmeter;

/// A folder of recordings that are made by hand.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A recording of a program that executed so much, on one of two interpreters.
    fn record(&self, name: &str, python: &str, executions: u64) -> PathBuf {
        let process = Process {
            implementation: "CPython".to_owned(),
            python: python.to_owned(),
            state: ProcessState::Metered,
            ..Process::default()
        };
        let manifest = Manifest {
            command: vec![name.to_owned()],
            started: format!("2026-01-01T00:00:00.{executions:03}Z"),
            complete: true,
            processes: vec![process],
            ..Manifest::default()
        };
        let row = OpcodeRow {
            process: 0,
            phase: Phase::Main,
            opcode: "NOP".to_owned(),
            base_opcode: "NOP".to_owned(),
            number: 9,
            executions,
            time: None,
        };
        let path = self.path(name);
        Recording::write(&path, &manifest, &Tables { opcodes: vec![row], ..Tables::default() }).unwrap();
        path
    }

    /// A recording of energy alone, by a declared power.
    fn measure(&self, name: &str) -> PathBuf {
        let domain = EnergyDomain {
            domain: "machine".to_owned(),
            kind: "machine".to_owned(),
            ..EnergyDomain::default()
        };
        let energy = Energy {
            source: "estimate".to_owned(),
            estimate: true,
            domains: vec![domain],
            ..Energy::default()
        };
        let manifest = Manifest {
            command: vec![name.to_owned()],
            started: "2026-01-02T00:00:00Z".to_owned(),
            tables: Vec::new(),
            energy: Some(energy),
            ..Manifest::default()
        };
        let row = EnergyRow {
            run: 0,
            source: "estimate".into(),
            domain: "machine".into(),
            joules: 20.0,
            seconds: 2.0,
            watts: 10.0,
            repetitions: 1,
            joules_resolution: 0.0,
            net: None,
        };
        let runs = vec![RunRow { run: 0, seconds: 2.0, cpu_seconds: 1.0, repetitions: 1 }];
        let path = self.path(name);
        Recording::write_runs(&path, &manifest, &Tables { energy: vec![row], runs, ..Tables::default() })
            .unwrap();
        path
    }

    fn analyze(&self, folders: &[&Path], options: &[&str]) -> (Vec<String>, String) {
        let mut command = opmeter();
        command.env("OPMETER_CACHE", self.path("cache")).arg("analyze").args(folders).args(options);
        let output = command.args(["--format", "csv"]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let rows = String::from_utf8(output.stdout.clone()).unwrap();
        (rows.lines().skip(1).map(str::to_owned).collect(), stderr(&output))
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_recording_counts_once_however_often_it_is_there() {
    let folder = Folder::new();
    let one = folder.record("one.opm", "3.11.7", 100);
    folder.record("other.opm", "3.11.7", 50);
    let copied = folder.path("zcopy.opm");
    copy(&one, &copied);
    for folders in [vec![one.as_path(), &one], vec![&one, &copied], vec![folder.0.path(), &one]] {
        let (rows, told) = folder.analyze(&folders, &["--program", "one*"]);
        assert!(rows.len() == 1 && rows[0].contains(",100,"), "{rows:?} {told}");
        assert!(told.contains(": it is the same as "), "{told}");
    }
    // The one that can be read is taken.
    fs::write(one.join("opcodes.parquet"), "torn").unwrap();
    let (rows, told) = folder.analyze(&[folder.0.path()], &[]);
    assert!(rows.len() == 2 && rows.iter().any(|row| row.contains(",100,")), "{rows:?} {told}");
    let line = told.lines().find(|line| line.contains("left out") && line.contains("one.opm")).unwrap();
    assert!(
        line.contains("damaged") && line.contains("zcopy.opm is the same, and is taken instead"),
        "{line}"
    );
}

#[test]
fn energy_alone_has_no_counts_and_is_no_interpreter() {
    let folder = Folder::new();
    let alone = folder.measure("alone.opm");
    folder.record("a.opm", "3.11.7", 100);
    folder.record("b.opm", "3.12.1", 200);
    let all = [folder.0.path()];
    let (rows, _) = folder.analyze(&all, &[]);
    assert!(rows.iter().any(|row| row.starts_with("alone.opm,,,2,")), "{rows:?}");
    let (rows, told) = folder.analyze(&all, &["--by", "interpreter"]);
    assert!(rows.len() == 2 && rows[0].starts_with("cpython 3.11.7,1,1,1"), "{rows:?}");
    assert!(told.contains("1 of 3 results do not say of which interpreter they are"), "{told}");
    let (rows, _) = folder.analyze(&all, &["--by", "opcode"]);
    assert_eq!(rows, ["NOP,other,2,300,100,100"]);
    let (rows, told) = folder.analyze(&[&alone], &["--by", "opcode"]);
    assert!(rows.is_empty() && told.contains("no result has counts"), "{told}");
    // In Parquet, what is missing is null.
    let file = folder.path("all.parquet");
    let output = opmeter().arg("analyze").args(all).args(["--format", "parquet", "-o"]).arg(&file).output();
    assert!(output.unwrap().status.success());
    assert_eq!(&fs::read(&file).unwrap()[..4], b"PAR1");
}

#[test]
fn what_was_interrupted_or_has_a_damaged_result_is_named_as_such() {
    let folder = Folder::new();
    folder.record("whole.opm", "3.11.7", 100);
    fs::create_dir_all(folder.path("killed.opm/live")).unwrap();
    for (name, json) in [("torn.opm", "{\"schema_version\": 1,"), ("newer.opm", "{\"schema_version\": 9}")] {
        fs::write(folder.record(name, "3.11.7", 7).join("result.json"), json).unwrap();
    }
    let (rows, told) = folder.analyze(&[folder.0.path()], &[]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    for (name, part) in [
        ("killed.opm", "its recording was interrupted"),
        ("torn.opm", "its result.json is damaged"),
        ("newer.opm", "its result.json has schema version 9, and this Opmeter knows version 1"),
    ] {
        let line = told.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}: {told}"));
        assert!(line.contains("left out: ") && line.contains(part), "{line}");
    }
    // Whoever records holds a lock.
    let locked = fs::File::open(folder.path("killed.opm")).unwrap();
    rustix::fs::flock(&locked, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let (_, told) = folder.analyze(&[folder.0.path()], &[]);
    assert!(told.contains("killed.opm: it is being recorded at this moment"), "{told}");
}

#[test]
fn much_that_is_left_out_is_told_together_and_each_on_demand() {
    let folder = Folder::new();
    folder.record("whole.opm", "3.11.7", 100);
    for number in 0..30 {
        fs::write(folder.path(&format!("notes-{number:02}.txt")), "").unwrap();
    }
    fs::create_dir(folder.path("empty.opm")).unwrap();
    let (_, told) = folder.analyze(&[folder.0.path()], &[]);
    assert!(told.contains("left out, 30 of them: it is no result of Opmeter: "), "{told}");
    assert!(told.contains("empty.opm: it has neither") && told.contains("--left-out names all"), "{told}");
    let (_, told) = folder.analyze(&[folder.0.path()], &["--left-out"]);
    assert_eq!(told.lines().filter(|line| line.contains("notes-")).count(), 30, "{told}");
}

#[test]
fn what_another_user_keeps_is_said_to_be_unreadable() {
    let test = "what_another_user_keeps_is_said_to_be_unreadable";
    let has_setpriv = Command::new("setpriv").arg("--version").output().is_ok();
    if !rustix::process::geteuid().is_root() || !has_setpriv {
        eprintln!("{test}: passed over: root and setpriv are needed");
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.record("other.opm", "3.11.7", 50);
    let set_mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let own = folder.record("own.opm", "3.11.7", 100);
    set_mode(folder.0.path(), 0o755);
    set_mode(&own, 0o755);
    for entry in fs::read_dir(&own).unwrap() {
        set_mode(&entry.unwrap().path(), 0o644);
    }
    let command = folder.path("opmeter");
    fs::copy(env!("CARGO_BIN_EXE_opmeter"), &command).unwrap();
    let mut run = Command::new("setpriv");
    run.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&command).arg("analyze");
    let output = run.arg(folder.0.path()).output().unwrap();
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let line = told.lines().find(|line| line.contains("other.opm")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("it can't be read: Permission denied"), "{line}");
}
