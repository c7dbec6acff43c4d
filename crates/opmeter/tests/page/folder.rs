//! Programs, their recordings and pages, and what a page should show of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use opmeter_recording::{Phase, Recording};

use crate::browser::Browser;
use crate::interpreters::any;
use crate::recorded::opmeter;

/// Lines that run often, seldom and never, in functions and outside.
pub const PROGRAM: &str = "import sys


def never():
    return 1


def squares(n):
    return [i * i for i in range(n)]


def total(rounds, n):
    result = 0
    for _ in range(rounds):
        result += sum(squares(n))
        if result < 0:
            result = never()
    return result


class Point:
    def __init__(self, x):
        self.x = x


print(total(50, 20), sum(Point(i).x for i in range(100)))
";

/// A folder with recordings and pages.
pub struct Folder(pub tempfile::TempDir);

impl Folder {
    /// An empty one.
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// Where something in it lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Records a program, which is written to a file.
    pub fn record(&self, recording: &str, options: &[&str], file: &str, program: &[u8], arguments: &[&str]) {
        fs::write(self.path(file), program).unwrap();
        let mut command = opmeter();
        command.current_dir(self.0.path()).args(["record", "--quiet", "-o", recording]).args(options);
        let output = command.arg("--").arg(&any().path).arg(file).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Writes a page of recordings.
    pub fn page(&self, arguments: &[&str]) -> PathBuf {
        let page = self.path("page.html");
        let mut command = opmeter();
        command.current_dir(self.0.path()).arg("report").args(arguments).args(["--html", "page.html"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "page written to page.html\n");
        page
    }
}

impl Folder {
    /// Writes a page of the comparison of two recordings.
    pub fn comparison(&self, arguments: &[&str]) -> PathBuf {
        let page = self.path("diff.html");
        let mut command = opmeter();
        command.current_dir(self.0.path()).arg("diff").args(arguments).args(["--html", "diff.html"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8(output.stderr).unwrap().contains("page written to diff.html\n"));
        page
    }
}

/// What the source view shows of each line that has numbers: its cells, by line.
pub fn shown_lines(browser: &mut Browser) -> BTreeMap<u32, Vec<String>> {
    browser.wait(
        "document.querySelector('.chunk') !== null && \
         [...document.querySelectorAll('.chunk')].every((chunk) => chunk.childElementCount > 0)",
    );
    let rows = browser.evaluate(
        "[...document.querySelectorAll('.code .chunk > [data-line]')].map((row) => \
         [Number(row.dataset.line), ...[...row.children].map((cell) => cell.textContent)])",
    );
    let row = |row: &serde_json::Value| {
        let cells = row.as_array().unwrap();
        let texts = cells[1..].iter().map(|cell| cell.as_str().unwrap().to_owned()).collect();
        (u32::try_from(cells[0].as_u64().unwrap()).unwrap(), texts)
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

/// Executions and hits of the lines of a file in the main phase.
pub fn recorded_lines(recording: &Recording, file: &str) -> BTreeMap<u32, (u64, u64)> {
    let mut lines = BTreeMap::new();
    for row in recording.tables.lines.iter().filter(|row| row.file.ends_with(file)) {
        let line: &mut (u64, u64) = lines.entry(row.line).or_default();
        if row.phase == Phase::Main {
            line.0 += row.executions;
            line.1 += row.hits;
        }
    }
    lines
}

/// A number of the page.
pub fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// Checks that each line of a file stands there with its counts and its text; gives how many have counts.
pub fn check_lines(browser: &mut Browser, recording: &Recording, file: &str, source: &str) -> usize {
    let recorded = recorded_lines(recording, file);
    let shown = shown_lines(browser);
    for (place, text) in source.lines().enumerate() {
        let line = u32::try_from(place + 1).unwrap();
        let cells = &shown[&line];
        assert_eq!(cells[4], text, "line {line}");
        match recorded.get(&line) {
            Some(counts) => assert_eq!((number(&cells[0]), number(&cells[2])), *counts, "line {line}"),
            None => assert_eq!(cells[..3], ["", "", ""], "line {line}"),
        }
    }
    recorded.len()
}
