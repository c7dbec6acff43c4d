//! Events, on real interpreters: every execution is there, once, in order, and with its time; whatever happens,
//! what was executed before can be read.
#![allow(clippy::unwrap_used)]

#[path = "support/at_once.rs"]
mod at_once;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use interpreters::{Interpreter, all, any, one_of_each_version};
use opmeter_recording::{EventFile, Events, Phase, Recording};
use recorded::{Recorded, opmeter, record_with};

/// Branches, calls, an exception, and a loop of a length that depends on what came before.
const ORDERED: &str = "\
import sys
def work(n):
    total, seen = 0, []
    for i in range(n):
        if i % 3 == 0:
            total += i * 2
        elif i % 3 == 1:
            seen.append(i)
        else:
            try:
                total //= i % 2
            except ZeroDivisionError:
                total -= 1
    while total > 100:
        total = total // 2
    return total, len(seen)
offsets = []
def trace(frame, event, argument):
    if frame.f_code is not work.__code__:
        return None
    frame.f_trace_opcodes = True
    if event == 'opcode':
        offsets.append(frame.f_lasti)
    return trace
traced = len(sys.argv) > 1
if traced and sys.version_info >= (3, 12):
    sys.monitoring.use_tool_id(1, 'order')
    sys.monitoring.register_callback(1, sys.monitoring.events.INSTRUCTION, lambda code, offset: offsets.append(offset))
    sys.monitoring.set_local_events(1, work.__code__, sys.monitoring.events.INSTRUCTION)
elif traced:
    sys.settrace(trace)
work(60)
if traced:
    import dis
    sys.settrace(None)
    names = {i.offset: i.opname for i in dis.get_instructions(work)}
    skip = ('RESUME', 'EXTENDED_ARG', 'NOT_TAKEN')
    print(*[o for o in offsets if names.get(o) not in skip])
";

fn record(python: &Interpreter, options: &[&str], program: &str) -> Recorded {
    let options = [&["--events"], options].concat();
    let recorded = record_with(&options, [python.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
    assert!(recorded.output.status.success(), "{}: {}", python.path.display(), recorded.stderr());
    recorded
}

/// A row of the table of events.
#[derive(Debug)]
struct Row {
    thread: u32,
    phase: String,
    opcode: String,
    function: String,
    line: u32,
    offset: u32,
    start: u64,
    raw: u64,
    net: u64,
}

/// The table of events, as it is exported; with what the command said besides.
fn rows(recording: &Path) -> (Vec<Row>, String) {
    let output =
        opmeter().args(["export", "--table", "events", "--format", "csv"]).arg(recording).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let header =
        "process,thread,phase,opcode,file,function,line,offset,code,start_cycles,cycles_raw,cycles_net";
    assert_eq!(lines.next(), Some(header));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), 12, "{line}");
        let number = |at: usize| cells[at].parse().unwrap();
        Row {
            thread: number(1) as u32,
            phase: cells[2].to_owned(),
            opcode: cells[3].to_owned(),
            function: cells[5].to_owned(),
            line: number(6) as u32,
            offset: number(7) as u32,
            start: number(9),
            raw: number(10),
            net: number(11),
        }
    };
    (lines.map(row).collect(), stderr)
}

/// Whether the tables of a recording add up, its events among them; if not, why.
fn check(recording: &Path) -> Result<(), String> {
    let output = opmeter().args(["report", "--check"]).arg(recording).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stdout).into_owned()) }
}

#[test]
fn there_is_an_event_for_each_execution() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/workloads");
    let mut workloads: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    workloads.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    assert!(workloads.len() > 20);
    let runs: Vec<(&Interpreter, &PathBuf)> =
        all().iter().flat_map(|python| workloads.iter().map(move |workload| (python, workload))).collect();
    at_once::each(&runs, |(python, workload)| {
        let recorded = record_with(&["--events"], [&python.path, *workload]);
        let name = format!("{} {}", python.path.display(), workload.display());
        let path = recorded.path();
        // A workload that the version can't run ends at once, and is recorded as well.
        check(&path).unwrap_or_else(|text| panic!("{name}: {text}"));
        let recording = recorded.recording();
        assert!(recording.manifest.incomplete.iter().all(|text| !text.contains("event")), "{name}");
        let executions: u64 = recording.tables.opcodes.iter().map(|row| row.executions).sum();
        let besides = recording.tables.opcodes.iter().filter(|row| row.is_besides());
        let besides: u64 = besides.map(|row| row.executions).sum();
        let events = recording.manifest.processes.iter().filter_map(|process| process.events.as_ref());
        assert_eq!(events.map(|events| events.events).sum::<u64>(), executions - besides, "{name}");
    });
}

