//! `diff --html`: where the page goes, what is on it, what the gate says, and how it looks.

use std::fs;

use serde_json::json;

use crate::browser::Browser;
use crate::folder::{Folder, PROGRAM};
use crate::output::is_alone;
use crate::recorded::opmeter;

fn recorded(options: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.record("a.opm", options, "a.py", PROGRAM.as_bytes(), &[]);
    let other = PROGRAM.replace("50, 20", "60, 30").replace("def never", "# Another.\ndef never");
    folder.record("b.opm", options, "b.py", other.as_bytes(), &[]);
    folder
}

#[test]
fn the_gate_decides_on_the_status_and_stands_on_the_page() {
    let folder = recorded(&[]);
    let run = |arguments: &[&str]| {
        opmeter().current_dir(folder.0.path()).arg("diff").args(arguments).output().unwrap()
    };
    for (sides, percent, status, word) in [
        (["a.opm", "b.opm"], "1", 1, "Gate failed: </strong>executions grew by "),
        (["b.opm", "a.opm"], "0", 0, "Gate passed: </strong>executions shrank by "),
    ] {
        let output = run(&[sides[0], sides[1], "--fail-above", percent, "--html", "gate.html"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains("page written to gate.html\n") && said.contains("--fail-above"), "{said}");
        let page = fs::read_to_string(folder.path("gate.html")).unwrap();
        assert!(page.contains(word), "{word}");
    }
    // Where nothing ran, nothing can be told.
    let nothing = ["--include", "?.py", "--phase", "startup", "--fail-above", "1", "--html", "gate.html"];
    let output = run(&[&["a.opm", "b.opm"], &nothing[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(fs::read_to_string(folder.path("gate.html")).unwrap().contains("Gate undecided: "));

    let page = fs::read(folder.comparison(&["a.opm", "b.opm"])).unwrap();
    let output = run(&["a.opm", "b.opm", "--html", "-"]);
    assert!(output.status.success());
    assert_eq!(output.stdout, page);
    let text = String::from_utf8(page).unwrap();
    assert!(is_alone(&text) && !text.contains("class=\"gate"));
    for (other, why) in [
        (["--by", "line"], "a page has lines, functions"),
        (["--top", "3"], "filtered"),
        (["--format", "csv"], "a format of its own"),
        (["-o", "c.csv"], "names the file itself"),
    ] {
        let output = run(&[&["a.opm", "b.opm", "--html", "c.html"], &other[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{other:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(why) && said.contains("leave"), "{said}");
    }
    assert!(!folder.path("c.html").exists() && !folder.path("c.csv").exists());
    let output = run(&["a.opm", "b.opm", "--html", "missing/b.html"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("missing/b.html could not be written"));
    let output = run(&["a.opm", "b.opm", "--exclude", "?.py", "--html", "-"]);
    assert!(
        !String::from_utf8(output.stdout).unwrap().contains("squares"),
        "what is not chosen is not there"
    );
}

#[test]
fn times_of_a_comparison_look_like_estimates() {
    let folder = Folder::new();
    for (recording, rounds) in [("a.opm", "5000, 50"), ("b.opm", "9000, 50")] {
        folder.record(recording, &["--time"], "a.py", PROGRAM.replace("50, 20", rounds).as_bytes(), &[]);
    }
    let page = folder.comparison(&["a.opm", "b.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    browser.wait("document.querySelector('.code [data-at]') !== null");
    for table in ["#lines-changed tbody td", "#opcodes-changed tbody td", ".code .chunk .number"] {
        let count = |browser: &mut Browser, what: &str| {
            let count = browser.evaluate(&format!(
                "[...document.querySelectorAll('{table}')].filter((cell) => {what}).length"
            ));
            count.as_u64().unwrap()
        };
        let signs = count(&mut browser, "/[≈±]/.test(cell.textContent)");
        let both = count(
            &mut browser,
            "/[≈±]/.test(cell.textContent) && cell.classList.contains('estimate') && \
             getComputedStyle(cell).fontStyle === 'italic'",
        );
        assert!(signs > 5 && signs == both, "{table}: {signs} {both}");
    }
    // All of the columns are in view.
    browser.resize(1280, 900);
    let cut = "[...document.querySelectorAll('.scroll')].filter((it) => it.scrollWidth > it.clientWidth + 1)\
               .map((it) => it.querySelector('table').id)";
    assert_eq!(browser.evaluate(cut), json!([]));
    let heads = browser.text("document.querySelector('#lines-changed thead').textContent");
    assert!(heads.contains("net Mcycles before") && heads.contains("raw cycles each before"), "{heads}");
    assert!(browser.text("document.querySelector('#lines').innerText").contains("numbers are estimates"));
    browser.assert_quiet(&page);
}

#[test]
fn a_comparison_fits_all_sizes_and_needs_no_script_for_its_tables() {
    let folder = recorded(&[]);
    let page = folder.comparison(&["a.opm", "b.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    browser.wait("document.querySelector('.code [data-at]') !== null");
    let place = |browser: &mut Browser, side: &str| {
        let changed = browser.evaluate(&format!(
            "(() => {{ const box = document.querySelector('.row.two .text.{side}').getBoundingClientRect(); \
             return [box.x, box.y, box.width]; }})()"
        ));
        [0, 1, 2].map(|at| changed[at].as_f64().unwrap())
    };
    for (width, height, beside) in [(1600, 1000, true), (1200, 900, true), (400, 800, false)] {
        browser.resize(width, height);
        let wide = browser.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert!(wide.as_i64().unwrap() <= 0, "{wide} pixels too wide at {width}");
        let (before, after) = (place(&mut browser, "before"), place(&mut browser, "after"));
        assert!(before[2] > 100.0 && after[2] > 100.0, "{before:?} {after:?}");
        assert_eq!(
            before[0] + before[2] <= after[0] && before[1] == after[1],
            beside,
            "{before:?} {after:?}"
        );
        assert_eq!(before[1] < after[1], !beside, "{before:?} {after:?}");
    }
    browser.assert_quiet(&page);
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open_file(&page);
    for table in
        ["lines-changed", "functions-changed", "files-changed", "opcodes-changed", "families-changed"]
    {
        let seen = browser.evaluate(&format!("document.getElementById('{table}').innerText.length > 50"));
        assert_eq!(seen, true, "{table}");
    }
    assert!(
        browser.text("document.getElementById('source').innerText").contains("needs this page's own script")
    );
    assert_eq!(browser.evaluate("document.querySelectorAll('button, input, select').length"), 0);
    browser.assert_quiet(&page);
}
