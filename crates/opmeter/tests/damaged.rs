//! Recordings with damaged files, on the command line: an answer or one clear error, and never a panic or a signal.
//! `OPMETER_TEST_DAMAGE=100` tries a hundred times as many.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/interpreters.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod recorded;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use opmeter_damage::samples::{MODEL, RESULT};
use opmeter_damage::{Damage, cases};
use opmeter_recording::{
    InstructionRow, Manifest, OpcodeRow, Phase, Process, Recording, SourceRow, Tables, lines,
};

/// What the commands may take of memory, in KiB.
const MEMORY: u32 = 1 << 20;

const PROGRAM: &str = "def f(n):\n    return [x * n for x in range(30)]\nfor i in range(50): f(i)\n";

const COMMANDS: [&[&str]; 12] = [
    &["report", "R"],
    &["report", "R", "--by", "line"],
    &["report", "R", "--by", "pair"],
    &["report", "R", "--by", "specialization"],
    &["report", "R", "--by", "energy"],
    &["report", "R", "--check"],
    &["annotate", "R", "--bytecode"],
    &["export", "R", "--table", "instructions", "--format", "csv"],
    &["export", "R", "--table", "events", "--format", "csv"],
    &["export", "R", "--format", "callgrind"],
    &["export", "R", "--table", "sources", "--format", "json"],
    &["diff", "R", "R", "--by", "line"],
];

