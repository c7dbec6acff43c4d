//! `report`, `annotate` and `export` of a recording that says where instructions ran.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use opmeter_recording::{
    InstructionRow, LineHits, Manifest, OpcodeRow, PairRow, Phase, Process, ProcessState, Recording,
    SourceRow, Tables, lines,
};

const SOURCE: &str = "x = 1\ndef f(): pass\n";
/// The SHA-256 of the source.
const SHA256: &str = "b47302c1952935b91d6f90659ea1cdce1e34568851b06a248025597daa1a5954";
const LIBRARY: &str = "/usr/lib/python3.11/os.py";

/// A folder with a source and a recording of it.
struct Recorded(tempfile::TempDir);

impl Recorded {
    fn new() -> Recorded {
        let recorded = Recorded(tempfile::tempdir().unwrap());
        fs::write(recorded.source(), SOURCE).unwrap();
        recorded.write(&recorded.tables());
        recorded
    }

    fn source(&self) -> PathBuf {
        self.0.path().join("a.py")
    }

    fn tables(&self) -> Tables {
        let source = self.source().to_str().unwrap().to_owned();
        let row = |file: &str, function: &str, code, line, offset, executions| InstructionRow {
            process: 0,
            phase: Phase::Main,
            file: file.into(),
            function: function.into(),
            first_line: line,
            line,
            offset,
            opcode: "NOP".into(),
            executions,
            code,
            argument: 0,
            time: None,
        };
        let instructions = vec![
            row(&source, "<module>", 0, 1, 0, 1),
            row(&source, "f", 1, 2, 0, 1234),
            row(&source, "f", 1, 2, 2, 1234),
            row(LIBRARY, "walk", 2, 9, 0, 5000),
        ];
        let hit = |line, hits| LineHits {
            process: 0,
            phase: Phase::Main,
            file: source.as_str().into(),
            line,
            hits,
        };
        let hits = [hit(1, 1), hit(2, 1234)];
        let nops = instructions.iter().map(|row| row.executions).sum();
        let opcode = OpcodeRow {
            process: 0,
            phase: Phase::Main,
            opcode: "NOP".into(),
            base_opcode: "NOP".into(),
            number: 9,
            executions: nops,
            time: None,
        };
        Tables {
            opcodes: vec![opcode],
            lines: lines(&instructions, &hits),
            instructions,
            sources: vec![SourceRow {
                file: source.as_str().into(),
                path: source,
                size: SOURCE.len() as u64,
                sha256: SHA256.to_owned(),
                changed: 0,
            }],
            ..Tables::default()
        }
    }

    fn write(&self, tables: &Tables) {
        let process = Process {
            python: "3.10.4".to_owned(),
            implementation: "CPython".to_owned(),
            state: ProcessState::Metered,
            ..Process::default()
        };
        let manifest = Manifest {
            command: vec!["python3".to_owned(), "a.py".to_owned()],
            directory: self.0.path().to_str().unwrap().to_owned(),
            complete: true,
            processes: vec![process],
            ..Manifest::default()
        };
        Recording::write(&self.0.path().join("out.opm"), &manifest, tables).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.current_dir(self.0.path()).args(arguments).output().unwrap()
    }

    /// What a command prints that succeeds.
    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says that fails with status 1.
    fn fails(&self, arguments: &[&str], says: &str) {
        self.fails_with(1, arguments, says);
    }

    fn fails_with(&self, status: i32, arguments: &[&str], says: &str) {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: expected {says:?} in {text}");
    }
}

#[test]
fn libraries_are_folded_unless_they_are_asked_for() {
    let recorded = Recorded::new();
    let lines = recorded.prints(&["report", "out.opm", "--by", "line"]);
    assert!(lines.contains("a.py:2 ") && lines.contains("(standard library)"), "{lines}");
    let all = recorded.prints(&["report", "out.opm", "--by", "function", "--all-files"]);
    assert!(all.contains("os.py:9  walk") && !all.contains("(standard library)"), "{all}");
    let some = recorded.prints(&["report", "out.opm", "--by", "file", "--include", "os.py"]);
    assert!(some.contains("os.py") && !some.contains("a.py  "), "{some}");
    let others = recorded.prints(&["report", "out.opm", "--by", "file", "--exclude", "python3.*"]);
    assert!(others.contains("a.py") && !others.contains("library"), "{others}");
    recorded.fails_with(
        2,
        &["report", "out.opm", "--by", "file", "--include", "a["],
        "is no pattern of files",
    );
}

