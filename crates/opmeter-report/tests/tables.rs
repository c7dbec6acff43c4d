//! Reports for the terminal, compared with golden files.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::io::{self, ErrorKind, Write};

use common::{assert_golden, incomplete_manifest, manifest, process, rows};
use opmeter_analysis::{OpcodeMix, RowFilter, Terms};
use opmeter_recording::{Manifest, Phase};
use opmeter_report::{Page, Style};

fn report(manifest: &Manifest, mix: &OpcodeMix, top: Option<usize>, style: Style) -> String {
    let mut out = Vec::new();
    Page { manifest, top, columns: Page::COLUMNS, style }.write_opcodes(mix, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for line in text.lines().filter(|_| !style.colour) {
        assert!(line.chars().count() <= Page::COLUMNS, "too long: {line}");
        assert!(!line.ends_with(' '), "spaces at the end: {line:?}");
    }
    text
}

fn everything(terms: Terms) -> OpcodeMix {
    OpcodeMix::new(&rows(), RowFilter::default(), terms)
}

#[test]
fn executed_opcodes() {
    let text = report(&manifest(), &everything(Terms::AsExecuted), None, Style::PLAIN);
    assert_golden("executed.txt", text.as_bytes());
}

#[test]
fn base_opcodes_of_one_phase() {
    let filter = RowFilter { phases: Some(vec![Phase::Main]), processes: None };
    let mix = OpcodeMix::new(&rows(), filter, Terms::Base);
    assert_golden("base.txt", report(&manifest(), &mix, None, Style::PLAIN).as_bytes());
}

#[test]
fn the_first_opcodes_of_several_processes_with_warnings() {
    let text = report(&incomplete_manifest(), &everything(Terms::AsExecuted), Some(3), Style::PLAIN);
    assert!(!text.contains('\u{1b}'));
    assert_golden("top.txt", text.as_bytes());
}

#[test]
fn colours() {
    let style = Style { colour: true };
    let text = report(&incomplete_manifest(), &everything(Terms::AsExecuted), Some(3), style);
    assert_golden("colours.txt", text.as_bytes());
}

#[test]
fn one_process_of_several() {
    let filter = RowFilter { phases: None, processes: Some(vec![1]) };
    let mix = OpcodeMix::new(&rows(), filter, Terms::AsExecuted);
    assert_golden("process.txt", report(&incomplete_manifest(), &mix, Some(9), Style::PLAIN).as_bytes());
}

#[test]
fn many_processes() {
    let processes = (0..30).map(|ordinal| process(ordinal, &["python3", "worker.py"])).collect();
    let rows: Vec<_> =
        (0..30).map(|process| opmeter_recording::OpcodeRow { process, ..rows().remove(0) }).collect();
    let mix = OpcodeMix::new(&rows, RowFilter::default(), Terms::AsExecuted);
    let text = report(&Manifest { processes, ..manifest() }, &mix, None, Style::PLAIN);
    assert!(text.contains("\n… 10 more processes, 12,340 executions\n"), "{text}");
}

#[test]
fn nothing_counted() {
    let mix = OpcodeMix::new(&[], RowFilter::default(), Terms::AsExecuted);
    let manifest = Manifest { complete: false, ..manifest() };
    assert_golden("nothing.txt", report(&manifest, &mix, None, Style::PLAIN).as_bytes());
}

/// A pipe whose reader has gone.
struct ClosedPipe;

impl Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_closed_pipe_is_told_as_such() {
    let mix = everything(Terms::Base);
    let manifest = manifest();
    let page = Page { manifest: &manifest, top: None, columns: 100, style: Style::PLAIN };
    assert_eq!(page.write_opcodes(&mix, &mut ClosedPipe).unwrap_err().kind(), ErrorKind::BrokenPipe);
}
