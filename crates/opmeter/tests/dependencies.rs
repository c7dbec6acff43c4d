//! What others have made, and what is unsafe: which it is, what it is for, and that there is no more of it than the docs say.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Writes docs/dependencies.md anew, instead of comparing it.
const WRITE: &str = "OPMETER_WRITE_DOCS";

const HEADING: &str = "\
# Dependencies

What Opmeter takes from others, crate by crate: what each is for, in the words of the manifests, and under which
licence. Of several that would do, the one that is kept well and brings least with it was taken. `(tests)` are only
part of the tests. [trust.md](trust.md#dependencies) tells what is asked of them and of what they bring.

| crate | for | in | licence |
|---|---|---|---|
";

fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// A dependency of one of our crates.
struct Dependency {
    /// Its name in the manifest, which is the package's.
    name: String,
    is_for_tests: bool,
    /// The comment beside or above it.
    reason: String,
    /// What it is required to be.
    requirement: String,
}

/// The dependencies that a manifest names, in its order.
fn dependencies(manifest: &Path) -> Vec<Dependency> {
    let content = fs::read_to_string(manifest).unwrap();
    let (mut found, mut section, mut above) = (Vec::new(), "", Vec::new());
    for line in content.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            above.push(comment.trim());
            continue;
        }
        if line.starts_with('[') {
            section = line;
        }
        let is_one = ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"].contains(&section);
        if let Some((name, rest)) = line.split_once(" = ").filter(|_| is_one) {
            let (requirement, beside) = rest.split_once(" # ").unwrap_or((rest, ""));
            let reason = if above.is_empty() { beside.trim().to_owned() } else { above.join(" ") };
            found.push(Dependency {
                name: name.to_owned(),
                is_for_tests: section == "[dev-dependencies]",
                reason,
                requirement: requirement.trim().to_owned(),
            });
        }
        above.clear();
    }
    found
}

/// Our crates' manifests, by the crates' names.
fn manifests() -> BTreeMap<String, PathBuf> {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    crates
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path.join("Cargo.toml")))
        .collect()
}

#[test]
fn each_dependency_is_told_with_what_it_is_for() {
    let metadata = metadata();
    let licence: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (text(package, "name"), text(package, "license")))
        .collect();
    // By name and whether all of it is tests: what for, and in which crates.
    let mut rows: BTreeMap<String, (bool, Vec<String>, BTreeSet<String>)> = BTreeMap::new();
    for (crate_name, manifest) in manifests() {
        for dependency in dependencies(&manifest) {
            if dependency.name.starts_with("opmeter") {
                continue;
            }
            assert!(
                !dependency.reason.is_empty(),
                "{crate_name} does not say what {} is for",
                dependency.name
            );
            assert!(!dependency.requirement.contains('*') && !dependency.requirement.contains("git"));
            let (only_tests, reasons, crates) =
                rows.entry(dependency.name).or_insert((true, Vec::new(), BTreeSet::new()));
            *only_tests &= dependency.is_for_tests;
            let reason = dependency.reason.trim_end_matches('.').to_owned();
            if !reasons.iter().any(|known| known.eq_ignore_ascii_case(&reason)) {
                reasons.push(reason);
            }
            crates.insert(crate_name.trim_start_matches("opmeter-").to_owned());
        }
    }
    let mut page = HEADING.to_owned();
    for (name, (only_tests, reasons, crates)) in rows {
        let tests = if only_tests { " (tests)" } else { "" };
        let (reasons, crates) = (reasons.join("; "), crates.into_iter().collect::<Vec<_>>().join(", "));
        let licence = licence.get(name.as_str()).copied().unwrap_or_default();
        page += &format!("| `{name}`{tests} | {reasons} | {crates} | {licence} |\n");
    }
    let path = root().join("docs/dependencies.md");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/dependencies.md is not what the manifests say; {WRITE}=1 writes it anew:\n{page}"
    );
}

