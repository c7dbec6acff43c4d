//! Energy of commands, by counters that move at a known power.
#![allow(clippy::unwrap_used)]

#[path = "../../opmeter-energy/tests/support/counter_tree.rs"]
mod counter_tree;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use counter_tree::{CounterTree, Zone, zone};
use interpreters::any;
use opmeter_recording::{EnergyRow, Recording};
use recorded::opmeter;

const MILLISECOND: Duration = Duration::from_millis(1);

/// A working folder, with a tree of counters.
struct Bench {
    tree: CounterTree,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(zones: &[Zone]) -> Self {
        Self { tree: CounterTree::new(zones, MILLISECOND), folder: tempfile::tempdir().unwrap() }
    }

    fn package() -> Self {
        Self::new(&[zone("intel-rapl:0", "package-0", 40.0)])
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("out.opm")
    }

    /// `opmeter energy -o out.opm` with these options, and a shell script as its command.
    fn command(&self, options: &[&str], script: &str) -> Command {
        let mut command = opmeter();
        command.current_dir(self.folder.path()).args(["energy", "-o", "out.opm", "--sysfs"]);
        command.arg(self.tree.path()).args(options).args(["--", "sh", "-c", script]);
        command.stdin(Stdio::null());
        command
    }

    /// The same without idle power.
    fn energy(&self, options: &[&str], script: &str) -> Output {
        self.command(&[&["--idle", "0"], options].concat(), script).output().unwrap()
    }

    fn recording(&self) -> Recording {
        Recording::open(&self.path()).unwrap()
    }

    /// Holds that a domain took this power in so many runs.
    fn assert_watts(&self, rows: &[EnergyRow], domain: &str, watts: f64, runs: usize) {
        let rows = of(rows, domain);
        assert_eq!(rows.len(), runs, "{rows:?}");
        for row in rows {
            let measured = row.joules / row.seconds;
            self.tree.assert_watts(domain, measured, row.seconds, watts);
            assert!((row.watts - measured).abs() < 1e-9 * measured);
        }
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn of<'a>(rows: &'a [EnergyRow], domain: &str) -> Vec<&'a EnergyRow> {
    rows.iter().filter(|row| &*row.domain == domain).collect()
}

