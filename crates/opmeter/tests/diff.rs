//! `diff`: two recordings of a program, before and after edits and on different interpreters.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "support/interpreters.rs"]
mod interpreters;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use opmeter_recording::{Phase, Recording, Tables};

/// A program with a helper, a class, a comprehension, and lines that stand several times.
const BEFORE: &str = "\
import sys


def total(n):
    result = 0
    for i in range(n):
        result += i
    return result


def squares(n):
    return [i * i for i in range(n)]


class Counter:
    def __init__(self):
        self.count = 0

    def add(self, n):
        for i in range(n):
            self.count += i
        return self.count


def main(rounds):
    counter = Counter()
    result = 0
    for i in range(rounds):
        result += total(10)
        result += sum(squares(5))
        result += counter.add(3)
    return result


print(main(20))
";

/// The same with `total` behind `main`, a comment, a line of `squares` changed, and one of `main` in a condition.
const AFTER: &str = "\
import sys


class Counter:
    # counts
    def __init__(self):
        self.count = 0

    def add(self, n):
        for i in range(n):
            self.count += i
        return self.count


def squares(n):
    return [i * i + 1 for i in range(n)]


def main(rounds):
    counter = Counter()
    result = 0
    for i in range(rounds):
        if i % 2:
            result += total(10)
        result += sum(squares(5))
        result += counter.add(3)
    return result


def total(n):
    result = 0
    for i in range(n):
        result += i
    return result


print(main(20))
";

/// A folder with programs and recordings.
struct Workplace(tempfile::TempDir);

impl Workplace {
    fn new() -> Workplace {
        Workplace(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a program, and records it.
    fn record(&self, python: &Path, program: &str, text: &str, recording: &str) {
        self.record_with(python, program, text, recording, &[]);
    }

    fn record_with(&self, python: &Path, program: &str, text: &str, recording: &str, options: &[&str]) {
        let program = self.path(program);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.current_dir(self.0.path()).env("PYTHONHASHSEED", "0").env("PYTHONDONTWRITEBYTECODE", "1");
        command.args(["record", "-q", "-o", recording]).args(options).arg("--").arg(python).arg(&program);
        let output = command.output().unwrap();
        assert!(output.status.code().is_some_and(|code| code < 100), "{}", text_of(&output.stderr));
    }

    fn diff(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.current_dir(self.0.path()).arg("diff").args(arguments).output().unwrap()
    }

    /// What a comparison prints that succeeds; no line of it is longer than a terminal's.
    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.diff(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text_of(&output.stderr));
        let text = text_of(&output.stdout);
        if !arguments.contains(&"--format") {
            let long = text.lines().find(|line| line.chars().count() > 100);
            assert_eq!(long, None, "{arguments:?}");
        }
        text
    }

    /// The lines that are named: what stands there, and executions before and after.
    fn changed_lines(&self, before: &str, after: &str) -> Vec<(String, u64, u64)> {
        let text = self.prints(&[before, after, "--by", "line", "--format", "json"]);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let rows = rows.iter().filter(|row| {
            let files = ["file_before", "file_after"].map(|name| row[name].as_str().unwrap().to_owned());
            files.iter().any(|file| file.ends_with(".py"))
        });
        let mut named: Vec<(String, u64, u64)> = rows
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap().to_owned();
                let line = if text("edit") == "removed" { text("text_before") } else { text("text_after") };
                let count = |name: &str| row[name].as_u64().unwrap();
                (line, count("executions_before"), count("executions_after"))
            })
            .collect();
        named.sort();
        named
    }

    fn edit_recording(&self, name: &str, edit: impl Fn(&mut Recording)) {
        let mut recording = Recording::open(&self.path(name)).unwrap();
        edit(&mut recording);
        Recording::write(&self.path(name), &recording.manifest, &recording.tables).unwrap();
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Executions of lines of the program's own file in the main phase.
fn line_counts(tables: &Tables, program: &Path) -> BTreeMap<u32, u64> {
    let mut counts = BTreeMap::new();
    for row in tables.lines.iter().filter(|row| row.phase == Phase::Main) {
        if Path::new(&*row.file) == program {
            *counts.entry(row.line).or_default() += row.executions;
        }
    }
    counts
}

#[test]
fn a_program_that_is_recorded_twice_has_not_changed() {
    for python in interpreters::one_of_each_version() {
        let work = Workplace::new();
        work.record(&python.path, "prog.py", BEFORE, "a.opm");
        work.record(&python.path, "prog.py", BEFORE, "b.opm");
        let text = work.prints(&["a.opm", "b.opm"]);
        assert!(text.contains("as many executions in both"), "{:?}: {text}", python.path);
        assert!(text.contains("No line changed: ") && text.contains("No opcode changed: "), "{text}");
        assert!(!text.contains("warning"), "{text}");
        for by in ["opcode", "family", "function", "file", "line"] {
            let text = work.prints(&["a.opm", "b.opm", "--by", by, "--phase", "main"]);
            assert!(text.contains(" changed: "), "{by}: {text}");
        }
        let output = work.diff(&["a.opm", "b.opm", "--fail-above", "0"]);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output.stderr));
    }
}