/// The texts in quotes behind a key of a file such as deny.toml, up to the end of its list.
fn list(content: &str, key: &str) -> Vec<String> {
    let start = content.find(&format!("\n{key} = [")).unwrap();
    let rest = &content[start..];
    let end = rest.find("\n]").into_iter().chain(rest.find("]\n")).min().unwrap();
    rest[..end].split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether what a package says of its licence lets one of these be chosen.
fn is_allowed(licence: &str, allowed: &[String]) -> bool {
    let licence = licence.replace('/', " OR ").replace(['(', ')'], "");
    licence
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|one| allowed.iter().any(|allowed| *allowed == one.trim())))
}

/// What is part of our crates, builds or tests them, crates of our own left out: `name vVERSION`, and the licence.
fn built() -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--workspace", "--locked", "--target", "x86_64-unknown-linux-gnu", "--prefix", "none"])
        .args(["--edges", "normal,build,dev", "--format", "{p}|{l}|"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates = text.lines().filter_map(|line| {
        let (package, rest) = line.split_once('|')?;
        let package = package.trim_end_matches(" (proc-macro)").to_owned();
        Some((package, rest.split('|').next()?.to_owned()))
    });
    crates.filter(|(package, _)| !package.starts_with("opmeter")).collect()
}

#[test]
fn licences_versions_and_sources_are_those_that_deny_toml_allows() {
    let rules = fs::read_to_string(root().join("deny.toml")).unwrap();
    let (allowed, skipped) = (list(&rules, "allow"), list(&rules, "skip"));
    assert!(is_allowed("MIT OR Apache-2.0", &allowed) && !is_allowed("GPL-3.0-only AND MIT", &allowed));
    let built = built();
    assert!(built.len() > 50, "{built:?}");
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (package, licence) in &built {
        // A source that is not crates.io stands behind the version.
        let (name, version) = package.split_once(" v").unwrap();
        assert!(!version.contains(' '), "{package} is not from crates.io");
        assert!(is_allowed(licence, &allowed), "{package}: {licence}");
        versions.entry(name).or_default().push(version);
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let told = skipped.iter().filter(|skip| {
            let (skip, version) = skip.split_once('@').unwrap_or((skip, ""));
            skip == *name && versions.iter().any(|one| one.starts_with(version))
        });
        assert!(
            told.count() + 1 >= versions.len(),
            "{name} comes in the versions {versions:?}; see deny.toml"
        );
    }
    // The lock file has the fingerprints of what is on crates.io.
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let sources: BTreeSet<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    assert_eq!(
        Vec::from_iter(sources),
        ["source = \"registry+https://github.com/rust-lang/crates.io-index\""]
    );
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What stands in a line before a comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[test]
fn only_the_agent_has_unsafe_code_and_says_why_it_is_sound() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("\nunsafe_code = \"deny\"\n"));
    let agent = root().join("crates/opmeter-agent");
    for (name, manifest) in manifests() {
        let content = fs::read_to_string(manifest).unwrap();
        if name == "opmeter-agent" {
            assert!(content.contains("\nundocumented_unsafe_blocks = \"deny\"\n"));
        } else {
            assert!(content.contains("[lints]\nworkspace = true\n"), "{name} has lints of its own");
        }
    }
    let mut files = Vec::new();
    ["crates", "benches", "tests"].iter().for_each(|folder| sources(&root().join(folder), &mut files));
    let (mut blocks, word) = (0, format!("{}safe", "un"));
    for path in files {
        let content = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = content.lines().collect();
        for (place, line) in lines.iter().enumerate() {
            let place_of = || format!("{}:{}", path.display(), place + 1);
            let is_lint = |level: &str| code(line).contains(&format!("{level}({word}_code"));
            assert!(!is_lint("allow") && !is_lint("expect"), "{}", place_of());
            let is_block = [" {", " impl", " fn", " extern"].iter().any(|rest| {
                let what = format!("{word}{rest}");
                code(line).split('"').step_by(2).any(|code| code.contains(&what))
            });
            if !is_block {
                continue;
            }
            assert!(path.starts_with(&agent), "{}", place_of());
            let is_call =
                code(line).contains(&format!("{word} {{")) || code(line).contains(&format!("{word} impl"));
            if is_call {
                blocks += 1;
                let before = &lines[place.saturating_sub(12)..place];
                assert!(before.iter().any(|line| line.contains("// SAFETY: ")), "{}", place_of());
            }
        }
    }
    assert!(blocks > 50, "{blocks}");
}