#[test]
fn joules_are_those_of_the_counters() {
    let bench = Bench::new(&[
        zone("intel-rapl:0", "package-0", 42.0),
        zone("intel-rapl:0:0", "dram", 5.0),
        // It wraps three times a second.
        Zone { start: 6_000_000, range: 7_000_000, ..zone("intel-rapl:1", "package-1", 21.0) },
    ]);
    let output = bench.energy(&["-n", "2"], "sleep 0.6; echo done; exit 7");
    assert_eq!((output.status.code(), &*output.stdout), (Some(7), &b"done\ndone\n"[..]));
    let text = stderr(&output);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for part in
        ["energy from powercap · 2 runs", "package-0      J ", "package (all)  J ", "only 2 runs", "failed"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let recording = bench.recording();
    let rows = &recording.tables.energy;
    bench.assert_watts(rows, "package-0", 42.0, 2);
    bench.assert_watts(rows, "package-1", 21.0, 2);
    bench.assert_watts(rows, "dram-0", 5.0, 2);
    assert!(rows.iter().all(|row| row.seconds > 0.6 && row.repetitions == 1 && row.net.is_none()));
    let runs = &recording.tables.runs;
    assert!(runs.len() == 2 && runs[0].seconds == rows[0].seconds, "{runs:?}");
    assert!(runs.iter().all(|run| run.cpu_seconds > 0.0 && run.cpu_seconds < 0.6), "{runs:?}");
    let manifest = &recording.manifest;
    assert!(manifest.complete && manifest.tables == ["runs", "energy"] && manifest.processes.is_empty());
    assert_eq!(manifest.exit.code, Some(7));
    let energy = manifest.energy.as_ref().unwrap();
    assert!(!energy.estimate && energy.source == "powercap" && energy.domains.len() == 3);
    assert!((0.0005..0.1).contains(&energy.domains[0].update_seconds.unwrap()), "{energy:?}");
}

#[test]
fn idle_power_is_taken_off() {
    let bench = Bench::package();
    let output = bench.command(&["-n", "1", "--idle", "0.5"], "sleep 0.4").output().unwrap();
    let text = stderr(&output);
    assert!(text.contains("idle for 0.5 s before: package-0 ") && text.contains(" J net "), "{text}");
    let rows = bench.recording().tables.energy;
    let net = rows[0].net.as_ref().unwrap();
    bench.tree.assert_watts("package-0", net.idle_watts, 0.5, 40.0);
    let difference = rows[0].joules - net.idle_watts * rows[0].seconds;
    assert!((net.joules_net - difference.max(0.0)).abs() < 1e-9 && net.joules_net < 4.0, "{net:?}");
}

#[test]
fn short_commands_are_repeated_until_the_counter_tells_something() {
    let bench = Bench::package();
    let output = bench.energy(&["-n", "3"], "echo x >> count");
    let rows = bench.recording().tables.energy;
    let executions = fs::read_to_string(bench.folder.path().join("count")).unwrap().lines().count();
    assert_eq!(rows.iter().map(|row| row.repetitions as usize).sum::<usize>(), executions);
    for row in &rows {
        assert!(row.repetitions > 5 && row.seconds * f64::from(row.repetitions) > 0.02, "{row:?}");
        assert!(row.joules_resolution / row.joules < 0.021, "{row:?}");
        let seconds = row.seconds * f64::from(row.repetitions);
        bench.tree.assert_watts("package-0", row.watts, seconds, 40.0);
    }
    assert!(stderr(&output).contains("each the mean of up to"), "{}", stderr(&output));
}

#[test]
fn what_a_counter_that_fails_would_have_said_is_not_written() {
    let zones = [zone("intel-rapl:0", "package-0", 40.0), zone("intel-rapl:1", "package-1", 20.0)];
    type Harm = fn(&CounterTree);
    let harms: [(Harm, &str); 2] = [
        (|tree| tree.remove("intel-rapl:1"), "package-1 could not be read any more"),
        (|tree| tree.hold("intel-rapl:1"), "package-1 stood still for"),
    ];
    for (harm, message) in harms {
        let bench = Bench::new(&zones);
        let mut child = bench.command(&["--idle", "0", "-n", "2"], "echo started; sleep 0.8");
        let child = child.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        thread::sleep(Duration::from_millis(300));
        harm(&bench.tree);
        let output = child.wait_with_output().unwrap();
        let text = stderr(&output);
        assert!(
            output.status.success() && text.contains(message) && text.contains("in run 0 (and 1 more)"),
            "{text}"
        );
        let recording = bench.recording();
        bench.assert_watts(&recording.tables.energy, "package-0", 40.0, 2);
        assert_eq!(of(&recording.tables.energy, "package-1").len(), 0);
        assert!(!recording.manifest.complete && recording.manifest.incomplete[0].contains(message));
    }
}

#[test]
fn nothing_is_written_where_nothing_could_be_measured() {
    let bench = Bench::package();
    let mut child = bench
        .command(&["--idle", "0"], "echo started; sleep 0.5")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    bench.tree.remove("intel-rapl:0");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no run could be measured"), "{}", stderr(&output));
    assert!(!bench.path().exists());
    // One that never moves is known before anything runs.
    let bench = Bench::package();
    bench.tree.hold("intel-rapl:0");
    let output = bench.energy(&[], "echo ran");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(stderr(&output).contains("no counter of powercap moves (package-0)"), "{}", stderr(&output));
    assert!(!bench.path().exists());
}

#[test]
fn a_machine_without_counters_is_told_what_was_tried() {
    let bench = Bench::new(&[]);
    let output = bench.energy(&[], "echo ran");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let text = stderr(&output);
    for part in ["perf: ", "powercap: ", "hwmon: ", "to allow it: sudo ", "--watts W"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!bench.path().exists());
}

#[test]
fn a_declared_power_is_marked_as_an_estimate_everywhere() {
    let bench = Bench::new(&[]);
    let output = bench.command(&["--watts", "15", "-n", "2"], "sleep 0.05").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("ESTIMATE from a declared power") && text.contains("~15.00"), "{text}");
    let recording = bench.recording();
    assert!(recording.manifest.energy.as_ref().unwrap().estimate);
    let rows = &recording.tables.energy;
    assert!(rows.iter().all(|row| &*row.source == "estimate" && row.joules == 15.0 * row.seconds));
    let report = opmeter().arg("report").arg(bench.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&report.stdout).contains("no energy was measured"));
    for format in ["csv", "json"] {
        let mut export = opmeter();
        export.arg("export").arg(bench.path()).args(["--table", "energy", "--format", format]);
        let text = String::from_utf8(export.output().unwrap().stdout).unwrap();
        assert_eq!(text.matches("estimate").count(), 2, "{text}");
    }
}

