//! Themes, sizes, and pages without script.

use serde_json::json;

use crate::browser::Browser;
use crate::folder::{Folder, PROGRAM};

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