#[test]
fn events_are_in_order() {
    at_once::each(&one_of_each_version(), |python| {
        let recorded = record(python, &[], ORDERED);
        let (rows, _) = rows(&recorded.path());
        let name = python.path.display();
        let skip = |row: &&Row| {
            !["RESUME", "EXTENDED_ARG", "NOT_TAKEN"].iter().any(|name| row.opcode.contains(name))
        };
        let ours = rows.iter().filter(|row| row.phase == "main" && row.function == "work").filter(skip);
        let ours: Vec<String> = ours.map(|row| row.offset.to_string()).collect();
        let traced = Command::new(&python.path).args(["-c", ORDERED, "traced"]).output().unwrap();
        let traced = String::from_utf8(traced.stdout).unwrap();
        let traced: Vec<&str> = traced.split_whitespace().collect();
        assert!(traced.len() > 1000, "{name}");
        assert_eq!(ours, traced, "{name}");
        // What a combined opcode executes besides comes at the same time.
        for pair in rows.windows(2).filter(|pair| pair[0].thread == pair[1].thread) {
            assert!(pair[0].start <= pair[1].start, "{name}: {pair:?}");
        }
        assert!(rows.iter().all(|row| row.net <= row.raw), "{name}");
        let (raw, net) = rows.iter().fold((0, 0), |sum, row| (sum.0 + row.raw, sum.1 + row.net));
        assert!(0 < net && net < raw, "{name}");
    });
}

#[test]
fn time_belongs_to_who_spent_it() {
    const PROGRAM: &str = "\
import time, threading
def key(x):
    return -x
time.sleep(0.3)
sorted(range(30000), key=key)
def wait():
    time.sleep(0.4)
thread = threading.Thread(target=wait)
thread.start()
thread.join()
";
    // How much of the time of a call, and of what it calls, is told. The program may have waited for the command to read
    // events, which is charged to nobody.
    let told = |python: &Interpreter| {
        let recorded = record(python, &[], PROGRAM);
        let recording = recorded.recording();
        let (rows, _) = rows(&recorded.path());
        let name = python.path.display();
        let hz = recording.manifest.processes[0].events.as_ref().unwrap().tsc_hz;
        let line = |number: u32, function: &str| {
            let rows = rows
                .iter()
                .filter(|row| row.phase == "main" && row.line == number && row.function == function);
            rows.map(|row| row.raw).max().unwrap() as f64 / hz
        };
        assert!(line(4, "<module>") > 0.295, "{name}");
        assert!(line(7, "wait") > 0.395, "{name}");
        // What ran before in other threads is no part of it.
        assert!(rows.iter().any(|row| row.thread == 1), "{name}");
        // The call's own time goes on after each of 30,000 callbacks, in all of which more than one block of
        // events ends; the callbacks' instructions are no part of it.
        let inner: u64 = rows.iter().filter(|row| row.function == "key").map(|row| row.raw).sum();
        let call =
            rows.iter().filter(|row| row.phase == "main" && row.line == 5 && row.function == "<module>");
        let call = call.max_by_key(|row| row.raw).unwrap();
        assert!(call.raw > 30_000 * 10, "{name}: {call:?}");
        let after = rows.iter().find(|row| row.start > call.start + call.raw && row.function == "<module>");
        let elapsed = after.unwrap().start - call.start;
        let part = (inner + call.raw) as f64 / elapsed as f64;
        assert!(part <= 1.01, "{name}: {part}");
        part
    };
    at_once::each(&one_of_each_version(), |python| {
        let enough = (0..3).any(|_| told(python) > 0.9);
        assert!(enough, "{}: too little is told in each of three runs", python.path.display());
    });
}

#[test]
fn every_process_has_its_events() {
    const PROGRAM: &str = "\
import os
def work(n):
    return sum(i * i for i in range(n))
if os.fork() == 0:
    work(2000)
    os._exit(0)
os.wait()
work(1000)
os.system('true')
";
    at_once::each(&one_of_each_version(), |python| {
        let recorded = record(python, &[], PROGRAM);
        check(&recorded.path()).unwrap();
        let recording = recorded.recording();
        let events: Vec<u64> = recording
            .manifest
            .processes
            .iter()
            .map(|process| process.events.as_ref().unwrap().events)
            .collect();
        assert_eq!(events.len(), 2, "{}", python.path.display());
        assert!(events.iter().all(|events| *events > 10_000), "{events:?}");
    });
}

