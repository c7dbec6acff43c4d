//! Where a page goes, and what is on it, without a browser.

use std::fs;

use crate::folder::{Folder, PROGRAM};
use crate::recorded::opmeter;

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
        text.contains("Opcodes of the chosen files, as compiled") && !text.contains("squares"),
        "what is not chosen is not there"
    );
    assert!(is_alone(&text) && is_alone(std::str::from_utf8(&page).unwrap()));
    assert!(!folder.path("b.html").exists());
}

/// Whether a page holds nothing that would be loaded, and a policy that forbids it.
pub fn is_alone(page: &str) -> bool {
    let policy = "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-";
    let loading = [" src=", "<link", "<iframe", "@import", "url(", " style="];
    page.contains(policy) && loading.iter().all(|loads| !page.contains(loads))
}
