//! How fast a page is written and opened: `cargo bench --bench page [-- --runs N] [PYTHON]`
//!
//! It records a program of 21,000 lines and 3,000 functions with times, before and after an edit of each function, and
//! prints how long its page, and that of the comparison, take to be written and how large they are; then, in Chromium
//! without a window, the time from the navigation's start to the load event, to the first lines of the source, and until
//! all lines are there that are not folded: medians of N runs, five if nothing is said. Where no interpreter is named, it
//! takes `python3`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

#[path = "../crates/opmeter/tests/support/browser.rs"]
#[allow(dead_code)]
mod browser;
#[path = "../crates/opmeter/tests/support/many_functions.rs"]
mod many_functions;
#[path = "median.rs"]
mod median;

use browser::Browser;
use many_functions::many_functions;
use median::median;

fn main() {
    let (mut runs, mut python) = (5, PathBuf::from("python3"));
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--runs" => runs = arguments.next().unwrap().parse().unwrap(),
            _ => python = argument.into(),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let opmeter = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.current_dir(folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    let program = many_functions(3000);
    let edited = program.replace("total += i *", "total += 1 + i *");
    for (recording, program) in [("before.opm", &program), ("large.opm", &edited)] {
        fs::write(folder.path().join("large.py"), program).unwrap();
        let mut record = opmeter();
        record.args(["record", "--quiet", "--time", "-o", recording, "--"]).arg(&python).arg("large.py");
        assert!(record.status().unwrap().success());
    }
    let pages: [(&str, &[&str]); 2] =
        [("page.html", &["report", "large.opm"]), ("diff.html", &["diff", "before.opm", "large.opm"])];
    for (name, arguments) in pages {
        println!("{}", arguments[0]);
        let write = || {
            let begun = Instant::now();
            assert!(opmeter().args(arguments).args(["--html", name]).status().unwrap().success());
            begun.elapsed().as_secs_f64()
        };
        println!("written      {:>8.3} s", median((0..runs).map(|_| write())));
        let page = folder.path().join(name);
        println!("size         {:>8.2} MB", fs::metadata(&page).unwrap().len() as f64 / 1e6);
        let Some(mut browser) = Browser::start() else { return };
        let opened: Vec<[f64; 3]> = (0..runs).map(|_| opened(&mut browser, &page)).collect();
        for (place, what) in ["load event", "first lines", "all lines"].into_iter().enumerate() {
            println!("{what:<12} {:>8.3} s", median(opened.iter().map(|times| times[place])));
        }
    }
}

/// The seconds until the load event, until the first lines stand there, and until all do.
fn opened(browser: &mut Browser, page: &Path) -> [f64; 3] {
    let begun = Instant::now();
    browser.open_file(page);
    let load = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000";
    browser.wait(&format!("{load} > 0"));
    let load = browser.evaluate(load).as_f64().unwrap();
    browser.wait("document.querySelector('.code .chunk > *') !== null");
    let first = begun.elapsed().as_secs_f64();
    browser.wait("document.querySelectorAll('.chunk:empty').length === 0");
    [load, first, begun.elapsed().as_secs_f64()]
}