/// A process that ends soon after the command has all its events; one that runs on is named, not compared.
#[test]
fn what_outlives_the_command_has_its_events() {
    let program = |seconds: f64| {
        format!(
            "\
import os, time
if os.fork() == 0:
    end = time.time() + {seconds}
    while time.time() < end:
        for i in range(100): pass
    os._exit(0)
"
        )
    };
    at_once::each(&one_of_each_version(), |python| {
        for _ in 0..3 {
            let recorded = record(python, &[], &program(0.05));
            check(&recorded.path()).unwrap();
            let manifest = recorded.recording().manifest;
            assert_eq!((manifest.complete, manifest.processes.len()), (true, 2), "{:?}", manifest.incomplete);
        }
        let recorded = record(python, &[], &program(1.0));
        check(&recorded.path()).unwrap();
        let manifest = recorded.recording().manifest;
        assert!(
            manifest.incomplete.iter().any(|text| text.contains("still ran")),
            "{:?}",
            manifest.incomplete
        );
        assert!(manifest.processes.iter().all(|process| process.events.as_ref().unwrap().events > 1000));
    });
}

/// What is killed at whatever instant may lack one event, or have one too many; the check allows that.
#[test]
fn a_process_that_is_killed_lacks_an_event_at_most() {
    const PROGRAM: &str = "\
import os, time
for turn in range(12):
    pid = os.fork()
    if pid == 0:
        while True:
            for i in range(100): str(i).upper()
    time.sleep(0.02 + turn / 1000)
    os.kill(pid, (9, 15)[turn % 2])
    os.waitpid(pid, 0)
";
    at_once::each(&one_of_each_version(), |python| {
        let recorded = record(python, &[], PROGRAM);
        check(&recorded.path()).unwrap();
    });
}

#[test]
fn a_forked_child_has_one_stream_for_each_thread() {
    // A chunk of the ring holds some 4,000 events: the child fills many, in its own thread and in another.
    const PROGRAM: &str = "\
import _thread, os
def work(n):
    total = 0
    for i in range(n):
        total += i
def both(done):
    work(30000)
    done.release()
if os.fork() == 0:
    work(30000)
    if os.fork() == 0:
        work(30000)
        done = _thread.allocate_lock()
        done.acquire()
        _thread.start_new_thread(both, (done,))
        done.acquire()
        work(30000)
        os._exit(0)
    os.wait()
    work(30000)
    os._exit(0)
os.wait()
";
    at_once::each(&one_of_each_version(), |python| {
        let recorded = record(python, &[], PROGRAM);
        let name = python.path.display();
        check(&recorded.path()).unwrap_or_else(|text| panic!("{name}: {text}"));
        let processes = recorded.recording().manifest.processes;
        let events: Vec<_> = processes.iter().map(|process| process.events.as_ref().unwrap()).collect();
        let threads: Vec<u32> = events.iter().map(|events| events.threads).collect();
        assert_eq!(threads, [1, 1, 2], "{name}");
        assert!(events[1..].iter().all(|events| events.events > 100_000), "{name}");
    });
}

/// Executes some millions of instructions.
const LONG: &str = "\
def work(n):
    total = 0
    for i in range(n):
        total += i
work(4000000)
print('done')
";

#[test]
fn events_end_where_they_are_asked_to() {
    let recorded = record(any(), &["--max-events", "500K"], LONG);
    assert!(recorded.stdout().contains("done"), "the program runs on");
    let recording = recorded.recording();
    let events = recording.manifest.processes[0].events.as_ref().unwrap();
    assert_eq!((events.events, &*events.end), (500_000, "max_events"));
    assert!(recording.manifest.incomplete[0].contains("500000"), "{:?}", recording.manifest.incomplete);
    check(&recorded.path()).unwrap();
    let executions: u64 = recording.tables.opcodes.iter().map(|row| row.executions).sum();
    assert!(executions > 16_000_000, "it is counted on: {executions}");

    let recorded = record(any(), &["--max-size", "1M"], LONG);
    let recording = recorded.recording();
    let events = recording.manifest.processes[0].events.as_ref().unwrap();
    assert_eq!(events.end, "max_size");
    assert!((900_000..=1 << 20).contains(&events.bytes), "{events:?}");
    let executions: u64 = recording.tables.opcodes.iter().map(|row| row.executions).sum();
    assert!(executions > 16_000_000, "it is counted on: {executions}");
}