/// Runs a command of the list on a recording, within bounds of memory and time.
fn run(command: &[&str], recording: &Path) -> Output {
    let arguments =
        command.iter().map(|word| if *word == "R" { recording.as_os_str() } else { word.as_ref() });
    Command::new("timeout")
        .args(["60", "sh", "-c", &format!("ulimit -d {MEMORY}; exec \"$@\""), "sh"])
        .arg(env!("CARGO_BIN_EXE_opmeter"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Checks how a command has ended; gives whether it had an answer.
fn is_answer(label: &str, output: &Output) -> bool {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{label}: {stderr}");
    match output.status.code() {
        Some(0) => true,
        // 2 where there is nothing to compare, as of `diff`.
        Some(1 | 2) => {
            let lines: Vec<&str> = stderr.lines().collect();
            assert!(lines.len() == 1 && lines[0].starts_with("opmeter: "), "{label}: {stderr}");
            assert!(lines[0].len() > 20 && lines[0].len() < 1500, "{label}: {stderr}");
            false
        }
        _ => panic!("{label}: {}: {stderr}", output.status),
    }
}

/// The files of a recording, those in its folders as well.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Damages each file of a recording so many times, and has a command read it.
fn damage_each(recording: &Path, times: usize, at_most: u64) -> (usize, usize) {
    let (mut answers, mut errors) = (0, 0);
    for path in files(recording) {
        let whole = fs::read(&path).unwrap();
        if whole.len() as u64 > at_most {
            continue;
        }
        for seed in 0..cases(times) {
            let mut damage = Damage::new(seed as u64);
            let is_text = path.extension().is_some_and(|extension| extension == "json");
            let damaged = match seed % 4 {
                0 => damage.in_place(&whole),
                1 => whole[..damage.below(whole.len())].to_vec(),
                _ if is_text => damage.of_text(&whole, &[]),
                _ => damage.of(&whole, &[]),
            };
            fs::write(&path, damaged).unwrap();
            let command = COMMANDS[damage.below(COMMANDS.len())];
            let label = format!("{} {seed} {command:?}", path.display());
            match is_answer(&label, &run(command, recording)) {
                true => answers += 1,
                false => errors += 1,
            }
        }
        fs::write(&path, whole).unwrap();
    }
    (answers, errors)
}

fn record(options: &[&str], program: &str) -> recorded::Recorded {
    let python = interpreters::any().path.to_str().unwrap();
    recorded::record_with(options, [python, "-c", program])
}

#[test]
fn damaged_recordings_are_answered_or_refused() {
    let made = record(&["--quiet", "--pairs", "--events"], PROGRAM);
    assert!(made.output.status.success(), "{:?}", made.output);
    let recording = made.path();
    for command in COMMANDS {
        let output = run(command, &recording);
        assert!(is_answer(&format!("{command:?}"), &output) || command.contains(&"energy"), "{command:?}");
    }
    let (answers, errors) = damage_each(&recording, 24, u64::MAX);
    assert!(answers > 20 && errors > 20, "{answers} answers, {errors} errors");
}

#[test]
fn damaged_live_files_are_answered_or_refused() {
    let end = format!("{PROGRAM}import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n");
    for options in [&["--quiet", "--pairs", "--events"][..], &["--quiet", "--time"]] {
        let made = record(options, &end);
        assert!(!made.output.status.success());
        let recording = made.path();
        assert!(recording.join("live").is_dir());
        assert!(is_answer("whole", &run(COMMANDS[0], &recording)));
        // Those that are longest are mostly empty, and tested elsewhere.
        let (answers, errors) = damage_each(&recording, 12, 4 << 20);
        assert!(answers + errors > 20 && answers > 10, "{answers} answers, {errors} errors");
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let made = record(&["--quiet"], PROGRAM);
    for path in files(&made.path()) {
        let whole = fs::read(&path).unwrap();
        for what in ["pipe", "folder", "zeros"] {
            fs::remove_file(&path).unwrap();
            match what {
                "pipe" => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
                "folder" => fs::create_dir(&path).unwrap(),
                _ => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
            }
            for command in COMMANDS {
                is_answer(&format!("{what} {} {command:?}", path.display()), &run(command, &made.path()));
            }
            let remove = if what == "folder" { fs::remove_dir } else { fs::remove_file::<&Path> };
            remove(&path).unwrap();
            fs::write(&path, &whole).unwrap();
        }
    }
}

#[test]
fn events_outside_of_the_recording_are_not_read() {
    let made = record(&["--quiet", "--events"], PROGRAM);
    let manifest = made.path().join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let name = text.split("\"events/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let elsewhere = made.path().with_file_name("elsewhere.events");
    fs::rename(made.path().join("events").join(&name), &elsewhere).unwrap();
    for place in ["../elsewhere.events", elsewhere.to_str().unwrap()] {
        fs::write(&manifest, text.replace(&format!("events/{name}"), place)).unwrap();
        let output = run(COMMANDS[8], &made.path());
        assert!(!is_answer(place, &output));
        assert!(String::from_utf8_lossy(&output.stderr).contains("is not in the recording"), "{output:?}");
    }
}

/// A recording of a source with two lines, with this number wherever there is one.
fn write_numbers(recording: &Path, source: &Path, number: u64) {
    let narrow = u32::try_from(number).unwrap_or(u32::MAX);
    let row = |line, offset| InstructionRow {
        process: narrow,
        phase: Phase::Main,
        file: source.to_str().unwrap().into(),
        function: "f".into(),
        first_line: line,
        line,
        offset,
        opcode: "NOP".into(),
        executions: number,
        code: narrow,
        argument: narrow,
        time: None,
    };
    let instructions = vec![row(1, 0), row(narrow, narrow), row(narrow.saturating_sub(1), 2)];
    let opcode = OpcodeRow {
        process: narrow,
        phase: Phase::Main,
        opcode: "NOP".into(),
        base_opcode: "NOP".into(),
        number: narrow as u8,
        executions: number,
        time: None,
    };
    let tables = Tables {
        opcodes: vec![opcode; 3],
        lines: lines(&instructions, &[]),
        instructions,
        sources: vec![SourceRow {
            file: source.to_str().unwrap().into(),
            path: source.display().to_string(),
            size: number,
            sha256: String::new(),
            changed: 0,
        }],
        ..Tables::default()
    };
    let process = Process { process: narrow, pid: narrow, parent: Some(narrow), ..Process::default() };
    let manifest = Manifest {
        processes: vec![process],
        wall_seconds: number as f64 * 1e280,
        complete: true,
        ..Manifest::default()
    };
    Recording::write(recording, &manifest, &tables).unwrap();
}

#[test]
fn numbers_of_any_size_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (recording, source) = (folder.path().join("r.opm"), folder.path().join("a.py"));
    fs::write(&source, "x = 1\ny = 2\n").unwrap();
    for number in [0, 1, 1 << 31, u64::from(u32::MAX), 1 << 63, u64::MAX] {
        write_numbers(&recording, &source, number);
        for command in COMMANDS.iter().copied().chain([&["annotate", "R", "a.py"][..]]) {
            is_answer(&format!("{number} {command:?}"), &run(command, &recording));
        }
    }
}

#[test]
fn damaged_models_and_results_are_told_or_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (recording, source) = (folder.path().join("r.opm"), folder.path().join("a.py"));
    write_numbers(&recording, &source, 1000);
    let (model, results) = (folder.path().join("model.json"), folder.path().join("results"));
    let result = results.join("a/cpython-3.12.1/one.opm");
    write_numbers(&result, &source, 1000);
    let (model_name, results_name) = (model.to_str().unwrap(), results.to_str().unwrap());
    let predict = ["model", "predict", model_name, "R"];
    fs::write(&model, MODEL).unwrap();
    assert!(is_answer("the whole model", &run(&predict, &recording)));
    let mut answers = 0;
    for seed in 0..cases(40) {
        fs::write(&model, Damage::new(seed as u64).of_text(MODEL.as_bytes(), &[])).unwrap();
        answers += usize::from(is_answer(&format!("model {seed}"), &run(&predict, &recording)));
        fs::write(result.join("result.json"), Damage::new(seed as u64).of_text(RESULT.as_bytes(), &[]))
            .unwrap();
        let output = run(&["analyze", results_name], &recording);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0 | 1)) && !stderr.contains("panicked"),
            "{seed}: {stderr}"
        );
        assert!(stderr.lines().all(|line| line.starts_with("opmeter: ")), "{seed}: {stderr}");
    }
    assert!(answers < cases(40), "{answers}");
}
