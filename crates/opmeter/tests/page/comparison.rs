//! `diff --html` in a browser: the sources of both sides, and the tables.

use std::fs;
use std::path::PathBuf;

use opmeter_recording::Recording;
use serde_json::json;

use crate::browser::Browser;
use crate::folder::{Folder, number, recorded_lines};
use crate::many_functions::many_functions;

/// A program with a function that moves, one that is changed, and one that goes.
const BEFORE: &str = "def total(n):
    result = 0
    for i in range(n):
        result += i
    return result


def scaled(values, factor):
    return sum(value * factor for value in values)


def gone(n):
    return n + 1


def main(rounds):
    result = 0
    for i in range(rounds):
        result += total(10)
        result += scaled(range(5), 2)
        result += gone(i)
    return result


print(main(20))
";

/// The same: `total` behind `main` and with fewer turns, `scaled` changed, `gone` gone, a line in a condition.
const AFTER: &str = "# Fewer turns.
def scaled(values, factor):
    return sum(value * factor + 1 for value in values)


def main(rounds):
    result = 0
    for i in range(rounds):
        if i % 2:
            result += total(4)
        result += scaled(range(5), 2)
    return result


def total(n):
    result = 0
    for i in range(n):
        result += i
    return result


print(main(20))
";

/// A row of the source view.
#[derive(Debug)]
struct Row {
    /// What became of it: `a`, `c`, `m`, `r` or `s`.
    edit: char,
    /// For each side: its line, and what stands there.
    lines: [Option<(u32, String)>; 2],
    /// Executions before and after, and the change.
    counts: [String; 3],
}