#[test]
fn a_full_disk_ends_the_events_and_nothing_else() {
    // Units are 512 or 1024 bytes: room for the ring, but not for all events.
    let folder = tempfile::tempdir().unwrap();
    let command = "ulimit -f 32768; exec \"$@\"";
    let program = LONG.replace("4000000", "12000000");
    let output = Command::new("sh")
        .current_dir(folder.path())
        .args([
            "-c",
            command,
            "sh",
            env!("CARGO_BIN_EXE_opmeter"),
            "record",
            "--events",
            "-o",
            "out.opm",
            "--",
        ])
        .arg(&any().path)
        .args(["-c", &program])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("done"), "{}", String::from_utf8_lossy(&output.stderr));
    let path = folder.path().join("out.opm");
    let recording = Recording::open(&path).unwrap();
    let events = recording.manifest.processes[0].events.as_ref().unwrap();
    assert_eq!(events.end, "disk_full");
    assert!(events.events > 5_000_000 && events.bytes <= 32 << 20, "{events:?}");
    assert!(
        recording.manifest.incomplete[0].contains("could not be written"),
        "{:?}",
        recording.manifest.incomplete
    );
    check(&path).unwrap();
    assert!(!path.join("live").exists());
}

#[test]
fn what_was_executed_before_the_command_was_killed_is_there() {
    const PROGRAM: &str = "\
import sys, time
def turn(n):
    pass
end = time.monotonic() + 1.5
n = 0
while time.monotonic() < end:
    turn(n)
    n += 1
    if n % 1000 == 0:
        open(sys.argv[1], 'w').write('%d %f' % (n, time.monotonic()))
open(sys.argv[1] + '.end', 'w').write('alive')
";
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut command = opmeter()
        .current_dir(folder.path())
        .args(["record", "--events", "-o", "out.opm", "--"])
        .arg(&any().path)
        .args(["-c", PROGRAM, "turns"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&at("turns"));
    sleep(Duration::from_millis(500));
    command.kill().unwrap();
    let turns = fs::read_to_string(at("turns")).unwrap();
    command.wait().unwrap();
    // The program is not harmed.
    wait_for(&at("turns.end"));
    let (rows, _) = rows(&at("out.opm"));
    let known: u64 = turns.split_whitespace().next().unwrap_or_default().parse().unwrap_or(0);
    let calls = rows.iter().filter(|row| row.function == "turn" && row.opcode.starts_with("RETURN")).count();
    let calls =
        calls.max(rows.iter().filter(|row| row.function == "turn" && row.opcode.contains("RETURN")).count());
    // How far behind that is in time: the rows' own clock.
    let module = rows.iter().filter(|row| row.function == "turn").map(|row| row.start);
    let (first, last) = module.fold((u64::MAX, 0), |span, start| (span.0.min(start), span.1.max(start)));
    let per_turn = (last - first) as f64 / calls.max(1) as f64;
    let behind = (known as f64 - calls as f64) * per_turn;
    // The time-stamp counter runs at 5 GHz at most: 100 ms are 5e8 cycles.
    assert!(calls > 10_000 && behind < 5e8, "{known} {calls} {behind}");
    let report = opmeter().arg("report").arg(at("out.opm")).output().unwrap();
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(report.contains("interrupted"), "{report}");
}

#[test]
fn a_wait_for_the_command_is_charged_to_nobody() {
    const PROGRAM: &str = "\
def turn(n):
    pass
open('begun', 'w').close()
for n in range(3000000):
    turn(n)
";
    let folder = tempfile::tempdir().unwrap();
    let mut command = opmeter()
        .current_dir(folder.path())
        .args(["record", "--quiet", "--events", "-o", "out.opm", "--"])
        .arg(&any().path)
        .args(["-c", PROGRAM])
        .spawn()
        .unwrap();
    wait_for(&folder.path().join("begun"));
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &command.id().to_string()]).status().unwrap().success());
    };
    signal("-STOP");
    sleep(Duration::from_secs(1));
    signal("-CONT");
    assert!(command.wait().unwrap().success());
    let path = folder.path().join("out.opm");
    check(&path).unwrap();
    let recording = Recording::open(&path).unwrap();
    let events = recording.manifest.processes[0].events.as_ref().unwrap();
    assert_eq!((&*events.end, recording.manifest.complete), ("process", true));
    assert!(recording.manifest.wall_seconds > 1.0);
    let (rows, _) = rows(&path);
    let longest = rows.iter().filter(|row| row.phase == "main").max_by_key(|row| row.raw).unwrap();
    // The program has waited for most of that second, and no instruction has.
    assert!((longest.raw as f64) < 0.5 * events.tsc_hz, "{longest:?}");
    let last = rows.iter().map(|row| row.start).max().unwrap();
    assert!((last as f64) < (recording.manifest.wall_seconds - 0.5) * events.tsc_hz, "{last}");
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} is not there", path.display());
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_damaged_file_is_read_up_to_the_damage() {
    let recorded = record(any(), &[], &LONG.replace("4000000", "300000"));
    let path = recorded.path();
    let (whole, stderr) = rows(&path);
    assert_eq!(stderr, "");
    let recording = recorded.recording();
    let file = path.join(&recording.manifest.processes[0].events.as_ref().unwrap().file);
    let bytes = fs::read(&file).unwrap();
    for length in [9, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).unwrap();
        let (found, stderr) = rows(&path);
        assert!(found.len() < whole.len() || length == bytes.len() - 1, "{length}");
        assert!(stderr.contains("damaged at byte"), "{length}: {stderr}");
        for (one, other) in found.iter().zip(&whole) {
            assert_eq!((&one.opcode, one.offset, one.start), (&other.opcode, other.offset, other.start));
        }
    }
    // A byte that is not what was written.
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 0x40;
    fs::write(&file, &damaged).unwrap();
    let (found, stderr) = rows(&path);
    assert!(found.len() > whole.len() / 4 && found.len() < whole.len(), "{} of {}", found.len(), whole.len());
    assert!(stderr.contains("damaged at byte"), "{stderr}");
    // Something else in its place.
    fs::write(&file, "no events").unwrap();
    let output =
        opmeter().args(["export", "--table", "events", "--format", "csv"]).arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_event_that_is_missing_is_found_by_the_check() {
    let recorded = record(any(), &["--max-events", "100K"], LONG);
    let path = recorded.path();
    // As if the events were complete.
    let manifest = path.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"max_events\"", "\"process\"")).unwrap();
    let found = check(&path).unwrap_err();
    assert!(found.contains("opcodes, events"), "{found}");
}