/// In place, so that the text before is only in the recording, and in two folders.
#[test]
fn an_edit_is_found_on_every_version() {
    for python in interpreters::one_of_each_version() {
        for (program, program_after) in [("prog.py", "prog.py"), ("one/prog.py", "two/new/prog.py")] {
            let work = Workplace::new();
            work.record(&python.path, program, BEFORE, "a.opm");
            work.record(&python.path, program_after, AFTER, "b.opm");
            let named = work.changed_lines("a.opm", "b.opm");
            let lines: Vec<&str> = named.iter().map(|(line, ..)| line.as_str()).collect();
            let expected = [
                "def total(n):",
                "for i in range(n):",
                "if i % 2:",
                "result += i",
                "result += total(10)",
                "result = 0",
                "return [i * i + 1 for i in range(n)]",
                "return result",
            ];
            // What a call executes belongs to the `def` line from 3.11 on, and up to 3.12 the `if` line gets the jump
            // back to the loop where the condition does not hold.
            let expected: Vec<&str> = expected
                .into_iter()
                .filter(|line| *line != "def total(n):" || python.version >= (3, 11))
                .collect();
            assert_eq!(lines, expected, "{:?}: {named:?}", python.path);
            let halved = named.iter().filter(|(_, before, after)| *before == 2 * *after).count();
            assert!(halved >= 5, "{:?}: {named:?}", python.path);
            let functions = work.prints(&["a.opm", "b.opm", "--by", "function"]);
            let squares = if python.version < (3, 12) { "<listcomp>" } else { "squares" };
            for name in ["total", "main", squares] {
                assert!(functions.contains(name), "{name}: {functions}");
            }
            assert!(!functions.contains("Counter") && !functions.contains("added"), "{functions}");
        }
    }
}

#[test]
fn the_same_program_on_two_interpreters_differs_where_the_recordings_do() {
    let all = interpreters::one_of_each_version();
    let (first, last) = (all.first().unwrap(), all.last().unwrap());
    let work = Workplace::new();
    work.record(&first.path, "prog.py", BEFORE, "a.opm");
    work.record(&last.path, "prog.py", BEFORE, "b.opm");
    let counts = ["a.opm", "b.opm"]
        .map(|name| line_counts(&Recording::open(&work.path(name)).unwrap().tables, &work.path("prog.py")));
    let texts: Vec<&str> = BEFORE.lines().collect();
    let mut expected = Vec::new();
    let lines: std::collections::BTreeSet<u32> =
        counts.iter().flat_map(|counts| counts.keys().copied()).collect();
    for line in lines {
        let [before, after] = counts.each_ref().map(|counts| counts.get(&line).copied().unwrap_or(0));
        if before != after {
            let text = line.checked_sub(1).map_or("", |line| texts[line as usize].trim());
            expected.push((text.to_owned(), before, after));
        }
    }
    expected.sort();
    assert_eq!(work.changed_lines("a.opm", "b.opm"), expected);
    let text = work.prints(&["a.opm", "b.opm"]);
    let kind = if first.version == last.version { "opcode" } else { "famil" };
    assert!(text.contains(kind), "{text}");
    // A comprehension is part of its function, whoever compiled it.
    let functions = work.prints(&["a.opm", "b.opm", "--by", "function"]);
    if (first.version < (3, 12)) != (last.version < (3, 12)) {
        assert!(!functions.contains("<listcomp>") && functions.contains("squares"), "{functions}");
    }
}

