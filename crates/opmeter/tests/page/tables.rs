//! Tables: sorting, filtering, estimates, and what they say.

use std::collections::BTreeMap;

use opmeter_recording::{Phase, Recording};
use serde_json::json;

use crate::browser::Browser;
use crate::folder::{Folder, PROGRAM, check_lines, number, shown_lines};
use crate::interpreters::any;
use crate::recorded::opmeter;

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
    let number = shown.split('≈').nth(1).unwrap().split_whitespace().next().unwrap();
    assert!((number.parse::<f64>().unwrap() / mean - 1.0).abs() < 1e-3, "{shown} {mean}");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('#energy .strip circle').length"),
        json!(2 * joules.len())
    );
    browser.assert_quiet(&page);
}