#[test]
fn the_table_is_chosen_from_and_is_the_same_in_each_format() {
    let recorded = record(any(), &[], ORDERED);
    let path = recorded.path();
    let (all, _) = rows(&path);
    let export = |arguments: &[&str]| {
        let output =
            opmeter().args(["export", "--table", "events"]).args(arguments).arg(&path).output().unwrap();
        (output.status.code(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (_, main, _) = export(&["--format", "csv", "--phase", "main"]);
    let main = String::from_utf8(main).unwrap();
    let expected = all.iter().filter(|row| row.phase == "main").count();
    assert_eq!(main.lines().count() - 1, expected);
    let (_, own, _) = export(&["--format", "csv", "--include", "<string>"]);
    let own = String::from_utf8(own).unwrap();
    assert!(own.lines().skip(1).all(|line| line.contains(",<string>,")) && own.lines().count() > 1000);
    let (code, parquet, _) = export(&["--format", "parquet"]);
    assert_eq!((code, &parquet[..4], &parquet[parquet.len() - 4..]), (Some(0), &b"PAR1"[..], &b"PAR1"[..]));
    let (code, _, stderr) = export(&["--format", "json"]);
    assert_eq!(code, Some(2), "{stderr}");
    let (code, ..) = export(&["--format", "csv", "--process", "7"]);
    assert_eq!(code, Some(1));
    // A recording without events says how to have some.
    let plain = record_with(&[], [any().path.as_os_str(), "-c".as_ref(), "pass".as_ref()]);
    let output = opmeter()
        .args(["export", "--table", "events", "--format", "csv"])
        .arg(plain.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && stderr.contains("record --events"), "{stderr}");
}

#[test]
fn the_library_reads_what_the_table_shows() {
    let recorded = record(any(), &[], ORDERED);
    let recording = recorded.recording();
    let summary = recording.manifest.processes[0].events.as_ref().unwrap();
    let mut file = EventFile::open(&recorded.path().join(&summary.file)).unwrap();
    assert_eq!((file.events(), file.threads(), file.torn), (summary.events, 1, None));
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    let mut events = Events::default();
    for block in 0..file.blocks() {
        assert!(file.read(block, &mut events).unwrap());
        events.events.iter().for_each(|event| *counts.entry(event.site).or_default() += 1);
    }
    assert_eq!(counts.values().sum::<u64>(), summary.events);
    let known = |site: u32| recording.tables.event_sites.iter().any(|row| row.site == site && row.part == 0);
    assert!(counts.keys().all(|site| known(*site)));
    assert!(
        recording.tables.event_sites.iter().any(|row| row.phase == Phase::Main && &*row.function == "work")
    );
}