/// Runs a Python program under `record` or `energy`, with the same recording.
fn both(bench: &Bench, subcommand: &str, options: &[&str], program: &str) -> Output {
    let mut command = opmeter();
    command.current_dir(bench.folder.path()).args([subcommand, "-o", "out.opm"]).args(options);
    if subcommand == "energy" {
        command.args(["--idle", "0", "-n", "1", "--sysfs"]).arg(bench.tree.path());
    }
    command.arg("--").arg(&any().path).args(["-c", program]).stdin(Stdio::null()).output().unwrap()
}

const SUM: &str = "print(sum(range(1000)))";

#[test]
fn counts_and_energy_of_a_command_stand_in_one_recording() {
    for order in [["record", "energy"], ["energy", "record"]] {
        let bench = Bench::package();
        for subcommand in order {
            let output = both(&bench, subcommand, &[], SUM);
            assert!(output.status.success() && output.stdout == b"499500\n", "{}", stderr(&output));
        }
        let recording = bench.recording();
        assert!(recording.manifest.has_counts() && recording.manifest.has_energy());
        assert!(recording.manifest.complete && recording.manifest.processes.len() == 1);
        assert!(!recording.tables.opcodes.is_empty() && recording.tables.energy.len() == 1);
        let report = opmeter().arg("report").arg(bench.path()).output().unwrap();
        let text = String::from_utf8(report.stdout).unwrap();
        assert!(text.contains("LOAD_CONST") && text.contains("nJ each"), "{text}");
        let files = fs::read_dir(bench.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(files.into_iter().all(|name| !name.to_str().unwrap().starts_with('.')));
        // What is there is not replaced unasked, nor are two commands mixed.
        for subcommand in order {
            let output = both(&bench, subcommand, &[], SUM);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0));
            assert!(stderr(&output).contains("already; use --force"), "{}", stderr(&output));
            let output = both(&bench, subcommand, &[], "print(1)");
            assert_eq!(output.status.code(), Some(125));
            assert!(stderr(&output).contains("of another command; use --force"), "{}", stderr(&output));
        }
        assert_eq!(bench.recording(), recording);
        // Energy alone is measured again.
        assert!(both(&bench, "energy", &["--force"], SUM).status.success());
        let again = bench.recording();
        assert_eq!(again.tables.opcodes, recording.tables.opcodes);
        assert_ne!(again.tables.energy, recording.tables.energy);
        assert!(both(&bench, "energy", &["--force"], "print(1)").status.success());
        assert!(!bench.recording().manifest.has_counts());
        let left = fs::read_dir(bench.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["out.opm"], "what was replaced is gone");
    }
}