#[test]
fn a_function_that_went_to_another_file_is_the_same() {
    let python = interpreters::any();
    let work = Workplace::new();
    let helper = "def helper(n):\n    values = []\n    for i in range(n):\n        values.append(i * n)\n    \
                  return sum(values)\n";
    let rest = "def other(n):\n    return n + helper(n)\n\nprint(other(10))\n";
    work.record(&python.path, "one/prog.py", &format!("{helper}\n{rest}"), "a.opm");
    fs::create_dir_all(work.path("two")).unwrap();
    fs::write(work.path("two/helpers.py"), helper).unwrap();
    work.record(&python.path, "two/prog.py", &format!("from helpers import helper\n\n{rest}"), "b.opm");
    let named = work.changed_lines("a.opm", "b.opm");
    let of_helper = named.iter().filter(|(line, ..)| line.contains("values") || line.contains("range"));
    assert_eq!(of_helper.count(), 0, "{named:?}");
    assert!(named.iter().any(|(line, ..)| line == "from helpers import helper"), "{named:?}");
    let functions = work.prints(&["a.opm", "b.opm", "--by", "function", "--include", "*.py"]);
    assert!(!functions.contains("removed"), "{functions}");
}

#[test]
fn a_gate_has_statuses_of_its_own() {
    let python = interpreters::any();
    let work = Workplace::new();
    let program = |rounds: u32| format!("x = 0\nfor i in range({rounds}):\n    x += i\n");
    work.record(&python.path, "prog.py", &program(1000), "a.opm");
    work.record(&python.path, "prog.py", &program(1100), "b.opm");
    let gate = |arguments: &[&str]| {
        let output = work.diff(arguments);
        (output.status.code().unwrap(), text_of(&output.stderr))
    };
    let (status, text) = gate(&["a.opm", "b.opm", "--fail-above", "5"]);
    assert!(status == 1 && text.contains("more than --fail-above 5 allows"), "{status} {text}");
    assert_eq!(gate(&["a.opm", "b.opm", "--fail-above", "0"]).0, 1);
    assert_eq!(gate(&["a.opm", "b.opm", "--fail-above", "11%"]).0, 0);
    assert_eq!(gate(&["b.opm", "a.opm", "--fail-above", "0"]).0, 0);
    assert_eq!(gate(&["a.opm", "b.opm"]).0, 0);
    // All that is no answer is 2.
    assert_eq!(gate(&["a.opm", "nowhere.opm", "--fail-above", "5"]).0, 2);
    assert_eq!(gate(&["a.opm", "b.opm", "--fail-above", "-1"]).0, 2);
    let (status, text) = gate(&["a.opm", "b.opm", "--fail-above", "5", "--include", "nowhere.py"]);
    assert!(
        status == 2 && text.contains("no file that ran in a.opm or b.opm fits --include nowhere.py"),
        "{status} {text}"
    );
    assert_eq!(gate(&["a.opm", "b.opm", "--include", "nowhere.py"]).0, 2);
    let (status, text) =
        gate(&["a.opm", "b.opm", "--fail-above", "5", "--include", "prog.py", "--phase", "shutdown"]);
    assert!(status == 2 && text.contains("nothing that is selected ran"), "{status} {text}");
    let (status, _) = gate(&["a.opm", "b.opm", "--terms", "executed", "--include", "prog.py"]);
    assert_eq!(status, 2);
    assert_eq!(gate(&["a.opm", "b.opm", "--format", "csv"]).0, 2);
    // A recording that is not whole proves no success, but more than is allowed is more than is allowed.
    work.edit_recording("b.opm", |recording| {
        recording.manifest.complete = false;
        recording.manifest.incomplete = vec!["half of it".to_owned()];
    });
    assert_eq!(gate(&["a.opm", "b.opm", "--fail-above", "5"]).0, 1);
    let (status, text) = gate(&["a.opm", "b.opm", "--fail-above", "50"]);
    assert!(status == 2 && text.contains("incomplete"), "{status} {text}");
    assert_eq!(gate(&["b.opm", "a.opm", "--fail-above", "50"]).0, 2);
    assert!(work.prints(&["a.opm", "b.opm"]).contains("after: half of it"));
}

