//! Times of events, and what is kept of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::interpreters::{any, one_of_each_version};
use crate::recorded::opmeter;

/// A recording with events in a folder of its own, and a cache beside it.
struct Events(tempfile::TempDir);

/// Calls Python code from C code: what returns there takes nothing.
const PROGRAM: &str = "total = 0\nfor i in range(20000):\n    total += i * i % 7\nprint(total)\n\
    print(len(sorted(range(5000), key=lambda value: -value)))\n";

impl Events {
    fn new(options: &[&str], program: &str) -> Self {
        let events = Self(tempfile::tempdir().unwrap());
        let python = any().path.to_str().unwrap();
        let record = ["record", "--quiet", "--events", "-o", "out.opm"];
        let output = events.run(&[&record[..], options, &["--", python, "-c", program]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        events
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = opmeter();
        command.current_dir(self.0.path()).env("OPMETER_CACHE", self.0.path().join("cache"));
        command.args(arguments).output().unwrap()
    }

    fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Opcodes as executed, and what is told of them.
    fn analyze(&self) -> (String, String) {
        let output =
            self.run(&["analyze", "out.opm", "--by", "opcode", "--terms", "executed", "--format", "csv"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let [table, told] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (table, told)
    }

    /// The table, where nothing is to be told.
    fn table(&self) -> String {
        let (table, told) = self.analyze();
        assert_eq!(told, "");
        table
    }

    /// The file of events.
    fn file(&self) -> PathBuf {
        fs::read_dir(self.0.path().join("out.opm/events")).unwrap().next().unwrap().unwrap().path()
    }

    fn entries(&self) -> String {
        self.stdout(&["cache", "info"])
    }
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(path, bytes).unwrap();
}

/// What an opcode's events are.
#[derive(Default)]
struct Expected {
    executions: u64,
    raw: u64,
    net: u64,
    /// Cycles of those that took any.
    all: Vec<u64>,
}

#[test]
fn events_are_made_times_of_once_and_kept() {
    let events = Events::new(&[], PROGRAM);
    assert!(events.entries().contains(": 0 entries"));
    let first = events.table();
    assert!(events.entries().contains(": 1 entries"));
    // The same numbers as of the events one by one.
    let rows =
        events.stdout(&["export", "out.opm", "--table", "events", "--format", "csv", "--phase", "main"]);
    let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
    for line in rows.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [raw, net] = [2, 1].map(|back| fields[fields.len() - back].parse::<u64>().unwrap());
        let opcode = expected.entry(fields[3].to_owned()).or_default();
        opcode.executions += 1;
        opcode.raw += raw;
        opcode.net += net;
        opcode.all.extend((raw > 0).then_some(raw));
    }
    let manifest = fs::read_to_string(events.0.path().join("out.opm/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let hz = manifest["processes"][0]["events"]["tsc_hz"].as_f64().unwrap();
    let header: Vec<&str> = first.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).unwrap();
    let (mut compared, mut returned) = (0, 0);
    for line in first.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let Expected { executions, raw, net, all } = expected.get_mut(fields[0]).unwrap();
        assert_eq!(fields[column("executions")], executions.to_string());
        let number = |name: &str| fields[column(name)].parse::<f64>().ok();
        if fields[0].contains('/') {
            continue;
        }
        let executions = *executions as f64;
        assert!((number("cycles_raw_mean").unwrap() - *raw as f64 / executions).abs() < 1e-6, "{line}");
        // Whole nanoseconds of all of them.
        let nanoseconds = *net as f64 / hz * 1e9;
        assert!(
            (number("ns_net_mean").unwrap() * executions - nanoseconds).abs() < 1.01,
            "{line}: {nanoseconds}"
        );
        let known = all.len() as f64 / executions;
        assert_eq!(number("cycles_raw_median").is_some(), known >= 0.9, "{line}: {known}");
        returned += u64::from(known < 0.9);
        if let Some(found) = number("cycles_raw_median").filter(|_| all.len() > 1000) {
            all.sort_unstable();
            let median = all[(all.len() - 1) / 2] as f64;
            assert!((found / median - 1.0).abs() < 0.04, "{line}: {median}");
            compared += 1;
        }
    }
    assert!(compared > 3 && returned > 0, "{first}");
    // The second look gives the same, and so does one after the cache was damaged or emptied.
    assert_eq!(events.table(), first);
    let folder = events.0.path().join("cache/analysis");
    let entry = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let kept = fs::read(&entry).unwrap();
    fs::write(&entry, &kept[..kept.len() / 2]).unwrap();
    assert_eq!(events.table(), first);
    assert_eq!(fs::read(&entry).unwrap(), kept);
    // What is not of the cache stays where it is.
    let foreign = ["notes.txt", "a.json", "0.1.part"].map(|name| folder.join(name));
    foreign.iter().for_each(|path| fs::write(path, "").unwrap());
    assert!(events.entries().contains(": 1 entries"));
    assert!(events.stdout(&["cache", "clear"]).contains("1 entries removed"));
    assert!(!entry.exists() && foreign.iter().all(|path| path.exists()));
    assert_eq!(events.table(), first);
    // What was recorded anew is read anew.
    let python = any().path.to_str().unwrap();
    events.stdout(&[
        "record", "--quiet", "--force", "--events", "-o", "out.opm", "--", python, "-c", "print(1)",
    ]);
    assert_ne!(events.table(), first);
}

#[test]
fn events_that_changed_are_read_anew_whatever_their_time_says() {
    let events = Events::new(&[], PROGRAM);
    let whole = events.table();
    let (file, kept) = (events.file(), fs::read(events.file()).unwrap());
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let restore = || File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    flip(&file);
    restore();
    let (damaged, told) = events.analyze();
    assert!(damaged != whole && told.contains("are damaged at byte"), "{told}");
    // The export says the same, and nothing is kept of it.
    let export = events.run(&["export", "out.opm", "--table", "events", "--format", "csv"]);
    let said = String::from_utf8(export.stderr).unwrap();
    let byte =
        |text: &str| text.split("damaged at byte ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(byte(&told), byte(&said));
    assert!(events.entries().contains(": 1 entries"));
    assert_eq!(events.analyze(), (damaged, told));
    fs::write(&file, kept).unwrap();
    restore();
    assert_eq!(events.table(), whole);
}

#[test]
fn times_of_a_part_of_the_events_are_none_and_that_is_told() {
    let has_times = |table: &str| table.lines().next().unwrap().contains("ns_net_mean");
    let events = Events::new(&[], PROGRAM);
    assert!(has_times(&events.table()));
    // Without the block that ends it: 48 bytes, and two words.
    let file = File::options().write(true).open(events.file()).unwrap();
    let length = file.metadata().unwrap().len();
    for (length, part) in [(length - 64, "their file was cut short"), (length / 3, "are damaged at byte")] {
        file.set_len(length).unwrap();
        let (table, told) = events.analyze();
        assert!(told.contains("out.opm: the events of process 0") && told.contains(part), "{told}");
        assert!(told.contains("no times are made of them") && !has_times(&table), "{told}");
    }
    let bounded = Events::new(&["--max-events", "30000"], PROGRAM);
    let (table, told) = bounded.analyze();
    assert!(told.contains("out.opm is not complete: process 0"), "{told}");
    assert!(told.contains("end after 30000, as --max-events asked for; no times are made of them"), "{told}");
    assert!(!has_times(&table) && bounded.entries().contains(": 0 entries"));
}

#[test]
fn several_processors_read_the_same_events_as_one_and_find_the_same_damage() {
    let events = Events::new(&[], &PROGRAM.replace("20000", "300000"));
    let analyze = |mut command: Command| {
        let cache = tempfile::tempdir().unwrap();
        command.env("OPMETER_CACHE", cache.path()).arg("analyze").arg(events.0.path().join("out.opm"));
        let output =
            command.args(["--by", "opcode", "--terms", "executed", "--format", "csv"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let alone = || {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", env!("CARGO_BIN_EXE_opmeter")]);
        command
    };
    let whole = analyze(opmeter());
    assert_eq!(analyze(alone()), whole);
    flip(&events.file());
    let damaged = analyze(opmeter());
    assert!(damaged[0] != whole[0] && damaged[1].contains("are damaged at byte"), "{damaged:?}");
    assert_eq!(analyze(alone()), damaged);
}

#[test]
fn subscripts_are_counted_as_such_in_every_version() {
    // Of a list, which is specialised, and of what is not.
    let program = "class Own(dict): pass\nitems, own = [1] * 9, Own(a=1)\nfor i in range(5000):\n    \
        items[3]; own['a']; i * i\n";
    for interpreter in one_of_each_version() {
        for option in ["--pairs", "--time=1", "--events"] {
            let folder = tempfile::tempdir().unwrap();
            let out = folder.path().join("out.opm");
            let mut record = opmeter();
            record.args(["record", "-q", option, "-o"]).arg(&out).arg("--").arg(&interpreter.path);
            assert!(record.args(["-c", program]).output().unwrap().status.success());
            let table = |options: &[&str]| -> Vec<Vec<String>> {
                let mut analyze = opmeter();
                analyze.env("OPMETER_CACHE", folder.path().join("cache")).arg("analyze").arg(&out);
                let output = analyze.args(options).args(["--format", "csv"]).output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
            };
            let families = table(&["--by", "family"]);
            let of = |family: &str| -> u64 {
                families.iter().find(|row| row[0] == family).unwrap()[1].parse().unwrap()
            };
            let version = interpreter.version;
            assert!((10_000..10_500).contains(&of("subscripts")), "{version:?} {option}: {families:?}");
            assert!((5_000..5_500).contains(&of("arithmetic")), "{version:?} {option}: {families:?}");
            for terms in ["base", "executed"] {
                let rows = table(&["--by", "opcode", "--terms", terms, "--family", "subscripts"]);
                let sum: u64 = rows[1..].iter().map(|row| row[3].parse::<u64>().unwrap()).sum();
                assert_eq!(sum, of("subscripts"), "{version:?} {option} {terms}: {rows:?}");
            }
            if option == "--events" {
                let place = families[0].iter().position(|name| name == "ns_net_mean").unwrap();
                let row = families.iter().find(|row| row[0] == "subscripts").unwrap();
                assert!(row[place].parse::<f64>().unwrap() > 0.0, "{version:?}: {families:?}");
            }
        }
    }
}
