//! `report --html`: the page, and what it does in a browser, where there is one.
#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/many_functions.rs"]
mod many_functions;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use browser::Browser;
use interpreters::any;
use many_functions::many_functions;
use opmeter_recording::{Phase, Recording};
use recorded::opmeter;
use serde_json::json;

/// Lines that run often, seldom and never, in functions and outside.
const PROGRAM: &str = "import sys


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
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Records a program, which is written to a file.
    fn record(&self, recording: &str, options: &[&str], file: &str, program: &[u8], arguments: &[&str]) {
        fs::write(self.path(file), program).unwrap();
        let mut command = opmeter();
        command.current_dir(self.0.path()).args(["record", "--quiet", "-o", recording]).args(options);
        let output = command.arg("--").arg(&any().path).arg(file).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Writes a page of recordings.
    fn page(&self, arguments: &[&str]) -> PathBuf {
        let page = self.path("page.html");
        let mut command = opmeter();
        command.current_dir(self.0.path()).arg("report").args(arguments).args(["--html", "page.html"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "page written to page.html\n");
        page
    }
}

/// What the source view shows of each line that has numbers: its cells, by line.
fn shown_lines(browser: &mut Browser) -> BTreeMap<u32, Vec<String>> {
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
fn recorded_lines(recording: &Recording, file: &str) -> BTreeMap<u32, (u64, u64)> {
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

fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// Checks that each line of a file stands there with its counts and its text; gives how many have counts.
fn check_lines(browser: &mut Browser, recording: &Recording, file: &str, source: &str) -> usize {
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
fn tables_are_sorted_and_filtered() {
    let folder = Folder::new();
    folder.record("a.opm", &["--pairs"], "a.py", PROGRAM.as_bytes(), &[]);
    let page = folder.page(&["a.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    let column = |browser: &mut Browser, place: usize| -> Vec<String> {
        let cells = browser.evaluate(&format!(
            "[...document.querySelectorAll('#opcodes-0 tbody tr:not([hidden])')].map((row) => \
             row.cells[{place}].textContent)"
        ));
        cells.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().to_owned()).collect()
    };
    let sorted = |browser: &mut Browser, place: usize| {
        browser.evaluate(&format!("document.querySelectorAll('#opcodes-0 th')[{place}].ariaSort"))
    };
    let numbers = |texts: Vec<String>| texts.iter().map(|text| number(text)).collect::<Vec<u64>>();
    assert_eq!(sorted(&mut browser, 1), json!("descending"));
    assert!(numbers(column(&mut browser, 1)).is_sorted_by(|one, other| one >= other));
    let all = column(&mut browser, 0);
    let with_text = browser.evaluate(
        "[...document.querySelectorAll('#opcodes-0 tbody tr')].filter((row) => \
         row.textContent.includes('LOAD_F')).length",
    );

    browser.click("#opcodes-0 th:nth-child(2) button");
    assert_eq!(sorted(&mut browser, 1), json!("ascending"));
    assert!(numbers(column(&mut browser, 1)).is_sorted());
    // By key as well, by name from the first on.
    browser.evaluate("document.querySelector('#opcodes-0 th button').focus()");
    browser.press("Enter");
    assert_eq!((sorted(&mut browser, 0), sorted(&mut browser, 1)), (json!("ascending"), json!(null)));
    let names = column(&mut browser, 0);
    assert!(names.is_sorted_by_key(|name| name.to_lowercase()));
    assert_eq!(names.len(), all.len());

    browser.click("#opcodes .tools input");
    browser.type_text("load_F");
    let found = column(&mut browser, 0);
    assert!(!found.is_empty() && found.len() < all.len());
    assert_eq!(json!(found.len()), with_text);
    let count = browser.text("document.querySelector('#opcodes .tools output').textContent");
    assert_eq!(count, format!("{} of {} opcodes", found.len(), all.len()));
    browser.evaluate(
        "(() => { const find = document.querySelector('#opcodes .tools input'); find.value = ''; \
         find.dispatchEvent(new Event('input')); })()",
    );
    browser.evaluate("document.querySelector('#opcodes .tools select').focus()");
    browser.press("ArrowDown");
    let families = column(&mut browser, 4);
    assert!(!families.is_empty() && families.len() < all.len());
    assert!(families.iter().all(|family| *family == families[0]), "{families:?}");
    browser.assert_quiet(&page);
}

#[test]
fn names_and_sources_of_a_program_run_nothing() {
    let name = "<img src=x onerror=alert(1)>.py";
    let attack = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>";
    let program = format!(
        "# -*- coding: latin-1 -*- \u{1}
# {attack} <!-- <script> ]]> \u{fffd}
import sys
def f(x):
    return x + 1  # <!--
for i in range(10):
    f(i)
names = {{}}
exec(compile('def g(x):\\n    return x\\nfor i in range(10): g(i)', {attack:?}, 'exec'), names)
if hasattr(f.__code__, 'replace'):
    code = {{'co_name': {attack:?}}}
    if sys.version_info >= (3, 11):
        code['co_qualname'] = {attack:?}
    f.__code__ = f.__code__.replace(**code)
    for i in range(5):
        f(i)
"
    );
    // Bytes that are no UTF-8, a line separator, and what turns the order of texts around.
    let program = program.replace('\u{fffd}', "\u{2028}\u{202e}");
    let mut program = program.into_bytes();
    let place = program.iter().position(|byte| *byte == 1).unwrap();
    program[place] = 0xe9;
    let folder = Folder::new();
    folder.record("a.opm", &[], name, &program, &[attack, "&lt;", "\u{202e}"]);
    fs::rename(folder.path("a.opm"), folder.path("<b onclick=alert(1)>.opm")).unwrap();
    let page = folder.page(&["<b onclick=alert(1)>.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    shown_lines(&mut browser);
    browser.click("button.open-all");
    assert_eq!(browser.evaluate("typeof window.hacked"), "undefined");
    assert_eq!(browser.evaluate("document.querySelectorAll('img, b, iframe, object').length"), 0);
    assert_eq!(browser.evaluate("document.querySelectorAll('script:not([type])').length"), 1);
    let all = browser.text("document.body.innerText");
    assert!(all.contains(attack), "the names are shown as they are");
    assert!(all.contains(name));
    let source = browser.text("document.querySelector('[data-line=\"2\"] .text').textContent");
    assert_eq!(source, format!("# {attack} <!-- <script> ]]> \\u{{2028}}\\u{{202e}}"));
    let first = browser.text("document.querySelector('[data-line=\"1\"] .text').textContent");
    assert_eq!(first, "# -*- coding: latin-1 -*- \u{fffd}");
    assert!(browser.text("document.querySelector('.command').textContent").contains("\\u{202e}"));
    browser.assert_quiet(&page);
    // The other wall: what got in all the same would not run.
    browser.evaluate(
        "(() => { const it = document.createElement('script'); it.textContent = 'window.hacked = 3'; \
         document.body.append(it); })()",
    );
    assert_eq!(browser.evaluate("typeof window.hacked"), "undefined");
}

#[test]
fn times_look_like_estimates() {
    let folder = Folder::new();
    let program = PROGRAM.replace("50, 20", "5000, 50");
    folder.record("a.opm", &["--time"], "a.py", program.as_bytes(), &[]);
    let page = folder.page(&["a.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    shown_lines(&mut browser);
    for table in ["#opcodes-0 tbody td", "#lines-0 tbody td", ".code .chunk .number"] {
        let [estimates, signs, italics] = [
            format!("document.querySelectorAll('{table}.estimate').length"),
            format!("[...document.querySelectorAll('{table}')].filter((cell) => /[≈±]/.test(cell.textContent)).length"),
            format!(
                "[...document.querySelectorAll('{table}')].filter((cell) => cell.textContent !== '' && \
                 getComputedStyle(cell).fontStyle === 'italic').length"
            ),
        ]
        .map(|expression| browser.evaluate(&expression).as_u64().unwrap());
        assert!(
            signs > 10 && signs <= estimates && signs == italics,
            "{table}: {estimates} {signs} {italics}"
        );
    }
    assert!(browser.text("document.querySelector('#opcodes .note').textContent").contains("estimates"));
    // Raw beside net, and how long executions took.
    assert!(
        browser.text("document.querySelector('#opcodes-0 thead').textContent").contains("raw cycles each")
    );
    let picture =
        browser.text("document.querySelector('#opcodes-0 svg.distribution').getAttribute('aria-label')");
    assert!(picture.contains("median") && picture.contains("raw cycles"), "{picture}");
    browser.assert_quiet(&page);
}

#[test]
fn themes_and_sizes_fit() {
    let folder = Folder::new();
    folder.record("a.opm", &["--pairs"], "a.py", PROGRAM.as_bytes(), &[]);
    let page = folder.page(&["a.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    let ground = "getComputedStyle(document.body).backgroundColor";
    let prefer = |browser: &mut Browser, scheme: &str| {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.call("Emulation.setEmulatedMedia", feature);
    };
    prefer(&mut browser, "light");
    browser.open_file(&page);
    let light = browser.text(ground);
    prefer(&mut browser, "dark");
    let dark = browser.text(ground);
    assert_ne!(light, dark);
    browser.click("#theme");
    assert_eq!(browser.text(ground), light);
    browser.click("#theme");
    assert_eq!(browser.text(ground), dark);
    // Nothing but tables that scroll by themselves is wider than the window.
    for (width, height) in [(1400, 1000), (800, 900), (400, 800)] {
        browser.resize(width, height);
        let wide = browser.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert!(wide.as_i64().unwrap() <= 0, "{wide} pixels too wide at {width}");
    }
    browser.assert_quiet(&page);
}

#[test]
fn several_recordings_stand_side_by_side() {
    let folder = Folder::new();
    folder.record("a.opm", &[], "a.py", PROGRAM.as_bytes(), &[]);
    let other = PROGRAM.replace("50, 20", "60, 30").replace("def never", "# Another.\ndef never");
    folder.record("b.opm", &["--pairs"], "b.py", other.as_bytes(), &[]);
    let page = folder.page(&["a.opm", "b.opm"]);
    let recordings = ["a.opm", "b.opm"].map(|name| Recording::open(&folder.path(name)).unwrap());
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    let heads = browser.text("document.querySelector('#opcodes-side-by-side thead').textContent");
    for head in ["A executions", "A share %", "B executions", "B share %"] {
        assert!(heads.contains(head), "{heads}");
    }
    let shown = browser.evaluate(
        "(() => { const heads = [...document.querySelectorAll('#opcodes-side-by-side th')]; \
         const places = ['A', 'B'].map((name) => heads.findIndex((head) => head.textContent === `${name} executions`)); \
         return [...document.querySelectorAll('#opcodes-side-by-side tbody tr')].map((row) => \
         places.map((place) => Number(row.cells[place].textContent.replaceAll(',', '')))); })()",
    );
    for (place, recording) in recordings.iter().enumerate() {
        let main = recording.tables.opcodes.iter().filter(|row| row.phase == Phase::Main);
        let sum: u64 = shown.as_array().unwrap().iter().map(|row| row[place].as_u64().unwrap()).sum();
        assert_eq!(sum, main.map(|row| row.executions).sum::<u64>());
    }
    let visible = "[...document.querySelectorAll('.of-recording')].filter((part) => !part.hidden)\
                   .every((part) => part.dataset.recording === document.getElementById('recording').value)";
    assert_eq!(browser.evaluate(visible), true);
    assert!(check_lines(&mut browser, &recordings[0], "a.py", PROGRAM) > 10);
    browser.evaluate("document.getElementById('recording').focus()");
    browser.press("ArrowDown");
    browser.wait("document.getElementById('recording').value === '1'");
    assert_eq!(browser.evaluate(visible), true);
    browser.evaluate("document.querySelector('.viewer[data-recording=\"0\"] .code').remove()");
    assert!(check_lines(&mut browser, &recordings[1], "b.py", &other) > 10);
    browser.assert_quiet(&page);
}

#[test]
fn main_tables_need_no_script() {
    let folder = Folder::new();
    folder.record("a.opm", &[], "a.py", PROGRAM.as_bytes(), &[]);
    let page = folder.page(&["a.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open_file(&page);
    for table in ["opcodes-0", "lines-0", "functions-0", "files-0"] {
        let seen = browser.evaluate(&format!("document.getElementById('{table}').innerText.length > 50"));
        assert_eq!(seen, true, "{table}");
    }
    assert!(
        browser.text("document.getElementById('source').innerText").contains("needs this page's own script")
    );
    assert_eq!(browser.evaluate("document.querySelectorAll('button, input, select').length"), 0);
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

#[test]
fn pairs_forms_and_energy_are_those_of_the_recording() {
    let folder = Folder::new();
    folder.record("a.opm", &["--pairs"], "a.py", PROGRAM.as_bytes(), &[]);
    let mut energy = opmeter();
    energy.current_dir(folder.0.path()).args(["energy", "--watts", "5", "-n", "2", "-o", "a.opm", "--"]);
    let output = energy.arg(&any().path).arg("a.py").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = folder.page(&["a.opm"]);
    let tables = Recording::open(&folder.path("a.opm")).unwrap().tables;
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);

    let mut pairs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in tables.pairs.iter().filter(|row| row.phase == Phase::Main) {
        *pairs.entry((&row.first, &row.second)).or_default() += row.executions;
    }
    let rows = browser.evaluate(
        "[...document.querySelectorAll('#pairs-0 tbody tr')].map((row) => \
         [0, 1, 2].map((place) => row.cells[place].textContent))",
    );
    for row in rows.as_array().unwrap() {
        let [first, second, executions] = [0, 1, 2].map(|place| row[place].as_str().unwrap());
        assert_eq!(pairs[&(first, second)], number(executions), "{first} {second}");
    }
    assert!(rows.as_array().unwrap().len() > 20);
    let ((first, second), most) = pairs.iter().max_by_key(|(_, executions)| **executions).unwrap();
    let titles =
        browser.evaluate("[...document.querySelectorAll('#pairs-map-0 td')].map((cell) => cell.title)");
    let title = |title: &serde_json::Value| {
        title.as_str().unwrap().replace(',', "") == format!("{first} then {second}: {most} executions")
    };
    assert!(titles.as_array().unwrap().iter().any(title), "{first} {second} {most}");

    let mut families: BTreeMap<&str, u64> = BTreeMap::new();
    for row in tables.specialization.iter().filter(|row| row.phase == Phase::Main && row.executions > 0) {
        *families.entry(&row.opcode).or_default() += row.executions;
    }
    let rows = browser.evaluate(
        "[...document.querySelectorAll('#families-0 tbody tr')].map((row) => \
         [row.cells[0].textContent, row.cells[1].textContent])",
    );
    let shown: BTreeMap<&str, u64> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[0].as_str().unwrap(), number(row[1].as_str().unwrap())))
        .collect();
    assert_eq!(shown, families);

    let joules: Vec<f64> = tables.energy.iter().map(|row| row.joules).collect();
    let shown = browser.text("document.querySelector('#energy-0 tbody tr:nth-child(2)').innerText");
    let mean = joules.iter().sum::<f64>() / joules.len() as f64;
    let number = shown.split('≈').nth(1).unwrap().trim().split_whitespace().next().unwrap();
    assert!((number.parse::<f64>().unwrap() / mean - 1.0).abs() < 1e-3, "{shown} {mean}");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('#energy .strip circle').length"),
        json!(2 * joules.len())
    );
    browser.assert_quiet(&page);
}

#[test]
fn sources_that_have_changed_are_told_and_not_shown() {
    let folder = Folder::new();
    folder.record("a.opm", &[], "a.py", PROGRAM.as_bytes(), &[]);
    fs::write(folder.path("a.py"), PROGRAM.replace("never", "secret")).unwrap();
    let text = fs::read_to_string(folder.page(&["a.opm"])).unwrap();
    assert!(text.contains("a.py has changed since it was recorded"));
    assert!(!text.contains("secret()") && !text.contains("never()"));
    assert!(text.contains("squares"), "the counts are there");
    fs::remove_file(folder.path("a.opm").join("manifest.json")).unwrap();
    let output = opmeter()
        .current_dir(folder.0.path())
        .args(["report", "a.opm", "--html", "b.html"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path("b.html").exists());
}

#[test]
fn the_page_goes_where_it_is_asked_to() {
    let folder = Folder::new();
    folder.record("a.opm", &[], "a.py", PROGRAM.as_bytes(), &[]);
    let run = |arguments: &[&str]| {
        opmeter().current_dir(folder.0.path()).arg("report").args(arguments).output().unwrap()
    };
    let page = fs::read(folder.page(&["a.opm"])).unwrap();
    let output = run(&["a.opm", "--html", "-"]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(output.stdout, page);
    for other in [["--check"].as_slice(), &["--by", "line"], &["--top", "3"]] {
        let output = run(&[&["a.opm", "--html", "b.html"], other].concat());
        assert_eq!(output.status.code(), Some(2), "{other:?}");
    }
    let output = run(&["a.opm", "--html", "missing/b.html"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("missing/b.html could not be written"));
    let output = run(&["a.opm", "--phase", "startup", "--exclude", "a.py", "--terms", "base", "--html", "-"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("Opcodes as compiled") && !text.contains("squares"),
        "what is not chosen is not there"
    );
    assert!(is_alone(&text) && is_alone(std::str::from_utf8(&page).unwrap()));
    assert!(!Path::new(&folder.path("b.html")).exists());
}

/// Whether a page holds nothing that would be loaded, and a policy that forbids it.
fn is_alone(page: &str) -> bool {
    let policy = "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-";
    let loading = [" src=", "<link", "<iframe", "@import", "url(", " style="];
    page.contains(policy) && loading.iter().all(|loads| !page.contains(loads))
}
