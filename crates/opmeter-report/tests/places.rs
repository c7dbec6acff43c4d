//! Reports of where instructions ran, compared with golden files.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::io;

use common::assert_golden;
use common::program::{BENCH, LIBRARY, SOURCE, manifest, tables};
use opmeter_analysis::{
    Annotation, Check, FilePatterns, Files, Grouping, Hotspots, PairMix, RowFilter, Specialization, Target,
    TargetError, Terms,
};
use opmeter_recording::{Manifest, Phase, Tables};
use opmeter_report::{Page, SourceText, Style};

/// What `write` writes on a page: no line too long, nothing that steers a terminal.
fn written(
    manifest: &Manifest,
    top: Option<usize>,
    style: Style,
    write: impl FnOnce(Page<'_>, &mut Vec<u8>) -> io::Result<()>,
) -> String {
    let mut out = Vec::new();
    write(Page { manifest, top, columns: Page::COLUMNS, style }, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for line in text.lines().filter(|_| !style.colour) {
        assert!(line.chars().count() <= Page::COLUMNS, "too long: {line}");
        assert!(!line.ends_with(' '), "spaces at the end: {line:?}");
        assert!(!line.contains(char::is_control), "control characters: {line:?}");
    }
    text
}

fn main_phase() -> RowFilter {
    RowFilter { phases: Some(vec![Phase::Main]), processes: None }
}

fn patterns(include: &[&str]) -> FilePatterns {
    let include: Vec<String> = include.iter().map(|&text| text.to_owned()).collect();
    FilePatterns::new(&include, &[]).unwrap()
}

fn hotspots(grouping: Grouping, include: &[&str], all_files: bool, top: Option<usize>) -> String {
    let tables = tables();
    let patterns = patterns(include);
    let files = Files::new(&tables, &patterns, all_files);
    let hotspots = Hotspots::new(&tables, grouping, main_phase(), &files);
    written(&manifest(), top, Style::PLAIN, |page, out| page.write_hotspots(&hotspots, out))
}

#[test]
fn lines() {
    assert_golden("lines.txt", hotspots(Grouping::Line, &[], false, None).as_bytes());
}

#[test]
fn lines_of_all_files() {
    assert_golden("lines-all.txt", hotspots(Grouping::Line, &[], true, Some(5)).as_bytes());
}

#[test]
fn functions() {
    assert_golden("functions.txt", hotspots(Grouping::Function, &[], false, None).as_bytes());
}

#[test]
fn functions_of_some_files() {
    assert_golden("functions-json.txt", hotspots(Grouping::Function, &["json"], false, None).as_bytes());
}

#[test]
fn files() {
    assert_golden("files.txt", hotspots(Grouping::File, &[], false, None).as_bytes());
}

#[test]
fn nothing_in_the_files_that_are_shown() {
    let text = hotspots(Grouping::File, &["none.py"], false, None);
    assert!(text.contains("0 of ") && text.contains("Nothing ran in the files"), "{text}");
}

#[test]
fn pairs() {
    for (terms, name) in [(Terms::AsExecuted, "pairs.txt"), (Terms::Base, "pairs-base.txt")] {
        let mix = PairMix::new(&tables().pairs, main_phase(), terms);
        let text = written(&manifest(), Some(4), Style::PLAIN, |page, out| page.write_pairs(&mix, out));
        assert_golden(name, text.as_bytes());
    }
}

#[test]
fn specialization() {
    let tables = tables();
    let patterns = patterns(&[]);
    let files = Files::new(&tables, &patterns, false);
    let found = Specialization::new(&tables.specialization, main_phase(), &files);
    let text =
        written(&manifest(), Some(2), Style::PLAIN, |page, out| page.write_specialization(&found, out));
    assert_golden("specialization.txt", text.as_bytes());
}

fn checked(manifest: &Manifest, tables: &Tables) -> (bool, String) {
    let check = Check::new(manifest, tables);
    let text = written(manifest, None, Style::PLAIN, |page, out| page.write_check(&check, out));
    (check.is_ok(), text)
}

#[test]
fn tables_that_agree() {
    let (ok, text) = checked(&manifest(), &tables());
    assert!(ok, "{text}");
    assert_golden("check.txt", text.as_bytes());
}

#[test]
fn tables_that_differ() {
    let mut tables = tables();
    tables.opcodes[0].executions += 1;
    tables.lines.last_mut().unwrap().executions -= 1;
    tables.specialization[1].missed += 5;
    let (ok, text) = checked(&manifest(), &tables);
    assert!(!ok);
    assert_golden("check-differences.txt", text.as_bytes());
}

#[test]
fn instructions_that_are_known_by_their_opcode_only() {
    let mut tables = tables();
    let row = tables.instructions.iter_mut().find(|row| row.executions > 9 && row.process == 0).unwrap();
    let (phase, opcode, line) = (row.phase, row.opcode.clone(), row.line);
    row.executions -= 9;
    let of_line = tables.lines.iter_mut().find(|row| row.line == line && row.process == 0).unwrap();
    of_line.executions -= 9;
    assert!(!checked(&manifest(), &tables).0);
    let mut manifest = manifest();
    manifest.processes[0].dispatch.unplaced = 9;
    let (ok, text) = checked(&manifest, &tables);
    assert!(ok && text.contains(&format!("process 0, {}: of 9 executions", phase.name())), "{text}");
    // Others lack besides.
    tables.opcodes.iter_mut().find(|row| *row.base_opcode == *opcode).unwrap().executions += 1;
    assert!(!checked(&manifest, &tables).0);
}

#[test]
fn phases_of_threads_are_checked_together() {
    let mut tables = tables();
    let moved = tables.opcodes.iter_mut().find(|row| row.phase == Phase::Startup).unwrap();
    moved.phase = Phase::Main;
    assert!(!checked(&manifest(), &tables).0);
    let mut manifest = manifest();
    manifest.processes[0].dispatch.per_thread = true;
    let (ok, text) = checked(&manifest, &tables);
    assert!(ok && text.contains("all phases"), "{text}");
}

fn source() -> SourceText {
    SourceText { lines: Some(SOURCE.lines().map(str::to_owned).collect()), warning: None }
}

fn annotated(name: Option<&str>, source: &SourceText, bytecode: bool, style: Style) -> String {
    let tables = tables();
    let target = find(&tables, name).unwrap();
    let annotation = Annotation::new(&tables, main_phase(), target);
    written(&manifest(), None, style, |page, out| page.write_annotation(&annotation, source, bytecode, out))
}

fn find(tables: &Tables, name: Option<&str>) -> Result<Target, TargetError> {
    let patterns = patterns(&[]);
    Target::find(tables, &Files::new(tables, &patterns, false), &main_phase(), name)
}

#[test]
fn a_file() {
    assert_golden("annotated.txt", annotated(None, &source(), false, Style::PLAIN).as_bytes());
    let colours = Style { colour: true };
    assert_golden("annotated-colours.txt", annotated(None, &source(), false, colours).as_bytes());
}

#[test]
fn a_file_with_bytecode() {
    let text = annotated(Some("bench.py"), &source(), true, Style::PLAIN);
    assert_golden("annotated-bytecode.txt", text.as_bytes());
}

#[test]
fn a_function() {
    let text = annotated(Some("squares"), &source(), true, Style::PLAIN);
    assert_golden("annotated-function.txt", text.as_bytes());
}

#[test]
fn bytecode_without_its_source() {
    let text = annotated(Some(BENCH), &SourceText::read(None), true, Style::PLAIN);
    assert_golden("annotated-gone.txt", text.as_bytes());
}

#[test]
fn names_are_found_or_told_apart() {
    let tables = tables();
    let file = |name: &str| Ok(Target { file: name.into(), function: None });
    let function =
        |file: &str, name: &str, line| Ok(Target { file: file.into(), function: Some((name.into(), line)) });
    assert_eq!(find(&tables, None), file(BENCH));
    assert_eq!(find(&tables, Some(BENCH)), file(BENCH));
    assert_eq!(find(&tables, Some("me/bench.py")), file(BENCH));
    assert_eq!(find(&tables, Some("decoder.py")), file(LIBRARY));
    assert_eq!(find(&tables, Some("scan")), function(LIBRARY, "scan", 20));
    assert_eq!(find(&tables, Some("<listcomp>")), function(BENCH, "squares.<locals>.<listcomp>", 5));
    // The program's own before the library's.
    assert_eq!(find(&tables, Some("<lambda>")), function(BENCH, "<lambda>", 7));
    assert_eq!(find(&tables, Some("<lambda>:31")), function(LIBRARY, "<lambda>", 31));
    assert!(find(&tables, Some("ench.py")).unwrap_err().to_string().contains("no code of a file"));
    let own = tables.instructions.iter().filter(|row| &*row.file != BENCH).cloned().collect();
    let error = find(&Tables { instructions: own, ..tables }, Some("<lambda>")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"<lambda>\" fits several:\n  \"<lambda>:30\" in \"/usr/lib/python3.11/json/decoder.py\"\n  \
         \"<lambda>:31\" in \"/usr/lib/python3.11/json/decoder.py\"\ngive more of the name, a function as \
         NAME:LINE, or a file with --include"
    );
}