#[test]
fn opcodes_of_chosen_files_are_those_of_their_instructions() {
    let recorded = Recorded::new();
    let chosen = recorded.prints(&["report", "out.opm", "--include", "a.py"]);
    assert!(chosen.contains("2,469 of 7,469 executions"), "{chosen}");
    assert!(chosen.contains("Opcodes of the chosen files, as compiled:"), "{chosen}");
    assert!(chosen.contains("NOP               2,469   100.00"), "{chosen}");
    let others = recorded.prints(&["report", "out.opm", "--exclude", "a.py", "--terms", "base"]);
    assert!(others.contains("NOP               5,000   100.00"), "{others}");
    let nothing = recorded.prints(&["report", "out.opm", "--include", "a.py", "--phase", "shutdown"]);
    assert!(nothing.contains("Nothing ran in the files and phases that are shown."), "{nothing}");

    let executed = ["report", "out.opm", "--include", "a.py", "--terms", "executed"];
    recorded.fails_with(2, &executed, "of single files it is only known what the compiler emitted");
    let page = [&executed[..], &["--html", "-"]].concat();
    recorded.fails_with(2, &page, "of single files it is only known what the compiler emitted");
    for (by, of) in [("pair", "only of a process"), ("energy", "only of the whole command")] {
        recorded.fails_with(2, &["report", "out.opm", "--by", by, "--include", "a.py"], of);
    }
    for table in ["opcodes", "pairs", "distributions", "runs", "energy"] {
        let export = ["export", "out.opm", "--table", table, "--format", "csv", "--exclude", "a.py"];
        recorded.fails_with(2, &export, "not known by file, only of ");
    }
    recorded.fails_with(2, &["report", "out.opm", "--check", "--include", "a.py"], "cannot be used with");
}

#[test]
fn a_page_of_chosen_files_is_of_these_alone() {
    let recorded = Recorded::new();
    let pair = PairRow {
        process: 0,
        phase: Phase::Main,
        first: "NOP".into(),
        second: "POP_TOP".into(),
        first_base: "NOP".into(),
        second_base: "POP_TOP".into(),
        executions: 7,
    };
    recorded.write(&Tables { pairs: vec![pair], ..recorded.tables() });
    let page = recorded.prints(&["report", "out.opm", "--html", "-", "--include", "a.py"]);
    let body = &page[..page.find("<script").unwrap()];
    assert!(body.contains("Opcodes of the chosen files, as compiled"), "{body}");
    assert!(body.contains("2,469 of 7,469 executions"), "{body}");
    assert!(body.contains("Pairs are not known by file") && !body.contains("POP_TOP"), "{body}");
    let all = recorded.prints(&["report", "out.opm", "--html", "-"]);
    assert!(all.contains("Opcodes as executed") && all.contains("POP_TOP"), "{all}");
    assert!(!all.contains("chosen files") && !all.contains("Pairs are not known"), "{all}");
}

#[test]
fn patterns_that_fit_nothing_are_told() {
    let recorded = Recorded::new();
    for command in [
        &["report", "out.opm"][..],
        &["report", "out.opm", "--by", "line"],
        &["report", "out.opm", "--html", "-"],
        &["annotate", "out.opm"],
        &["export", "out.opm", "--table", "lines", "--format", "csv"],
    ] {
        let with = |options: &[&str]| recorded.run(&[command, options].concat());
        let error = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
        let none = with(&["--include", "nothing.py"]);
        assert_eq!(none.status.code(), Some(1), "{command:?}: {}", error(&none));
        let sentence =
            "no file that ran in out.opm fits --include nothing.py; `opmeter report out.opm --by file";
        assert!(error(&none).contains(sentence), "{command:?}: {}", error(&none));
        assert!(none.stdout.is_empty(), "{command:?}");
        let one = with(&["--include", "nothing.py", "--include", "a.py", "--exclude", "nobody.py"]);
        assert!(one.status.success(), "{command:?}: {}", error(&one));
        for option in ["--include nothing.py", "--exclude nobody.py"] {
            let sentence = format!("no file that ran in out.opm fits {option}\n");
            assert!(error(&one).contains(&sentence), "{command:?}: {}", error(&one));
        }
        assert!(!error(&one).contains("--include a.py"), "{command:?}: {}", error(&one));
    }
}