#[test]
fn a_run_that_failed_early_does_not_pass() {
    let python = interpreters::any();
    let work = Workplace::new();
    work.record(&python.path, "prog.py", "for i in range(1000): pass\n", "a.opm");
    work.record(&python.path, "prog.py", "raise SystemExit(3)\n", "b.opm");
    let output = work.diff(&["a.opm", "b.opm", "--fail-above", "10"]);
    assert_eq!(output.status.code(), Some(2), "{}", text_of(&output.stderr));
    assert!(text_of(&output.stdout).contains("ended differently: before with status 0, after with status 3"));
}

#[test]
fn a_run_that_ended_otherwise_and_ran_more_fails() {
    let python = interpreters::any();
    let work = Workplace::new();
    work.record(&python.path, "prog.py", "for i in range(1000): pass\n", "a.opm");
    work.record(&python.path, "prog.py", "for i in range(3000): pass\nraise SystemExit(3)\n", "b.opm");
    let gate = |arguments: &[&str]| work.diff(arguments).status.code().unwrap();
    assert_eq!(gate(&["a.opm", "b.opm", "--fail-above", "10"]), 1);
    assert_eq!(gate(&["a.opm", "b.opm", "--fail-above", "1000"]), 2);
    // Where the run before failed, it may have ended early.
    assert_eq!(gate(&["b.opm", "a.opm", "--fail-above", "10"]), 2);
    work.edit_recording("a.opm", |recording| recording.manifest.exit.code = Some(4));
    assert_eq!(gate(&["a.opm", "b.opm", "--fail-above", "10"]), 2);
}

#[test]
fn of_several_processes_those_that_are_compared_are_told() {
    let python = interpreters::any();
    let work = Workplace::new();
    let program = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'pass'])\n";
    work.record(&python.path, "prog.py", program, "a.opm");
    let all = work.prints(&["a.opm", "a.opm"]);
    assert_eq!(all.matches("2 processes").count(), 2, "{all}");
    let one = work.prints(&["a.opm", "a.opm", "--process", "1"]);
    assert_eq!(one.matches("1 of 2 processes").count(), 2, "{one}");
}

/// Functions that are nearly the same, and a decorator.
const ALIKE: &str = "\
def memo(function):
    seen = {}
    def wrapper(n):
        if n not in seen:
            seen[n] = function(n)
        return seen[n]
    return wrapper

def second(n):
    total = 0
    for i in range(n):
        total += i
    return total

def third(n):
    total = 0
    for i in range(n):
        total += i
    return total

@memo
def twice(n): return 2 * n

print(second(5), third(9), twice(3), twice(3))
";