#[test]
fn a_recording_of_energy_says_that_it_has_no_counts_and_one_of_counts_no_energy() {
    let bench = Bench::package();
    both(&bench, "energy", &[], SUM);
    let ask = |arguments: &[&str]| {
        let output = opmeter().current_dir(bench.folder.path()).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output))
    };
    let no_counts = "has no counts, only energy; add them with `opmeter record -o out.opm";
    for arguments in [
        &["report", "out.opm", "--by", "line"][..],
        &["report", "out.opm", "--check"],
        &["annotate", "out.opm"],
        &["export", "out.opm", "--table", "opcodes", "--format", "csv"],
        &["export", "out.opm", "--table", "events", "--format", "csv"],
        &["export", "out.opm", "--format", "lcov"],
    ] {
        let (status, text) = ask(arguments);
        assert!(status == Some(1) && text.contains(no_counts), "{arguments:?}: {text}");
    }
    assert!(ask(&["report", "out.opm"]).1.contains("energy from powercap"));
    fs::remove_dir_all(bench.path()).unwrap();
    both(&bench, "record", &[], SUM);
    for arguments in [
        &["report", "out.opm", "--by", "energy"][..],
        &["export", "out.opm", "--table", "energy", "--format", "csv"],
    ] {
        let (status, text) = ask(arguments);
        assert!(status == Some(1) && text.contains("has no energy; add it with"), "{arguments:?}: {text}");
    }
}

#[test]
fn a_recording_of_energy_is_what_it_was_where_no_counts_came_of_it() {
    let bench = Bench::package();
    assert!(bench.energy(&["-n", "1"], "sleep 0.1").status.success());
    let before = bench.recording();
    let mut record = opmeter();
    record.current_dir(bench.folder.path()).args(["record", "-o", "out.opm", "--", "sh", "-c", "sleep 0.1"]);
    assert_eq!(record.output().unwrap().status.code(), Some(125));
    assert_eq!(bench.recording(), before);
    assert_eq!(fs::read_dir(bench.path()).unwrap().count(), 3);
}

#[test]
fn counts_that_were_being_added_are_read_with_the_energy_when_all_was_killed() {
    let bench = Bench::package();
    let program = "
import sys, time
if len(sys.argv) == 1: sys.argv.append('')
for i in range(12345): pass
print('ready', flush=True)
time.sleep(0.3)
";
    assert!(both(&bench, "energy", &[], program).status.success());
    let mut command = opmeter();
    command.current_dir(bench.folder.path()).args(["record", "-o", "out.opm", "--"]);
    let mut child = command.arg(&any().path).args(["-c", program]).stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let report = opmeter().arg("report").arg(bench.path()).output().unwrap();
    let text = String::from_utf8(report.stdout).unwrap();
    assert!(
        text.contains("FOR_ITER") && text.contains("interrupted") && text.contains("package-0"),
        "{text}"
    );
}

/// Starts five runs, and waits until the third one runs.
fn start_third_run(bench: &Bench) -> Child {
    let mut child = bench
        .command(&["--idle", "0", "-n", "5"], "echo run; exec sleep 0.3")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    (0..3).for_each(|_| assert_eq!(lines.next().unwrap().unwrap(), "run"));
    child
}

#[test]
fn an_interrupted_series_keeps_the_runs_that_had_ended() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("KILL", 9)] {
        let bench = Bench::package();
        let mut child = start_third_run(&bench);
        Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        let recording = bench.recording();
        bench.assert_watts(&recording.tables.energy, "package-0", 40.0, 2);
        let energy = recording.manifest.energy.unwrap();
        assert_eq!(energy.incomplete, ["measuring ended after 2 of 5 runs"]);
    }
}

#[test]
fn children_that_outlive_the_command_belong_to_its_run() {
    let bench = Bench::package();
    let begun = Instant::now();
    bench.energy(&["-n", "1"], "(setsid sleep 0.7 > /dev/null 2>&1 &); exit 0");
    assert!(begun.elapsed() > Duration::from_millis(700));
    let rows = bench.recording().tables.energy;
    assert!(rows[0].seconds > 0.7 && rows[0].seconds < 5.0 && rows[0].repetitions == 1, "{rows:?}");
}

