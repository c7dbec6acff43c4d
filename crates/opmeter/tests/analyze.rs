//! Tables over the results of folders.
#![allow(clippy::unwrap_used)]

#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use interpreters::one_of_each_version;
use opmeter_recording::{Phase, Recording};
use recorded::opmeter;

/// Results of two programs on up to two interpreters, one that failed, and what is no result.
fn results() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("loops.py", "print(sum(i * i for i in range(5000)))\n");
        write("calls.py", "def f(x):\n    return x + 1\nprint(len([f(i) for i in range(2000)]))\n");
        write("broken.py", "def f(:\n");
        write("notes.txt", "nothing of ours");
        let mut measure = opmeter();
        measure.arg("measure").arg(folder.path()).args(["-n", "2", "--watts", "10", "--quiet"]);
        for interpreter in one_of_each_version().into_iter().take(2) {
            measure.arg("--python").arg(&interpreter.path);
        }
        assert_eq!(measure.output().unwrap().status.code(), Some(1));
        fs::create_dir(folder.path().join("opmeter-results/torn.opm")).unwrap();
        fs::write(folder.path().join("opmeter-results/torn.opm/manifest.json"), "{").unwrap();
        folder
    });
    folder.path()
}

fn analyze(options: &[&str]) -> Output {
    opmeter().arg("analyze").arg(results()).args(options).output().unwrap()
}