#[test]
fn functions_that_are_nearly_the_same_are_told_apart() {
    let python = interpreters::any();
    let work = Workplace::new();
    work.record(&python.path, "before/prog.py", ALIKE, "a.opm");
    let rows = |edited: &str| {
        let _ = fs::remove_dir_all(work.path("b.opm"));
        work.record(&python.path, "after/prog.py", edited, "b.opm");
        let csv = work.prints(&["a.opm", "b.opm", "--by", "line", "--format", "csv"]);
        csv.lines().skip(1).map(str::to_owned).collect::<Vec<String>>()
    };
    let second = &ALIKE[ALIKE.find("def second").unwrap()..ALIKE.find("def third").unwrap()];
    // A function gets another name, and a local in one that was the same as it.
    let edited = ALIKE.replace("third", "third_new").replace(second, &second.replace("total", "subtotal"));
    assert_eq!(rows(&edited), Vec::<String>::new());
    assert_eq!(rows(&ALIKE.replace("memo", "renamed_memo")), Vec::<String>::new());
    assert_eq!(rows(&ALIKE.replace("twice", "doubled")), Vec::<String>::new());
    // A copy of what it was, never called, beside a function in which a local has another name.
    let copy = second.replace("second", "second_old");
    let edited = ALIKE.replace(second, &(second.replace("total", "subtotal") + &copy));
    let [row] = &rows(&edited)[..] else { panic!("{:?}", rows(&edited)) };
    assert!(row.contains("def second_old(n):") && row.contains("added"), "{row}");
    // A line that is new beside one in which a name has become another.
    let edited =
        second.replace("        total", "        assert i >= 0\n        total").replace("total", "total_v");
    let found = rows(&ALIKE.replace(second, &edited));
    let added: Vec<&String> = found.iter().filter(|row| !row.contains("for i in range")).collect();
    assert!(added.len() == 1 && added[0].contains("assert i >= 0"), "{found:?}");
}

#[test]
fn times_are_compared_where_both_have_them() {
    let python = interpreters::any();
    let work = Workplace::new();
    let program = |rounds: u32| format!("x = 0\nfor i in range({rounds}):\n    x += i * i\n");
    work.record_with(&python.path, "prog.py", &program(200_000), "a.opm", &["--time"]);
    work.record_with(&python.path, "prog.py", &program(800_000), "b.opm", &["--time"]);
    work.record(&python.path, "prog.py", &program(800_000), "c.opm");
    let timed = work.prints(&["a.opm", "b.opm", "--by", "line"]);
    assert!(timed.contains("Time of lines, estimated") && timed.contains("net Mcycles"), "{timed}");
    let table = work.prints(&["a.opm", "b.opm", "--by", "line", "--format", "csv"]);
    assert!(table.contains("cycles_raw_after") && table.contains("cycles_net_change_se"), "{table}");
    let untimed = work.prints(&["a.opm", "c.opm", "--by", "line"]);
    assert!(!untimed.contains("cycles"), "{untimed}");
}

#[test]
fn what_a_file_held_may_be_missing() {
    let python = interpreters::any();
    let work = Workplace::new();
    work.record(&python.path, "prog.py", BEFORE, "a.opm");
    work.record(&python.path, "prog.py", AFTER, "b.opm");
    work.edit_recording("a.opm", |recording| recording.tables.source_texts.clear());
    let text = work.prints(&["a.opm", "b.opm", "--by", "line"]);
    assert!(text.contains("matched by their numbers"), "{}", text.replace('\n', " "));
    // The same file needs no text.
    work.record(&python.path, "prog.py", AFTER, "c.opm");
    work.edit_recording("c.opm", |recording| recording.tables.source_texts.clear());
    let text = work.prints(&["b.opm", "c.opm", "--by", "line"]);
    assert!(text.contains("No line changed") && !text.contains("warning"), "{text}");
}

#[test]
fn what_is_not_alike_is_told() {
    let python = interpreters::any();
    let work = Workplace::new();
    work.record(&python.path, "one.py", "for i in range(3):\n    print(i, 'some text')\n", "a.opm");
    work.record(&python.path, "two.py", "import sys\n\nclass Other:\n    attribute = sys.version\n", "b.opm");
    let text = work.prints(&["a.opm", "b.opm"]).replace('\n', " ");
    assert!(text.contains("seem to be different programs"), "{text}");
    work.edit_recording("b.opm", |recording| {
        let environment = recording.manifest.environment.as_mut().unwrap();
        environment.insert("PYTHONHASHSEED".to_owned(), "7".to_owned());
        recording.manifest.processes[0].arguments.push("more".to_owned());
    });
    let text = work.prints(&["a.opm", "b.opm"]);
    assert!(text.contains("PYTHONHASHSEED differs: before \"0\", after \"7\""), "{text}");
    assert!(text.contains("different arguments: before none, after more"), "{text}");
}
