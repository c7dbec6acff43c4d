//! Every command in the guide is run, in the order in which it stands in its page: the blocks marked `sh` are one script
//! of the shell, in which no command may fail.
#![allow(clippy::unwrap_used)]

#[path = "support/at_once.rs"]
mod at_once;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

#[path = "../../opmeter-energy/tests/support/counter_tree.rs"]
#[allow(dead_code)]
mod counter_tree;

use counter_tree::{CounterTree, zone};
use interpreters::{Interpreter, all, any};

/// The repository's folder.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The blocks of a page in a language, one after the other.
fn blocks(page: &str, language: &str) -> String {
    let fence = format!("```{language}\n");
    let each = page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    each.map(|block| format!("{block}\n")).collect()
}

/// A folder with the commands that pages name: `opmeter`, with energy counters, and interpreters by their versions. Where
/// this machine lacks one of them, another stands in for it.
fn commands(folder: &Path, tree: &CounterTree) {
    let script = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    // A link would hide where the interpreter's library lies from some builds; a script does not.
    let python = |name: &str, interpreter: &Interpreter| {
        script(name, format!("exec {} \"$@\"", interpreter.path.display()));
    };
    let executable = env!("CARGO_BIN_EXE_opmeter");
    script(
        "opmeter",
        format!(
            "case $1 in energy|measure|doctor) command=$1; shift; exec {executable} $command --sysfs {} \"$@\";; esac\n\
             exec {executable} \"$@\"",
            tree.path().display()
        ),
    );
    let has_gil = |interpreter: &&Interpreter| !interpreter.free_threaded;
    for minor in 8..=15 {
        let of_version = all().iter().filter(has_gil).find(|one| one.version == (3, minor));
        python(&format!("python3.{minor}"), of_version.unwrap_or(any()));
    }
    python("python3", any());
}

/// Runs a page's commands in an empty folder; gives what they printed.
fn run(page: &Path) -> String {
    let tree = CounterTree::new(
        &[zone("intel-rapl:0", "package-0", 20.0), zone("intel-rapl:0:0", "core", 12.0)],
        Duration::from_millis(1),
    );
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [bin, work] = [folders[0].path(), folders[1].path()];
    commands(bin, &tree);
    symlink(repository().join("programs"), work.join("programs")).unwrap();
    let text = fs::read_to_string(page).unwrap();
    let script = format!("set -ex\n{}", blocks(&text, "sh"));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(work)
        .env("PATH", path)
        .env("OPMETER_CACHE", work.join(".cache"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{}: {printed}", page.display());
    printed
}

/// The pages of the guide.
fn pages() -> Vec<PathBuf> {
    let folder = repository().join("docs/guide");
    let mut pages: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

#[test]
fn every_command_of_the_guide_runs() {
    let run_ones = |page: &PathBuf| {
        let text = fs::read_to_string(page).unwrap();
        // No command hides in a block that is not run.
        let run_ones = blocks(&text, "sh");
        for line in text.lines().filter(|line| line.trim_start().starts_with("opmeter ")) {
            assert!(run_ones.contains(line), "{}: {line}", page.display());
        }
        if run_ones.is_empty() {
            return 0;
        }
        let printed = run(page);
        assert!(!printed.contains("panicked"), "{}: {printed}", page.display());
        run_ones.lines().filter(|line| line.starts_with("opmeter ")).count()
    };
    let commands: usize = at_once::each(&pages(), run_ones).into_iter().sum();
    assert!(commands > 40, "{commands}");
}

#[test]
fn pages_lead_to_pages_that_there_are() {
    let docs = repository().join("docs");
    let mut links = 0;
    let of_docs = fs::read_dir(&docs).unwrap().map(|entry| entry.unwrap().path());
    let every = of_docs
        .chain(pages())
        .chain([repository().join("README.md"), repository().join("programs/README.md")]);
    for page in every.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let file = page.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(file.exists(), "{}: {target}", page.display());
            links += 1;
        }
    }
    assert!(links > 40, "{links}");
}
