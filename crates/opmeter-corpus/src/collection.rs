use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use opmeter_recording::{Manifest, Recording, is_recording};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::interpreter::name_of;
use crate::results::PARTIAL;
use crate::{Config, Error, JobOutcome, JobResult, VersionName};

/// How deep folders are looked through.
const DEPTH: usize = 24;

/// All results in some folders, and what in them is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collection {
    /// The results, in the order of their paths.
    pub results: Vec<CollectedResult>,
    /// What is no result that can be used.
    pub skipped: Vec<Skipped>,
}

/// A recording in a folder of results.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedResult {
    /// The recording's folder.
    pub path: PathBuf,
    /// What it was measured of; none of a recording that was made by itself.
    pub result: Option<JobResult>,
    /// What the recording says of itself.
    pub manifest: Manifest,
}

/// What is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why it is left out: a sentence without a full stop.
    pub reason: String,
}

impl CollectedResult {
    /// The program's name: its path from its folder on; or the command, of a recording that was made by itself.
    pub fn program(&self) -> String {
        self.result.as_ref().map_or_else(|| self.manifest.command.join(" "), |result| result.program.clone())
    }

    /// The interpreter's name, such as `cpython 3.11.7`; several of a recording with processes on several.
    pub fn interpreter(&self) -> String {
        if let Some(result) = &self.result {
            return name_of(&result.implementation, &result.python, result.free_threaded);
        }
        let mut names: Vec<String> = Vec::new();
        for process in self.manifest.processes.iter().filter(|process| !process.python.is_empty()) {
            let implementation = process.implementation.to_lowercase();
            let name = name_of(&implementation, &process.python, process.free_threaded);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }

    /// The path of its interpreter; of a recording, of the first of its processes.
    pub fn executable(&self) -> &str {
        match &self.result {
            Some(result) => &result.executable,
            None => self.manifest.processes.first().map_or("", |process| &process.executable),
        }
    }

    /// What it has in common with copies of it: any of these.
    fn identities(&self) -> Vec<String> {
        let place = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut identities = vec![format!("at {}", place.display())];
        if let Some(result) = &self.result {
            identities.push(format!("of {} {}", result.key, result.finished));
        }
        // No two recordings begin at the same moment, with the same processes.
        if !self.manifest.started.is_empty() {
            identities.extend(serde_json::to_string(&self.manifest));
        }
        identities
    }

    /// What is damaged of what tables are made of, as far as that can be seen without reading all events.
    fn fault(&self) -> Option<String> {
        let wanted =
            |table: &str| ["opcodes", "distributions", "event_sites", "runs", "energy"].contains(&table);
        if let Err(error) = Recording::open_tables(&self.path, wanted) {
            return Some(error.to_string());
        }
        let events = self.manifest.processes.iter().filter_map(|process| process.events.as_ref());
        events.filter_map(|summary| summary.fault(&self.path)).next()
    }

    /// Whether its interpreter is the one that is asked for: by a version such as `3.11`, by its name or the
    /// beginning of it, such as `pypy` or `cpython 3.11`, or by its path.
    pub fn is_on(&self, python: &str) -> bool {
        let is_named = |implementation: &str, version: &str, free_threaded: bool| {
            let version_asked = python.strip_prefix(implementation).map_or(python, str::trim_start);
            python == implementation
                || VersionName::parse(version_asked).is_some_and(|asked| asked.is_of(version, free_threaded))
        };
        self.executable() == python
            || match &self.result {
                Some(result) => is_named(&result.implementation, &result.python, result.free_threaded),
                None => self.manifest.processes.iter().any(|process| {
                    is_named(&process.implementation.to_lowercase(), &process.python, process.free_threaded)
                }),
            }
    }
}

impl Collection {
    /// Looks through folders: of results, of recordings, or recordings themselves. What can't be read, is of a newer
    /// Opmeter, failed, is in the making, or is nothing of ours, is named with its reason.
    ///
    /// # Errors
    /// [`Error::Io`] where one of the folders can't be read at all.
    pub fn of(folders: &[PathBuf]) -> Result<Self, Error> {
        let mut collection = Self::default();
        for folder in folders {
            fs::read_dir(folder).map_err(|source| Error::io("read", folder, source))?;
            collection.look_through(folder, DEPTH);
        }
        collection.leave_out_copies();
        Ok(collection)
    }

