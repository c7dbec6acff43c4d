//! Where it ran, on real interpreters: instructions, lines, pairs and forms agree with the program and with
//! each other.
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
use std::io::BufRead;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use interpreters::{Interpreter, all, any, one_of_each_version};
use opmeter_recording::{Phase, Recording};
use recorded::{Recorded, opmeter, record_with};

/// Every way in which a count may go astray: code that dies, code that shares its bytecode, generators that
/// are never finished, exceptions, classes, children, threads.
const PROGRAM: &str = "\
import os, threading
def work(n):
    total = 0
    for i in range(n):
        total += i
    return total
def source():
    try:
        while True:
            yield 1
    finally:
        work(3)
def main():
    g = source()
    for i in range(50):
        next(g)
    del g
    for i in range(40):
        exec(compile('a = [x * x for x in range(%d)]' % (i % 4), 'made_%d.py' % (i % 2), 'exec'), {})
    for i in range(30):
        try:
            class Local:
                def method(self): return self.nothing
            Local().method()
        except AttributeError:
            pass
    work(1000)
main()
threads = [threading.Thread(target=work, args=(500,)) for _ in range(3)]
[t.start() for t in threads]
[t.join() for t in threads]
if os.fork() == 0:
    work(700)
    os._exit(0)
os.wait()
";

/// Whether this interpreter's instructions are counted by their address.
fn has_places(interpreter: &Interpreter) -> bool {
    !(interpreter.free_threaded && interpreter.version >= (3, 14))
}

