//! Tables over the results of `opmeter measure`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Output;
use std::sync::OnceLock;

use opmeter_recording::{Phase, Recording};

use crate::interpreters::one_of_each_version;
use crate::recorded::opmeter;

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
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no result fits --python \"2.7\"; there is cpython 3."), "{said}");
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
fn what_fits_nothing_is_named_with_what_there_is() {
    let failure = |options: &[&str], status: i32| {
        let output = analyze(options);
        assert_eq!(output.status.code(), Some(status), "{options:?}");
        assert!(output.stdout.is_empty(), "{options:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = failure(&["--program", "x*"], 1);
    assert!(said.contains("no result fits --program \"x*\"; there is calls.py, loops.py"), "{said}");
    let said = failure(&["--program", "loops*", "--machine", "nowhere"], 1);
    assert!(said.contains("no result fits --machine \"nowhere\"; there is "), "{said}");
    let said = failure(&["--program", "["], 2);
    assert!(said.contains("--program \"[\" is no pattern"), "{said}");
    for view in ["program", "interpreter"] {
        let said = failure(&["--by", view, "--family", "calls"], 2);
        assert!(said.contains("goes with --by opcode"), "{said}");
    }
}

#[test]
fn a_family_is_one_in_every_view_of_opcodes() {
    let sum = |options: &[&str], column: usize| -> u64 {
        rows(options).iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
    };
    for terms in ["base", "executed"] {
        let of = |view: &str, column| {
            sum(&["--by", view, "--terms", terms, "--family", "subscripts", "--phase", "all"], column)
        };
        let family = of("family", 1);
        assert!(family > 0);
        assert_eq!([of("opcode", 3), of("matrix", 3)], [family; 2], "{terms}");
    }
}

#[test]
fn it_is_said_what_there_is_none_of() {
    let options = ["--by", "opcode", "--family", "patterns", "--phase", "main"];
    let output = analyze(&options);
    assert!(output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no opcode of the family patterns was executed in phase main"), "{said}");
    assert_eq!(stdout(&[&options[..], &["--format", "csv"]].concat()).lines().count(), 1);
}

#[test]
fn estimates_are_marked_and_interpreters_told_apart() {
    let table = stdout(&["--by", "interpreter"]);
    assert!(table.lines().skip(1).all(|line| line.contains('~')), "{table}");
    let names: Vec<String> = rows(&["--by", "interpreter"]).into_iter().map(|row| row[0].clone()).collect();
    let table = stdout(&[]);
    assert!(names.iter().all(|name| table.contains(name.as_str())), "{table}");
    let header = stdout(&["--by", "interpreter", "--format", "csv"]);
    assert!(header.lines().skip(1).all(|line| line.ends_with(",estimate")), "{header}");
}

/// A stream that nobody reads any more.
fn unread() -> io::PipeWriter {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer
}

#[test]
fn nobody_reading_is_no_failure() {
    // Messages first: what is left out is told before the table.
    let output = opmeter().arg("analyze").arg(results()).stderr(unread()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), stdout(&[]));
    for format in ["table", "csv", "json", "parquet", "markdown"] {
        let mut command = opmeter();
        command.arg("analyze").arg(results()).args(["--by", "matrix", "--format", format]);
        let output = command.stdout(unread()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(0) && !said.contains("Broken pipe"), "{format}: {said}");
    }
}