    fn look_through(&mut self, folder: &Path, depth: usize) {
        if is_recording(folder) {
            return self.take(folder);
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.skip(folder, unreadable(&error)),
        };
        let is_ours = folder.extension().is_some_and(|extension| extension == "opm" || extension == "failed");
        match JobResult::look(folder) {
            Ok(Some(JobResult { outcome: JobOutcome::Failed { step, reason, .. }, .. })) => {
                return self.skip(folder, format!("it failed in its {}: {reason}", step.name()));
            }
            Err(reason) if is_ours => return self.skip(folder, reason),
            _ if is_ours => {
                return self.skip(folder, "it has neither a manifest nor a whole result.json".to_owned());
            }
            _ => {}
        }
        if depth == 0 {
            return self.skip(folder, "it lies too deep in the folder".to_owned());
        }
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default();
            if name == PARTIAL {
                let recordings = fs::read_dir(&path).into_iter().flatten().flatten();
                let begun = recordings.map(|entry| entry.path()).filter(|path| is_recording(path));
                begun.for_each(|path| self.skip(&path, "it is in the making".to_owned()));
            } else if path.is_dir() && !path.is_symlink() {
                self.look_through(&path, depth - 1);
            } else if path.is_dir() {
                self.skip(&path, "it is a link to a folder, which is not followed".to_owned());
            } else if !is_expected(&path) {
                self.skip(&path, "it is no result of Opmeter".to_owned());
            }
        }
    }

    fn take(&mut self, folder: &Path) {
        if !folder.join(Manifest::FILE).exists() {
            return self.skip(folder, without_manifest(folder));
        }
        match (Manifest::read(folder), JobResult::look(folder)) {
            (Ok(manifest), Ok(result)) => {
                self.results.push(CollectedResult { path: folder.to_owned(), result, manifest });
            }
            (Err(error), _) => self.skip(folder, error.to_string()),
            (_, Err(reason)) => self.skip(folder, reason),
        }
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.skipped.push(Skipped { path: path.to_owned(), reason });
    }

    /// Leaves out results that are there twice: where shards were copied into folders of their own, or where a folder is
    /// named twice. Of those that are the same, the first that can be read stays.
    fn leave_out_copies(&mut self) {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (place, collected) in self.results.iter().enumerate() {
            let identities = collected.identities();
            let group = identities.iter().find_map(|identity| known.get(identity)).copied();
            let group = group.unwrap_or_else(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(place);
            known.extend(identities.into_iter().map(|identity| (identity, group)));
        }
        let mut copies: BTreeMap<usize, String> = BTreeMap::new();
        for group in groups.iter().filter(|group| group.len() > 1) {
            let mut faults = group.iter().map(|place| self.results[*place].fault());
            let unusable: Vec<String> = faults.by_ref().map_while(|fault| fault).collect();
            // None can be read: the first stays, and what is wrong with it is said when it is.
            let chosen = if unusable.len() == group.len() { 0 } else { unusable.len() };
            let path = self.results[group[chosen]].path.display().to_string();
            for (number, place) in group.iter().enumerate().filter(|(number, _)| *number != chosen) {
                let reason = match unusable.get(number).filter(|_| number < chosen) {
                    Some(fault) => format!("{fault}; {path} is the same, and is taken instead"),
                    None => format!("it is the same as {path}"),
                };
                copies.insert(*place, reason);
            }
        }
        let mut place = 0;
        let skipped = &mut self.skipped;
        self.results.retain(|collected| {
            let reason = copies.remove(&place);
            place += 1;
            let stays = reason.is_none();
            skipped.extend(reason.map(|reason| Skipped { path: collected.path.clone(), reason }));
            stays
        });
    }
}

/// Why a folder can't be looked into.
fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => {
            format!("it can't be read: {error}; its user alone may, until that is changed")
        }
        _ => format!("it can't be read: {error}"),
    }
}