/// The rows that the source view shows.
fn shown_rows(browser: &mut Browser) -> Vec<Row> {
    browser.wait(
        "document.querySelector('.chunk') !== null && \
         [...document.querySelectorAll('.chunk')].every((chunk) => chunk.childElementCount > 0)",
    );
    let rows = browser.evaluate(
        "[...document.querySelectorAll('.code .chunk > [data-at]')].map((row) => ({ \
         edit: /edit-(.)/.exec(row.className)[1], \
         lines: ['before', 'after'].map((side) => row.dataset[side] === undefined ? null : \
         [Number(row.dataset[side]), row.querySelector(`.text.${side}`).textContent]), \
         counts: ['.was', '.is', '.change'].map((name) => row.querySelector(name).textContent) }))",
    );
    let row = |row: &serde_json::Value| Row {
        edit: row["edit"].as_str().unwrap().chars().next().unwrap(),
        lines: [0, 1].map(|side| {
            let line = row["lines"][side].as_array()?;
            Some((u32::try_from(line[0].as_u64().unwrap()).unwrap(), line[1].as_str().unwrap().to_owned()))
        }),
        counts: [0, 1, 2].map(|place| row["counts"][place].as_str().unwrap().to_owned()),
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

/// Checks that each line of both sides stands there once, with its text and its executions, and the change beside it.
fn check_rows(rows: &[Row], folder: &Folder, sides: [(&str, &str, &str); 2]) {
    for (side, (recording, file, source)) in sides.into_iter().enumerate() {
        let recorded = recorded_lines(&Recording::open(&folder.path(recording)).unwrap(), file);
        assert!(recorded.len() > 10);
        for (place, text) in source.lines().enumerate() {
            let line = u32::try_from(place + 1).unwrap();
            let found: Vec<&Row> =
                rows.iter().filter(|row| row.lines[side].as_ref().is_some_and(|at| at.0 == line)).collect();
            let [row] = found[..] else { panic!("{file}:{line}: {found:?}") };
            assert_eq!(row.lines[side].as_ref().unwrap().1, text, "{file}:{line}");
            match recorded.get(&line) {
                Some((executions, _)) => assert_eq!(number(&row.counts[side]), *executions, "{file}:{line}"),
                None => assert!(matches!(&*row.counts[side], "" | "0"), "{file}:{line}: {row:?}"),
            }
        }
    }
    for row in rows {
        let [before, after] =
            [0, 1].map(
                |side| if row.counts[side].is_empty() { 0 } else { number(&row.counts[side]).cast_signed() },
            );
        let change = match &*row.counts[2] {
            "" => 0,
            text => text.replace(',', "").parse().unwrap_or_else(|_| panic!("{row:?}")),
        };
        assert_eq!(change, after - before, "{row:?}");
    }
}

fn recorded(folder: &Folder, options: &[&str]) -> PathBuf {
    folder.record("a.opm", options, "a.py", BEFORE.as_bytes(), &[]);
    folder.record("b.opm", options, "b.py", AFTER.as_bytes(), &[]);
    folder.comparison(&["a.opm", "b.opm"])
}

#[test]
fn lines_of_both_sides_have_their_counts() {
    let folder = Folder::new();
    let page = recorded(&folder, &[]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    let rows = shown_rows(&mut browser);
    check_rows(&rows, &folder, [("a.opm", "a.py", BEFORE), ("b.opm", "b.py", AFTER)]);

    let with = |text: &str, side: usize| {
        let has = |row: &&Row| row.lines[side].as_ref().is_some_and(|(_, line)| line.contains(text));
        rows.iter().find(has).unwrap_or_else(|| panic!("{text}: {rows:?}"))
    };
    let moved = with("for i in range(n)", 1);
    assert_eq!(moved.edit, 'm');
    assert_eq!((moved.lines[0].as_ref().unwrap().0, moved.lines[1].as_ref().unwrap().0), (3, 17));
    let changed = with("value * factor + 1", 1);
    assert_eq!(changed.edit, 'c');
    assert!(changed.lines[0].as_ref().unwrap().1.contains("value * factor for"));
    let mark = browser
        .text("[...document.querySelectorAll('.text.after mark')].map((it) => it.textContent).join('|')");
    assert!(mark.contains("+ 1"), "{mark}");
    let removed = with("def gone(n)", 0);
    assert!(removed.edit == 'r' && removed.lines[1].is_none() && removed.counts[1].is_empty());
    let added = with("# Fewer turns.", 1);
    assert!(added.edit == 'a' && added.lines[0].is_none());
    // What changed most is as dark as can be, in the colour of its direction.
    assert_eq!(browser.evaluate("document.querySelectorAll('.change.cool-9').length > 0"), true);
    assert_eq!(browser.evaluate("document.querySelectorAll('.change[class*=heat-]').length > 0"), true);
    browser.assert_quiet(&page);
}

#[test]
fn tables_lead_to_lines_and_are_sorted_by_size() {
    let folder = Folder::new();
    let page = recorded(&folder, &[]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    shown_rows(&mut browser);
    let changes = |browser: &mut Browser| -> Vec<i64> {
        let cells = browser.evaluate(
            "(() => { const place = [...document.querySelectorAll('#lines-changed th')].findIndex((head) => \
             head.dataset.bySize !== undefined); return [...document.querySelectorAll('#lines-changed tbody tr')]\
             .map((row) => Number(row.cells[place].textContent.replaceAll(',', ''))); })()",
        );
        cells.as_array().unwrap().iter().map(|cell| cell.as_i64().unwrap()).collect()
    };
    let order = |browser: &mut Browser| {
        browser.evaluate("document.querySelector('#lines-changed th[data-by-size]').ariaSort")
    };
    let first = changes(&mut browser);
    assert!(first.len() > 8 && first.iter().any(|change| *change > 0));
    assert_eq!(order(&mut browser), json!("other"));
    assert!(first.is_sorted_by_key(|change| std::cmp::Reverse(change.abs())), "{first:?}");
    browser.click("#lines-changed th[data-by-size] button");
    assert_eq!(order(&mut browser), json!("descending"));
    assert!(changes(&mut browser).is_sorted_by(|one, other| one >= other));
    browser.click("#lines-changed th[data-by-size] button");
    assert!(changes(&mut browser).is_sorted());
    browser.click("#lines-changed th[data-by-size] button");
    assert_eq!(order(&mut browser), json!("other"));
    // What grew from none grew by most percent.
    let percents = "document.querySelectorAll('#lines-changed th[data-by-size]')[1]";
    browser.evaluate(&format!("{percents}.querySelector('button').click()"));
    let place = format!("[...document.querySelectorAll('#lines-changed th')].indexOf({percents})");
    let top = browser
        .text(&format!("document.querySelector('#lines-changed tbody tr').cells[{place}].textContent"));
    assert_eq!(top, "new");

    // From the tables of lines and of functions to both kinds of lines.
    for (link, side, text) in [
        ("#lines-changed a[href^='#after']", "after", ""),
        ("#lines-changed a[href^='#before']", "before", ""),
        ("#functions-changed tbody tr:not([hidden]) a[href^='#after']", "after", "def "),
    ] {
        let address = browser.text(&format!("document.querySelector({link:?}).getAttribute('href')"));
        let line = address.rsplit_once('-').unwrap().1.to_owned();
        browser.click(link);
        browser.wait(&format!("document.querySelector('.row.target')?.dataset.{side} === '{line}'"));
        let shown = browser.text(&format!("document.querySelector('.row.target .text.{side}').textContent"));
        assert!(shown.contains(text), "{shown}");
    }
    for table in ["files-changed", "opcodes-changed", "families-changed"] {
        let rows = browser.evaluate(&format!("document.querySelectorAll('#{table} tbody tr').length"));
        assert!(rows.as_u64().unwrap() > 0, "{table}");
    }
    browser.assert_quiet(&page);
}

#[test]
fn long_files_show_what_changed_and_unfold() {
    let folder = Folder::new();
    let before = many_functions(40);
    let after = before
        .replace("total += i * 20\n", "total += i * 20 + 1\n")
        .replace("function_7(7)", "function_7(9)");
    folder.record("a.opm", &[], "a.py", before.as_bytes(), &[]);
    folder.record("b.opm", &[], "b.py", after.as_bytes(), &[]);
    let page = folder.comparison(&["a.opm", "b.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    let folded = shown_rows(&mut browser);
    let edited = |rows: &[Row]| rows.iter().filter(|row| row.edit == 'c').count();
    assert!(folded.len() < 40 && edited(&folded) == 2, "{folded:?}");
    let hidden = browser.evaluate(
        "[...document.querySelectorAll('.fold')].map((it) => Number(/\\d+/.exec(it.textContent)[0]))\
         .reduce((one, other) => one + other, 0)",
    );
    assert_eq!(hidden.as_u64().unwrap() as usize + folded.len(), before.lines().count());
    // The keyboard goes from change to change.
    browser.evaluate("document.querySelector('.code').focus()");
    browser.click(".steps button:nth-child(2)");
    let target = "document.querySelector('.row.target').dataset.after";
    let first = number(&browser.text(target));
    browser.click(".steps button:nth-child(2)");
    let second = number(&browser.text(target));
    assert!(second > first, "{first} {second}");
    browser.click(".steps button:nth-child(1)");
    assert_eq!(number(&browser.text(target)), first);

    let folds = browser.evaluate("document.querySelectorAll('.fold').length").as_u64().unwrap();
    browser.click(".fold");
    assert_eq!(browser.evaluate("document.querySelectorAll('.fold').length"), folds - 1);
    assert!(shown_rows(&mut browser).len() > folded.len());
    // An address of a folded line unfolds it.
    browser.open(&format!("file://{}#before-0-200", page.display()));
    browser.wait("document.querySelector('.row.target')?.dataset.before === '200'");
    // What stands above the lines stays in view, below the bar at the top.
    browser.resize(1280, 900);
    let in_view = "(() => { \
         const box = (what) => document.querySelector(what).getBoundingClientRect(); \
         const [bar, head, code, row] = ['header.bar', '.file-head', '.code', '.row.target'].map(box); \
         return head.top >= bar.bottom - 1 && row.top >= code.top && row.bottom <= code.bottom && row.bottom <= innerHeight; \
         })()";
    for _ in 0..2 {
        browser.click(".steps button:nth-child(1)");
        browser.wait(in_view);
    }
    browser.evaluate("document.querySelector('.code').focus()");
    browser.press("n");
    browser.wait(in_view);
    browser.open(&format!("file://{}#after-0-100", page.display()));
    browser.wait("document.querySelector('.row.target')?.dataset.after === '100'");
    browser.wait(in_view);
    browser.click(".fold-all");
    let rows = shown_rows(&mut browser);
    check_rows(&rows, &folder, [("a.opm", "a.py", &before), ("b.opm", "b.py", &after)]);
    assert_eq!(rows.len(), before.lines().count());
    browser.assert_quiet(&page);
}

#[test]
fn what_went_to_another_file_has_a_link_there() {
    let folder = Folder::new();
    let function = "def weighted(values, factor):\n    result = 0\n    for value in values:\n        \
                    result += value * factor\n    return result\n";
    let rest = "def other(n):\n    return [n] * n\n";
    let main = "print(weighted(other(5), 3))\n";
    for (side, helper) in [("one", rest.to_owned()), ("two", format!("{rest}\n\n{function}"))] {
        fs::create_dir(folder.path(side)).unwrap();
        fs::write(folder.path(side).join("helper.py"), helper).unwrap();
    }
    let before = format!("from helper import other\n\n\n{function}\n\n{main}");
    let after = format!("from helper import other, weighted\n\n\n{main}");
    folder.record("a.opm", &[], "one/main.py", before.as_bytes(), &[]);
    folder.record("b.opm", &[], "two/main.py", after.as_bytes(), &[]);
    let page = folder.comparison(&["a.opm", "b.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    shown_rows(&mut browser);
    let file = "document.querySelector('.file-head h4').textContent";
    if browser.text(file).contains("helper") {
        browser.click(".index nav button:not([aria-current])");
    }
    browser.wait(&format!("{file}.includes('main.py')"));
    let rows = shown_rows(&mut browser);
    let gone = rows.iter().find(|row| row.lines[0].as_ref().is_some_and(|(line, _)| *line == 7)).unwrap();
    assert!(gone.lines[1].is_none() && gone.edit == 'm' && gone.counts[0] == gone.counts[1], "{gone:?}");
    let link = ".row[data-before='7'] .elsewhere a";
    assert_eq!(browser.text(&format!("document.querySelector({link:?}).textContent")), "two/helper.py:8");
    browser.click(link);
    browser.wait("document.querySelector('.row.target')?.dataset.after === '8'");
    assert!(browser.text(file).contains("two/helper.py"));
    let from = browser.text("document.querySelector('.row.target .elsewhere').textContent");
    assert_eq!(from, "from one/main.py:7");
    browser.assert_quiet(&page);
}

#[test]
fn names_and_sources_of_both_sides_run_nothing() {
    let attack = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>";
    let program = |more: &str| {
        format!(
            "# {attack} <!-- {more}\u{202e}\ndef f(x):\n    return x  # {attack}\nfor i in range(10{more}):\n    f(i)\n"
        )
    };
    let folder = Folder::new();
    folder.record("a.opm", &[], "<img src=x onerror=alert(1)>.py", program("").as_bytes(), &[attack]);
    folder.record("b.opm", &[], "<b onclick=alert(2)>.py", program("0").as_bytes(), &[attack, "\u{202e}"]);
    for (from, to) in [("a.opm", "<i>.opm"), ("b.opm", "</title><script>window.hacked=3</script>.opm")] {
        // No name can hold a slash.
        fs::rename(folder.path(from), folder.path(&to.replace('/', "|"))).unwrap();
    }
    let page = folder.comparison(&["<i>.opm", "<|title><script>window.hacked=3<|script>.opm"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open_file(&page);
    let rows = shown_rows(&mut browser);
    assert_eq!(browser.evaluate("typeof window.hacked"), "undefined");
    assert_eq!(browser.evaluate("document.querySelectorAll('img, b, i, iframe, object').length"), 0);
    assert_eq!(browser.evaluate("document.querySelectorAll('script:not([type])').length"), 1);
    for (side, more) in ["", "0"].into_iter().enumerate() {
        let first = rows.iter().find_map(|row| row.lines[side].as_ref().filter(|(line, _)| *line == 1));
        assert_eq!(first.unwrap().1, format!("# {attack} <!-- {more}\\u{{202e}}"));
    }
    let all = browser.text("document.body.innerText");
    assert!(all.contains("<b onclick=alert(2)>.py") && all.contains(attack));
    browser.assert_quiet(&page);
}

#[test]
fn a_large_program_has_a_small_page_that_opens() {
    let folder = Folder::new();
    let before = many_functions(3000);
    let after = before.replace("total += i *", "total += 1 + i *");
    folder.record("a.opm", &["--time"], "large.py", before.as_bytes(), &[]);
    folder.record("b.opm", &["--time"], "large.py", after.as_bytes(), &[]);
    let page = folder.comparison(&["a.opm", "b.opm"]);
    assert!(fs::metadata(&page).unwrap().len() < 10_000_000, "{:?}", fs::metadata(&page));
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&format!("file://{}#after-0-20001", page.display()));
    browser.wait("document.querySelector('.row.target')?.dataset.after === '20001'");
    let built = browser.evaluate("document.querySelectorAll('.code [data-at]').length");
    assert!(built.as_u64().unwrap() < 21_000);
    browser.assert_quiet(&page);
}