#[test]
fn what_a_recording_lacks_is_told() {
    let recorded = Recorded::new();
    recorded.fails(&["report", "out.opm", "--by", "pair"], "record again with `opmeter record --pairs`");
    recorded.fails(&["report", "out.opm", "--by", "specialization"], "CPython 3.10.4 does not specialise");
    recorded.fails(
        &["export", "out.opm", "--table", "pairs", "--format", "csv"],
        "record again with `opmeter record --pairs`",
    );
    recorded.write(&Tables { instructions: Vec::new(), lines: Vec::new(), ..recorded.tables() });
    recorded.fails(&["report", "out.opm", "--by", "line"], "was not found in its interpreters");
    recorded.fails(&["annotate", "out.opm"], "was not found in its interpreters");
    recorded.fails(&["report", "out.opm", "--check"], "do not add up");
}

#[test]
fn pairs_are_shown_where_they_were_recorded() {
    let recorded = Recorded::new();
    let pair = PairRow {
        process: 0,
        phase: Phase::Main,
        first: "NOP".into(),
        second: "LOAD_ATTR_SLOT".into(),
        first_base: "NOP".into(),
        second_base: "LOAD_ATTR".into(),
        executions: 7,
    };
    recorded.write(&Tables { pairs: vec![pair], ..recorded.tables() });
    let executed = recorded.prints(&["report", "out.opm", "--by", "pair"]);
    assert!(executed.contains("NOP    LOAD_ATTR_SLOT"), "{executed}");
    let base = recorded.prints(&["report", "out.opm", "--by", "pair", "--terms", "base"]);
    assert!(base.contains("NOP    LOAD_ATTR  "), "{base}");
}

#[test]
fn a_check_fails_where_counts_differ() {
    let recorded = Recorded::new();
    let text = recorded.prints(&["report", "out.opm", "--check"]);
    assert!(text.contains("ok"), "{text}");
    let mut tables = recorded.tables();
    tables.opcodes[0].executions += 1;
    recorded.write(&tables);
    recorded.fails(&["report", "out.opm", "--check"], "the tables of out.opm do not add up");
}

#[test]
fn a_source_is_annotated_only_as_it_was() {
    let recorded = Recorded::new();
    let text = recorded.prints(&["annotate", "out.opm"]);
    assert!(text.contains("2  def f(): pass\n") && !text.contains("warning"), "{text}");
    let function = recorded.prints(&["annotate", "out.opm", "f", "--bytecode"]);
    assert!(function.contains("NOP") && !function.contains("x = 1"), "{function}");
    fs::write(recorded.source(), "y = 2\ndef g(): pass\n").unwrap();
    let changed = recorded.prints(&["annotate", "out.opm", "a.py", "--bytecode"]);
    assert!(changed.contains("has changed") && !changed.contains("def g"), "{changed}");
    assert!(changed.contains("NOP"), "{changed}");
    fs::remove_file(recorded.source()).unwrap();
    let gone = recorded.prints(&["annotate", "out.opm", "a.py"]);
    assert!(gone.contains("can't be read") && gone.contains("2,468"), "{gone}");
    recorded
        .fails(&["annotate", "out.opm", "nowhere.py"], "no code of a file or function \"nowhere.py\" ran");
}

#[test]
fn exports_are_of_a_table_or_of_the_whole() {
    let recorded = Recorded::new();
    for table in ["opcodes", "instructions", "lines", "specialization", "sources"] {
        let csv = recorded.prints(&["export", "out.opm", "--table", table, "--format", "csv"]);
        assert!(csv.lines().count() >= 1, "{table}");
    }
    let own = ["export", "out.opm", "--table", "lines", "--format", "csv", "--exclude", "os.py"];
    assert_eq!(recorded.prints(&own).lines().count(), 3);
    let startup = ["export", "out.opm", "--table", "lines", "--format", "csv", "--phase", "startup"];
    assert_eq!(recorded.prints(&startup).lines().count(), 1);
    let callgrind = recorded.prints(&["export", "out.opm", "--format", "callgrind"]);
    assert!(callgrind.contains("totals: 7469\n"), "{callgrind}");
    let lcov = recorded.prints(&["export", "out.opm", "--format", "lcov", "--include", "a.py"]);
    assert!(lcov.contains("DA:2,1234\n") && !lcov.contains("os.py"), "{lcov}");
    let whole = ["export", "out.opm", "--format", "lcov", "--table", "lines"];
    recorded.fails_with(2, &whole, "formats of a whole recording");
    recorded.fails_with(2, &["export", "out.opm", "--format", "csv"], "say which one with --table");
}