/// Why there is no manifest in a folder with live counters.
fn without_manifest(folder: &Path) -> String {
    // Whoever records holds a lock on it.
    let lock = File::open(folder).map(|file| flock(&file, FlockOperation::NonBlockingLockShared));
    if matches!(lock, Ok(Err(Errno::WOULDBLOCK))) {
        return "it is being recorded at this moment; wait for its command to end".to_owned();
    }
    "its recording was interrupted, so that its counts are those of a part of the program; `opmeter report` shows them, \
     or record it again"
        .to_owned()
}

/// Whether a file beside results is one that is to be there: programs and what says how they are measured.
fn is_expected(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".py") || [Config::FILE, "synthesized.toml", "range.toml"].contains(&&*name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use opmeter_recording::{Machine, Recording, Tables};

    use super::*;
    use crate::job::tests::job;
    use crate::{Results, Step};

    #[test]
    fn results_are_found_and_all_else_is_named_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(&folder.path().join("results")).unwrap();
        let result = |outcome| {
            JobResult::new(&job(), outcome, Machine::default(), "0.1.0", "2026-01-01T00:00:00Z".to_owned())
        };
        let claim = results.claim(&job()).unwrap().unwrap();
        Recording::write(&claim.recording, &Manifest::default(), &Tables::default()).unwrap();
        results.finish(&job(), claim, &result(JobOutcome::Done)).unwrap();
        let mut other = job();
        other.program.place = PathBuf::from("b.py");
        let claim = results.claim(&other).unwrap().unwrap();
        let outcome =
            JobOutcome::Failed { step: Step::Trial, reason: "no".into(), exit: None, timed_out: false };
        results.fail(&other, claim, &result(outcome)).unwrap();
        let root = results.folder();
        let whole = results.recording(&job());
        let write = |path: &str, text: &str| {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        };
        write("torn.opm/manifest.json", "{\"schema_version\": 1,");
        write("newer.opm/manifest.json", "{\"schema_version\": 99}");
        write("empty.opm/nothing", "");
        write("notes.txt", "");
        write("a program.py", "");
        write(".partial/12.opm/live/x", "");
        symlink(&whole, root.join("linked")).unwrap();
        let copy = root.join("copy/a.py");
        fs::create_dir_all(&copy).unwrap();
        let copied = std::process::Command::new("cp").arg("-r").arg(&whole).arg(&copy).status().unwrap();
        assert!(copied.success());

        let collection = Collection::of(&[folder.path().to_owned()]).unwrap();
        assert_eq!(collection.results.len(), 1);
        assert_eq!(collection.results[0].program(), "a.py");
        assert_eq!(collection.results[0].interpreter(), "cpython 3.11.7");
        let path = collection.results[0].executable();
        for asked in ["3.11", "3.11.7", "cpython", "cpython 3.11", "cpython 3.11.7", path] {
            assert!(collection.results[0].is_on(asked), "{asked}");
        }
        for asked in ["3.1", "3.11t", "pypy", "pypy 3.11", "python3.11", "cpython 3.8", ""] {
            assert!(!collection.results[0].is_on(asked), "{asked}");
        }
        let reason = |path: &str| {
            let skipped =
                collection.skipped.iter().find(|skipped| skipped.path.to_string_lossy().contains(path));
            skipped.unwrap_or_else(|| panic!("{path}: {:?}", collection.skipped)).reason.clone()
        };
        assert!(reason("torn.opm").contains("the manifest is damaged"));
        assert!(reason("newer.opm").contains("schema version 99"));
        assert!(reason("empty.opm").contains("neither a manifest"));
        assert!(reason("notes.txt").contains("no result of Opmeter"));
        assert!(reason("12.opm").contains("in the making"));
        assert!(reason("linked").contains("not followed"));
        assert!(reason("b.py").contains("failed in its trial run: no"));
        assert!(collection.skipped.iter().any(|skipped| skipped.reason.starts_with("it is the same as")));
        assert_eq!(collection.skipped.len(), 8, "{:?}", collection.skipped);
        assert!(Collection::of(&[folder.path().join("none")]).is_err());
    }
}
