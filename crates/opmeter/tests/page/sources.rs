//! The source view: counts, bytecode, and ways to a line.

use std::collections::BTreeMap;
use std::fs;

use opmeter_recording::{Phase, Recording};

use crate::browser::Browser;
use crate::folder::{Folder, PROGRAM, check_lines, number, recorded_lines, shown_lines};
use crate::many_functions::many_functions;

#[test]
fn each_line_has_its_counts_and_its_bytecode_below() {
    let folder = Folder::new();
    folder.record("a.opm", &["--pairs"], "a.py", PROGRAM.as_bytes(), &[]);
    let page = folder.page(&["a.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    let recording = Recording::open(&folder.path("a.opm")).unwrap();
    assert!(check_lines(&mut browser, &recording, "a.py", PROGRAM) > 10);

    // The instructions of the hottest line, with their counts.
    let line = 8 + 1;
    browser.click(&format!("[data-line='{line}'] button"));
    let shown = browser.evaluate(
        "[...document.querySelectorAll('.bytecode .row:not(.function)')].map((row) => \
         [row.querySelector('.opcode').textContent, row.children[0].textContent])",
    );
    let mut executions: BTreeMap<String, u64> = BTreeMap::new();
    for pair in shown.as_array().unwrap() {
        *executions.entry(pair[0].as_str().unwrap().to_owned()).or_default() +=
            number(pair[1].as_str().unwrap());
    }
    let mut recorded: BTreeMap<String, u64> = BTreeMap::new();
    for row in &recording.tables.instructions {
        if row.file.ends_with("a.py") && row.line == line {
            let main = if row.phase == Phase::Main { row.executions } else { 0 };
            *recorded.entry(row.opcode.to_string()).or_default() += main;
        }
    }
    assert!(!recorded.is_empty());
    assert_eq!(executions, recorded);
    browser.click(&format!("[data-line='{line}'] button"));
    assert_eq!(browser.evaluate("document.querySelectorAll('.bytecode').length"), 0);
    browser.click("button.open-all");
    let open = browser.evaluate("document.querySelectorAll('.bytecode').length");
    assert_eq!(open, browser.evaluate("document.querySelectorAll('button.place').length"));
    browser.assert_quiet(&page);
}

#[test]
fn lists_lead_to_lines_and_keys_go_from_line_to_line() {
    let folder = Folder::new();
    folder.record("a.opm", &[], "a.py", PROGRAM.as_bytes(), &[]);
    let page = folder.page(&["a.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    let hottest = browser.text("document.querySelector('#lines-0 tbody a').textContent");
    browser.click("#lines-0 tbody a");
    browser.wait("document.querySelector('.row.target') !== null");
    let line = browser.text("document.querySelector('.row.target').dataset.line");
    assert_eq!(hottest.rsplit_once(':').unwrap().1, line);
    let in_view = "(() => { const row = document.querySelector('.row.target').getBoundingClientRect(); \
                   return row.top > 0 && row.bottom < innerHeight; })()";
    browser.wait(in_view);

    let focused = "document.activeElement.closest('[data-line]').dataset.line";
    assert_eq!(browser.text(focused), line);
    browser.press("ArrowRight");
    assert_eq!(browser.evaluate("document.querySelectorAll('.bytecode').length"), 1);
    browser.press("ArrowLeft");
    assert_eq!(browser.evaluate("document.querySelectorAll('.bytecode').length"), 0);
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.querySelectorAll('.bytecode').length"), 1);
    browser.press("ArrowDown");
    assert!(number(&browser.text(focused)) > number(&line));
    browser.press("ArrowUp");
    assert_eq!(browser.text(focused), line);

    // From the address, and from the list at the side.
    browser.open(&format!("file://{}#line-0-0-22", page.display()));
    browser.wait("document.querySelector('.row.target')?.dataset.line === '22'");
    browser.click(".index input");
    browser.type_text("TOTAL");
    browser.click(".index nav button");
    browser.wait("document.querySelector('.row.target')?.dataset.line === '12'");

    // The first stop of the keyboard leads past the bar.
    browser.open_file(&page);
    browser.press("Tab");
    assert_eq!(browser.text("document.activeElement.className"), "skip");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_ne!(browser.text(outline), "none");
    browser.press("Enter");
    assert_eq!(browser.text("document.activeElement.id"), "content");
    browser.assert_quiet(&page);
}

#[test]
fn a_large_program_has_a_small_page_that_opens() {
    let folder = Folder::new();
    let program = many_functions(3000);
    assert!(program.lines().count() >= 20_000);
    folder.record("a.opm", &["--time"], "large.py", program.as_bytes(), &[]);
    let page = folder.page(&["a.opm"]);
    assert!(fs::metadata(&page).unwrap().len() < 10_000_000, "{:?}", fs::metadata(&page));
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&format!("file://{}#line-0-0-20001", page.display()));
    browser.wait("document.querySelector('.row.target')?.dataset.line === '20001'");
    let built = browser.evaluate("document.querySelectorAll('.code [data-line]').length");
    assert!(built.as_u64().unwrap() < 21_000);
    // All of it is there after a while, for the browser's own search.
    let shown = shown_lines(&mut browser);
    let recording = Recording::open(&folder.path("a.opm")).unwrap();
    let recorded = recorded_lines(&recording, "large.py");
    for (line, (executions, hits)) in &recorded {
        let cells = &shown[line];
        assert_eq!((number(&cells[0]), number(&cells[5])), (*executions, *hits), "line {line}");
    }
    assert!(recorded.len() > 15_000);
    browser.assert_quiet(&page);
}