fn run(interpreter: &Interpreter, options: &[&str], program: &str) -> Recorded {
    let recorded = record_with(options, [interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
    assert!(recorded.output.status.success(), "{}: {}", interpreter.path.display(), recorded.stderr());
    recorded
}

/// What the command says of a recording, and whether it succeeded.
fn of(recorded: &Recorded, arguments: &[&str]) -> (bool, String) {
    let output = opmeter().current_dir(recorded.folder()).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn instructions_add_up_to_opcodes_whatever_runs() {
    let interpreters: Vec<&Interpreter> = all().iter().filter(|one| has_places(one)).collect();
    at_once::each(&interpreters, |interpreter| {
        for options in [&[][..], &["--pairs"]] {
            let recorded = run(interpreter, options, PROGRAM);
            let name = format!("{} {options:?}", interpreter.path.display());
            let Recording { manifest, tables, .. } = recorded.recording();
            assert!(manifest.complete, "{name}: {:?}", manifest.incomplete);
            // Threads run in parallel here, and a phase does not end at one moment for all of them.
            let key = |phase: Phase| if interpreter.free_threaded { None } else { Some(phase) };
            let mut sums: BTreeMap<(u32, Option<Phase>, &str), [u64; 3]> = BTreeMap::new();
            for row in &tables.opcodes {
                sums.entry((row.process, key(row.phase), &row.base_opcode)).or_default()[0] += row.executions;
            }
            for row in &tables.instructions {
                sums.entry((row.process, key(row.phase), &row.opcode)).or_default()[1] += row.executions;
            }
            for row in &tables.pairs {
                sums.entry((row.process, key(row.phase), &row.second_base)).or_default()[2] += row.executions;
            }
            let differing: Vec<_> = sums.iter().filter(|(_, [one, other, _])| one != other).collect();
            assert!(differing.is_empty(), "{name}: {differing:?}");
            // The first instruction of a process and of a thread has nothing before it.
            if !options.is_empty() {
                let counted = tables.opcodes.iter().map(|row| row.executions).sum::<u64>();
                let followed = tables.pairs.iter().map(|row| row.executions).sum::<u64>();
                assert!(followed <= counted && followed + 20 > counted, "{name}: {followed} of {counted}");
            }
            let (agrees, text) = of(&recorded, &["report", "out.opm", "--check"]);
            assert!(agrees, "{name}: {text}");
        }
    });
}

/// Lines of every kind but those that come back to themselves, such as comprehensions: to an event each of
/// their turns is a new line or is not, as the version will have it.
const LINES: &str = "\
import threading
class Guard:
    def __enter__(self):
        return self
    def __exit__(self, *args):
        return True
def numbers(n):
    while n:
        n -= 1
        if n % 3 == 0:
            continue
        yield n
def divide(a, b):
    try:
        c = a / b
    except ZeroDivisionError:
        c = -1
    else:
        c += 1
    finally:
        a = 0
    return c
def call(a,
         b):
    return max(
        a,
        b,
    )
def guarded(n):
    try:
        if n > 2:
            return n
        n += 5
    finally:
        n -= 1
    return n
def nested(n):
    try:
        try:
            return n
        finally:
            n += 1
    finally:
        n += 2
def turns(n):
    for i in range(n):
        try:
            if i % 2:
                continue
            if i > 6:
                break
        finally:
            n += 0
    return n
def within(n):
    with Guard():
        return n
def main(n):
    total = 0
    for i in range(5):
        guarded(i)
        nested(i)
        turns(i * 3)
        within(i)
    for i in numbers(n):
        if i % 2 and i > 4 or i == 8:
            total += divide(i, i % 5)
        elif i == 3:
            total -= 1
        else:
            for j in range(i):
                total += call(i,
                              j)
                if j > 6:
                    break
            else:
                total += 1
    with Guard():
        total += 1
    short = lambda x: x + 1
    while True:
        total = short(total)
        if total > 0: break
    left = numbers(5)
    next(left)
    assert total
    try:
        for one in left:
            if one == 1: raise KeyError
    except KeyError: pass
    return total
main(60)
thread = threading.Thread(target=main, args=(30,))
thread.start()
thread.join()
";

#[test]
fn lines_are_hit_as_often_as_they_are_come_to() {
    let interpreters: Vec<&Interpreter> = all().iter().filter(|one| has_places(one)).collect();
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/independent/line_events.py");
    at_once::each(&interpreters, |interpreter| {
        let name = interpreter.path.display();
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("lines.py");
        fs::write(&program, LINES).unwrap();
        let traced = Command::new(&interpreter.path).arg(&events).arg(&program).output().unwrap();
        assert!(traced.status.success(), "{name}: {}", String::from_utf8_lossy(&traced.stderr));
        let events: BTreeMap<u32, u64> = serde_json::from_slice(&traced.stdout).unwrap();
        assert!(events.len() > 45, "{name}: {events:?}");

        let recorded = record_with(&[], [interpreter.path.as_os_str(), program.as_os_str()]);
        let mut hits = BTreeMap::new();
        for row in &recorded.recording().tables.lines {
            if row.hits > 0 && row.file.ends_with("lines.py") {
                *hits.entry(row.line).or_insert(0) += row.hits;
            }
        }
        assert_eq!(hits, events, "{name}: hits of lines, and their events");
    });
}

#[test]
fn forms_add_up_to_the_instructions_that_can_specialise() {
    for interpreter in one_of_each_version() {
        let recorded = run(interpreter, &[], PROGRAM);
        let tables = recorded.recording().tables;
        let name = interpreter.path.display();
        if interpreter.version < (3, 11) || !has_places(interpreter) {
            assert_eq!(tables.specialization, [], "{name}");
            continue;
        }
        let place = |process, phase, code, offset| (process, phase, code, offset);
        let executions: BTreeMap<_, u64> = tables
            .instructions
            .iter()
            .map(|row| (place(row.process, row.phase, row.code, row.offset), row.executions))
            .collect();
        assert!(tables.specialization.len() > 50, "{name}: {}", tables.specialization.len());
        for row in &tables.specialization {
            let found = executions.get(&place(row.process, row.phase, row.code, row.offset));
            assert_eq!(found, Some(&row.executions), "{name}: {row:?}");
            assert_eq!(row.specialized + row.unspecialized + row.missed, row.executions, "{name}: {row:?}");
        }
        // Without the global lock, 3.13 specialises nothing.
        if interpreter.free_threaded {
            continue;
        }
        // `total += i` on small integers.
        let sum = tables.specialization.iter().filter(|row| row.line == 5 && row.phase == Phase::Main);
        let hot: Vec<_> = sum.filter(|row| &*row.file == "<string>" && row.specialized > 900).collect();
        assert!(!hot.is_empty(), "{name}: the hot loop did not specialise");
    }
}

#[test]
fn a_real_source_is_annotated_and_exported() {
    let interpreter = any();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("lines.py");
    fs::write(&program, LINES).unwrap();
    let recorded = record_with(&[], [interpreter.path.as_os_str(), program.as_os_str()]);
    let (succeeded, text) = of(&recorded, &["annotate", "out.opm", "main", "--bytecode"]);
    assert!(succeeded && text.contains("    total += divide(i, i % 5)\n"), "{text}");
    assert!(text.contains("COMPARE_OP") && !text.contains("warning"), "{text}");

    let (succeeded, lcov) =
        of(&recorded, &["export", "out.opm", "--format", "lcov", "--include", "lines.py"]);
    // `n -= 1`: numbers(60), numbers(30) and twice the four of numbers(5) that are asked for.
    assert!(succeeded && lcov.contains(&format!("DA:9,{}\n", 60 + 30 + 2 * 4)), "{lcov}");
    assert!(lcov.contains("FNDA:2,main\n"), "{lcov}");

    let (succeeded, callgrind) = of(&recorded, &["export", "out.opm", "--format", "callgrind"]);
    let total: u64 = recorded.recording().tables.instructions.iter().map(|row| row.executions).sum();
    assert!(succeeded && callgrind.contains(&format!("totals: {total}\n")), "{callgrind}");
}

#[test]
fn a_killed_program_leaves_its_instructions() {
    let program = "import os, signal\ndef work():\n    for i in range(1000):\n        i * i\nwork()\n\
                   exec('x = 1\\n' * 99)\nos.kill(os.getpid(), signal.SIGKILL)\n";
    for interpreter in one_of_each_version().into_iter().filter(|one| has_places(one)) {
        let recorded = record_with(&[], [interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
        let name = interpreter.path.display();
        assert_eq!(recorded.output.status.signal(), Some(9), "{name}: {}", recorded.stderr());
        let (agrees, text) = of(&recorded, &["report", "out.opm", "--check"]);
        assert!(agrees, "{name}: {text}");
        let tables = recorded.recording().tables;
        let hits = |line| {
            let line = tables.lines.iter().filter(|row| row.line == line && row.phase == Phase::Main);
            line.filter(|row| &*row.file == "<string>").map(|row| row.hits).sum::<u64>()
        };
        // The loop's body, and the 99th line of what is executed.
        assert_eq!((hits(4), hits(99)), (1001, 1), "{name}");
    }
}

#[test]
fn the_command_killed_leaves_the_instructions_so_far() {
    let interpreter = any();
    let folder = tempfile::tempdir().unwrap();
    let program = "def work():\n    for i in range(1000):\n        i * i\nwork()\n\
                   print('done', flush=True)\ninput()\n";
    let mut command = opmeter()
        .current_dir(folder.path())
        .args(["record", "-o", "out.opm", "--"])
        .arg(&interpreter.path)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(command.stdout.take().unwrap()).read_line(&mut line).unwrap();
    command.kill().unwrap();
    command.wait().unwrap();
    let lines = ["report", "out.opm", "--by", "line", "--include", "<string>"];
    let report = opmeter().current_dir(folder.path()).args(lines).output().unwrap();
    let text = String::from_utf8([report.stdout, report.stderr].concat()).unwrap();
    assert!(report.status.success() && text.contains("<string>:3 "), "{text}");
    assert!(text.contains(" 1,000  █"), "{text}");
}
