//! The templates that come with the project.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::at_once;
use crate::interpreters::{all, one_of_each_version};
use crate::templates::Ran;

/// Their files.
fn own_templates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/templates");
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
    paths.sort();
    paths
}

/// Writes the smallest programs of all templates of the project, and some that are a little larger, to a folder.
fn synthesize_own(folder: &Path, python: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_opmeter"))
        .args(["synthesize", "--min", "1", "--max", "12", "--count", "2", "-o"])
        .arg(folder)
        .arg("--python")
        .arg(python)
        .args(own_templates())
        .output()
        .unwrap();
    // Where another interpreter had given another program, it would be told that that one exists.
    assert!(output.status.success(), "{}: {:?}", python.display(), Ran::new(&output));
}

#[test]
fn the_smallest_programs_of_all_templates_print_the_same_on_every_interpreter() {
    let templates = own_templates();
    assert!(templates.len() >= 12);
    let folder = tempfile::tempdir().unwrap();
    for interpreter in one_of_each_version() {
        synthesize_own(folder.path(), &interpreter.path);
    }
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let programs: Vec<PathBuf> = names.filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
    assert_eq!(programs.len(), 2 * templates.len());
    let printed = at_once::each(all(), |interpreter| {
        let run = |program: &PathBuf| {
            let mut command = Command::new(&interpreter.path);
            let output = command.args(["-W", "error"]).arg(program).output().unwrap();
            let ran = Ran::new(&output);
            assert!(ran.status == Some(0) && ran.stderr.is_empty(), "{program:?}: {ran:?}");
            assert!(ran.stdout.ends_with('\n') && ran.stdout.len() < 400, "{program:?}: {ran:?}");
            (program.clone(), ran.stdout)
        };
        programs.iter().map(run).collect::<BTreeMap<PathBuf, String>>()
    });
    for (other, interpreter) in printed.iter().zip(all()) {
        assert_eq!(*other, printed[0], "{}", interpreter.path.display());
    }
}