fn stdout(options: &[&str]) -> String {
    let output = analyze(options);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The rows of a table as CSV, without its header.
fn rows(options: &[&str]) -> Vec<Vec<String>> {
    let text = stdout(&[options, &["--format", "csv"]].concat());
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn programs_are_shown_and_what_is_left_out_is_named_with_its_reason() {
    let interpreters = one_of_each_version().into_iter().take(2).count();
    let output = analyze(&[]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert_eq!(table.lines().count(), 1 + 2 * interpreters, "{table}");
    assert!(table.contains("loops.py") && table.contains("  ~"), "estimates look like such: {table}");
    let errors = String::from_utf8(output.stderr).unwrap();
    for part in ["SyntaxError", "torn.opm: cannot read", "notes.txt: it is no result of Opmeter"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn executions_are_those_of_the_recordings() {
    let matrix = rows(&["--by", "matrix", "--phase", "all"]);
    let opcodes = rows(&["--by", "opcode", "--phase", "all"]);
    let programs = rows(&["--phase", "all"]);
    let families = rows(&["--by", "family", "--phase", "all"]);
    let sum = |rows: &[Vec<String>], column: usize| -> u64 {
        rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
    };
    let mut expected = 0;
    for program in ["loops.py", "calls.py"] {
        for entry in fs::read_dir(results().join("opmeter-results").join(program)).unwrap() {
            let recording = Recording::open(&entry.unwrap().path()).unwrap();
            expected += recording.tables.opcodes.iter().map(|row| row.executions).sum::<u64>();
        }
    }
    assert_eq!([sum(&matrix, 3), sum(&opcodes, 3), sum(&programs, 2), sum(&families, 1)], [expected; 4]);
    let main = rows(&["--phase", Phase::Main.name()]);
    assert!(sum(&main, 2) < expected);
}

#[test]
fn results_are_chosen_sorted_and_cut() {
    let all = rows(&["--by", "opcode"]);
    let calls = rows(&["--by", "opcode", "--family", "calls"]);
    assert!(!calls.is_empty() && calls.len() < all.len() && calls.iter().all(|row| row[1] == "calls"));
    let names = |options: &[&str]| -> Vec<String> {
        rows(&[&["--by", "opcode"], options].concat()).into_iter().map(|row| row[0].clone()).collect()
    };
    let sorted = names(&["--sort", "opcode"]);
    assert!(sorted.is_sorted() && sorted.len() == all.len());
    assert_eq!(names(&["--top", "3"]).len(), 3);
    assert!(rows(&["--program", "loops*"]).iter().all(|row| row[0] == "loops.py"));
    let (major, minor) = one_of_each_version()[0].version;
    let chosen = rows(&["--python", &format!("{major}.{minor}")]);
    assert_eq!(chosen.len(), 2, "{chosen:?}");
    let output = analyze(&["--sort", "beauty"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr).unwrap().contains("columns are program, interpreter, executions")
    );
    assert_eq!(analyze(&["--family", "beauty"]).status.code(), Some(2));
    let output = analyze(&["--python", "2.7"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no result to analyze"));
}

#[test]
fn interpreters_are_compared_and_every_format_is_written() {
    let table = rows(&["--by", "interpreter"]);
    assert_eq!((table[0][1].as_str(), table[0][3].as_str(), table[0][4].as_str()), ("2", "1", "1"));
    let json: Vec<serde_json::Value> =
        serde_json::from_str(&stdout(&["--by", "opcode", "--format", "json"])).unwrap();
    assert!(json.iter().all(|row| row["executions"].is_u64() && row["family"].is_string()));
    assert!(stdout(&["--format", "markdown"]).starts_with("| program | interpreter | executions |"));
    let file = tempfile::tempdir().unwrap().path().with_extension("parquet");
    assert!(analyze(&["--format", "parquet", "-o", file.to_str().unwrap()]).status.success());
    assert_eq!(&fs::read(&file).unwrap()[..4], b"PAR1");
    fs::remove_file(file).unwrap();
}

#[test]
fn events_are_made_times_of_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = opmeter();
        command.current_dir(folder.path()).env("OPMETER_CACHE", folder.path().join("cache")).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let python = interpreters::any().path.to_str().unwrap();
    let program = "total = 0\nfor i in range(20000):\n    total += i * i % 7\nprint(total)\n";
    run(&["record", "--quiet", "--events", "-o", "out.opm", "--", python, "-c", program]);
    let analyze = || run(&["analyze", "out.opm", "--by", "opcode", "--terms", "executed", "--format", "csv"]);
    assert!(run(&["cache", "info"]).contains(": 0 entries"));
    let first = analyze();
    assert!(run(&["cache", "info"]).contains(": 1 entries"));
    // The same numbers as of the events one by one.
    let events = run(&["export", "out.opm", "--table", "events", "--format", "csv", "--phase", "main"]);
    let mut expected: std::collections::BTreeMap<String, (u64, u64, Vec<u64>)> = Default::default();
    for line in events.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let cycles: u64 = fields[fields.len() - 2].parse().unwrap();
        let (executions, timed, all) = expected.entry(fields[3].to_owned()).or_default();
        *executions += 1;
        if cycles > 0 {
            *timed += cycles;
            all.push(cycles);
        }
    }
    let header: Vec<&str> = first.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).unwrap();
    let mut compared = 0;
    for line in first.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (executions, cycles, all) = expected.get_mut(fields[0]).unwrap();
        assert_eq!(fields[column("executions")], executions.to_string());
        if all.len() < 1000 {
            continue;
        }
        let number = |name: &str| fields[column(name)].parse::<f64>().unwrap();
        assert!((number("cycles_raw_mean") - *cycles as f64 / all.len() as f64).abs() < 1e-6, "{line}");
        all.sort_unstable();
        let median = all[(all.len() - 1) / 2] as f64;
        assert!((number("cycles_raw_median") / median - 1.0).abs() < 0.04, "{line}: {median}");
        compared += 1;
    }
    assert!(compared > 3, "{first}");
    // The second look gives the same, and so does one after the cache was damaged or emptied.
    assert_eq!(analyze(), first);
    let entry = fs::read_dir(folder.path().join("cache/analysis")).unwrap().next().unwrap().unwrap().path();
    let kept = fs::read(&entry).unwrap();
    fs::write(&entry, &kept[..kept.len() / 2]).unwrap();
    assert_eq!(analyze(), first);
    assert_eq!(fs::read(&entry).unwrap(), kept);
    assert!(run(&["cache", "clear"]).contains("1 entries removed"));
    assert!(!entry.exists());
    assert_eq!(analyze(), first);
    // What was recorded anew is read anew.
    run(&["record", "--quiet", "--force", "--events", "-o", "out.opm", "--", python, "-c", "print(1)"]);
    assert_ne!(analyze(), first);
}

#[test]
fn several_processors_read_the_same_events_as_one_and_stop_at_the_same_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.opm");
    let python = interpreters::any().path.to_str().unwrap();
    let program = "total = 0\nfor i in range(300000):\n    total += i * i % 7\nprint(total)\n";
    let mut record = opmeter();
    record.args(["record", "--quiet", "--events", "-o"]).arg(&path).args(["--", python, "-c", program]);
    assert!(record.output().unwrap().status.success());
    let analyze = |mut command: Command| {
        let cache = tempfile::tempdir().unwrap();
        command.env("OPMETER_CACHE", cache.path()).arg("analyze").arg(&path);
        let output =
            command.args(["--by", "opcode", "--terms", "executed", "--format", "csv"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let alone = || {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", env!("CARGO_BIN_EXE_opmeter")]);
        command
    };
    let whole = analyze(opmeter());
    assert_eq!(analyze(alone()), whole);
    let events = fs::read_dir(path.join("events")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&events).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&events, bytes).unwrap();
    let damaged = analyze(opmeter());
    assert!(damaged != whole && analyze(alone()) == damaged, "{damaged}");
}
