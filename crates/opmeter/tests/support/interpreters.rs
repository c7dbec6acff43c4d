//! The CPython interpreters of this machine.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An interpreter that can be metered.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// Its executable.
    pub path: PathBuf,
    /// Major and minor version.
    pub version: (u32, u32),
    /// Whether it has no global lock.
    pub free_threaded: bool,
}

/// Lists more interpreters, separated by colons.
const VARIABLE: &str = "OPMETER_TEST_PYTHONS";

const QUESTION: &str = "import sys; \
    print(*sys.version_info[:3], sys.executable, sys.implementation.name, \
    int(not getattr(sys, '_is_gil_enabled', lambda: True)()))";

/// All interpreters, one for each build: `python3` and `python3.x` in `PATH`, those of pyenv, and those that
/// the environment names. The tests need one at least.
pub fn all() -> &'static [Interpreter] {
    static FOUND: OnceLock<Vec<Interpreter>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found = BTreeMap::new();
        for candidate in candidates() {
            if let Some((full, interpreter)) = ask(&candidate) {
                found.entry((full, interpreter.path.clone())).or_insert(interpreter);
            }
        }
        assert!(!found.is_empty(), "no CPython from 3.8 to 3.15 was found; install python3");
        found.into_values().collect()
    })
}

/// One interpreter of each minor version.
pub fn one_of_each_version() -> Vec<&'static Interpreter> {
    let mut found = BTreeMap::new();
    for interpreter in all() {
        found.entry((interpreter.version, interpreter.free_threaded)).or_insert(interpreter);
    }
    found.into_values().collect()
}

/// Some interpreter: the newest with a global lock.
pub fn any() -> &'static Interpreter {
    let all = all();
    all.iter().rev().find(|interpreter| !interpreter.free_threaded).unwrap_or(&all[0])
}

fn candidates() -> Vec<PathBuf> {
    let mut candidates: Vec<PathBuf> =
        env::var_os(VARIABLE).iter().flat_map(env::split_paths).filter(|path| path.is_absolute()).collect();
    for folder in env::var_os("PATH").iter().flat_map(env::split_paths) {
        candidates.push(folder.join("python3"));
        candidates.extend((8..=15).map(|minor| folder.join(format!("python3.{minor}"))));
    }
    let versions = Path::new(&env::var_os("HOME").unwrap_or_default()).join(".pyenv/versions");
    candidates
        .extend(versions.read_dir().into_iter().flatten().flatten().map(|e| e.path().join("bin/python")));
    candidates
}

fn ask(candidate: &Path) -> Option<([u32; 3], Interpreter)> {
    let output = Command::new(candidate).args(["-c", QUESTION]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [major, minor, micro, path, "cpython", free_threaded] = words[..] else { return None };
    let version: (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    let known = version.0 == 3 && (8..=15).contains(&version.1);
    let path = std::fs::canonicalize(path).ok()?;
    let full = [version.0, version.1, micro.parse().ok()?];
    known.then_some((full, Interpreter { path, version, free_threaded: free_threaded == "1" }))
}