#[test]
fn each_run_reads_its_input_from_the_beginning() {
    let bench = Bench::package();
    let input = bench.folder.path().join("input");
    fs::write(&input, "12345").unwrap();
    let script = "wc -c; sleep 0.1";
    // There may be more than three executions, where the counter needs them.
    let assert_runs = |command: &mut Command, bytes: &str| {
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert!(output.lines().count() >= 3 && output.lines().all(|line| line == bytes), "{output}");
    };
    let options = ["--idle", "0", "-n", "3", "--force"];
    assert_runs(&mut bench.command(&[&options[..], &["--input", "input"]].concat(), script), "5");
    assert_runs(bench.command(&options, script).stdin(File::open(&input).unwrap()), "5");
    assert_runs(&mut bench.command(&options, script), "0");
    // A pipe is read once at most.
    let piped = |options: &[&str]| {
        let mut child = bench
            .command(options, script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"1234567").unwrap();
        child.wait_with_output().unwrap()
    };
    assert_eq!(piped(&["--idle", "0", "-n", "1", "--force"]).stdout, b"7\n");
    let output = piped(&options);
    assert!(output.stdout.chunks(2).all(|line| line == b"0\n"));
    assert!(stderr(&output).contains("read nothing from standard input"), "{}", stderr(&output));
    let output = bench.energy(&["--input", "missing"], script);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}

#[test]
fn warm_up_runs_do_not_count_and_output_may_be_thrown_away() {
    let bench = Bench::package();
    let output = bench.energy(
        &["-n", "2", "--warmup", "3", "--no-output", "--quiet"],
        "echo x >> count; echo x; sleep 0.1",
    );
    assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0), "{}", stderr(&output));
    let executions = fs::read_to_string(bench.folder.path().join("count")).unwrap().lines().count();
    let recording = bench.recording();
    let rows = &recording.tables.energy;
    assert_eq!(
        (rows.len(), 3 + rows.iter().map(|row| row.repetitions as usize).sum::<usize>()),
        (2, executions)
    );
    assert_eq!(recording.manifest.energy.unwrap().warmup_runs, 3);
}

#[test]
fn a_command_that_does_not_start_leaves_nothing() {
    let bench = Bench::package();
    let mut command = opmeter();
    command.current_dir(bench.folder.path()).args(["energy", "-o", "out.opm", "--idle", "0", "--sysfs"]);
    let output = command.arg(bench.tree.path()).args(["--", "no-such-command"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("there is no such command"), "{}", stderr(&output));
    assert!(!bench.path().exists());
}

#[test]
fn wrong_arguments_end_with_status_2() {
    let bench = Bench::package();
    for options in [
        &["-n", "0"][..],
        &["--watts", "-3"],
        &["--watts", "nan"],
        &["--idle", "-1"],
        &["--watts", "5", "--source", "perf"],
        &["--source", "wattmeter"],
    ] {
        let output = bench.command(options, "echo ran").output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{options:?}");
    }
}

#[test]
fn doctor_says_which_counters_can_be_read() {
    let doctor = |root: &Path| {
        let mut command = opmeter();
        command.args(["doctor", "--sysfs"]).arg(root).arg("--python").arg(&any().path);
        let output = command.output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let bench = Bench::new(&[
        zone("intel-rapl:0", "package-0", 40.0),
        zone("intel-rapl:0:0", "dram", 5.0),
        zone("intel-rapl:1", "package-1", 20.0),
    ]);
    bench.tree.remove("intel-rapl:1");
    let text = doctor(bench.tree.path());
    assert!(text.contains("energy, powercap  reads package-0, dram-0\n"), "{text}");
    assert!(text.contains("intel-rapl:1 can't be read: energy_uj: No such file"), "{text}");
    assert!(text.contains("energy, perf ") && text.contains("to allow it: sudo modprobe"), "{text}");
}
