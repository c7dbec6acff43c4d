use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opmeter_recording::sha256_of_bytes;
use serde::Deserialize;

use crate::{Error, VersionName};

/// What an interpreter is asked to run: it says who it is, on a line of its own.
const QUESTION: &str = "\
import json, sys
print('\\n' + json.dumps(dict(
    executable=sys.executable, implementation=sys.implementation.name,
    python='.'.join(map(str, sys.version_info[:3])) + {'final': ''}.get(sys.version_info[3], sys.version_info[3]),
    build=sys.version, prefix=sys.prefix,
    free_threaded=not getattr(sys, '_is_gil_enabled', lambda: True)())))
";

/// A Python interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Its executable, as it is started.
    pub path: PathBuf,
    /// Its implementation, such as `cpython`.
    pub implementation: String,
    /// Its version, such as `3.11.7`.
    pub python: String,
    /// Whether it runs without the global lock.
    pub free_threaded: bool,
    /// What tells it from others of the same version: a hash of its build and of where its libraries are.
    pub identity: String,
}

#[derive(Deserialize)]
struct Answer {
    executable: PathBuf,
    implementation: String,
    python: String,
    build: String,
    prefix: String,
    free_threaded: bool,
}

impl Interpreter {
    /// Finds an interpreter: by its path (from `folder` on, if it is not absolute), its name in `PATH`, or its
    /// version, such as `3.8` or `3.8.18`, among those in `PATH` and those of pyenv.
    ///
    /// # Errors
    /// [`Error::NoInterpreter`] where there is none, or it does not say who it is.
    pub fn find(name: &str, folder: &Path) -> Result<Self, Error> {
        let version = VersionName::parse(name);
        let mut failed = "nothing of that name was found".to_owned();
        for candidate in candidates(name, folder) {
            match Self::ask(&candidate) {
                Ok(found) if version.as_ref().is_some_and(|version| !found.is_of(version)) => {
                    failed = format!("{} is {}", candidate.display(), found.name());
                }
                Ok(found) => return Ok(found),
                Err(reason) => failed = reason,
            }
        }
        Err(Error::NoInterpreter { name: name.to_owned(), reason: failed })
    }

    fn is_of(&self, version: &VersionName) -> bool {
        version.is_of(&self.python, self.free_threaded)
    }

    /// Its name for people, such as `cpython 3.13.0t`.
    pub fn name(&self) -> String {
        name_of(&self.implementation, &self.python, self.free_threaded)
    }

    /// Its name in results: `cpython-3.11.7-` and the beginning of its identity.
    pub fn slug(&self) -> String {
        format!("{}-{}", self.name().replace(' ', "-"), &self.identity[..6])
    }

    fn ask(path: &Path) -> Result<Self, String> {
        let output = Command::new(path)
            .args(["-c", QUESTION])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{} can't be started: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let answer = text.lines().rev().find_map(|line| serde_json::from_str::<Answer>(line).ok());
        let Some(answer) = answer else {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim().lines().last().unwrap_or("nothing").to_owned();
            return Err(format!("{} is no Python interpreter (it said: {said})", path.display()));
        };
        // An interpreter in a virtual environment is known by its path there; what shims lead to, by itself.
        let named = if path.is_absolute() && !is_shim(path) { path.to_owned() } else { answer.executable };
        Ok(Self {
            identity: sha256_of_bytes(format!("{}\0{}", answer.build, answer.prefix).as_bytes()),
            path: named,
            implementation: answer.implementation,
            python: answer.python,
            free_threaded: answer.free_threaded,
        })
    }
}

/// The name of an interpreter: its implementation and version, with a `t` where it runs without the global lock.
pub(crate) fn name_of(implementation: &str, python: &str, free_threaded: bool) -> String {
    format!("{implementation} {python}{}", if free_threaded { "t" } else { "" })
}

/// Whether a path is that of one of pyenv's shims, which take long to find what they stand for.
fn is_shim(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.ends_with("shims"))
}

/// What an interpreter of this name may be.
fn candidates(name: &str, folder: &Path) -> Vec<PathBuf> {
    if name.contains('/') {
        return vec![folder.join(name)];
    }
    let search = env::var_os("PATH").unwrap_or_default();
    let in_path = |file: &OsStr| {
        let found = env::split_paths(&search).map(|folder| folder.join(file)).filter(|path| path.is_file());
        found.collect::<Vec<PathBuf>>()
    };
    let Some(version) = VersionName::parse(name) else { return in_path(OsStr::new(name)) };
    let mut candidates = in_path(OsStr::new(&version.command()));
    let versions = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".pyenv"));
    let installed = versions.join("versions").read_dir().into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> = installed
        .filter(|entry| version.begins(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path().join("bin/python"))
        .collect();
    // The newest first.
    installed.sort_by_key(|path| std::cmp::Reverse(numbers(path)));
    candidates.extend(installed);
    candidates.extend(["python3", "python"].into_iter().flat_map(|name| in_path(OsStr::new(name))));
    candidates
}

/// The numbers in a path, by which versions are in order.
fn numbers(path: &Path) -> Vec<u32> {
    let text = path.to_string_lossy();
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_is_found_by_name_path_and_version() {
        let found = Interpreter::find("python3", Path::new("/")).unwrap();
        assert!(found.path.is_absolute() && found.python.starts_with("3."), "{found:?}");
        assert!(found.slug().starts_with(&format!("{}-{}", found.implementation, found.python)));
        let again = Interpreter::find(found.path.to_str().unwrap(), Path::new("/nowhere")).unwrap();
        assert_eq!(again.identity, found.identity);
        let minor = found.python.splitn(3, '.').take(2).collect::<Vec<&str>>().join(".");
        assert!(Interpreter::find(&minor, Path::new("/")).unwrap().python.starts_with(&minor));
    }

    #[test]
    fn what_is_no_interpreter_is_told_with_the_reason() {
        let failure = |name: &str| Interpreter::find(name, Path::new("/")).unwrap_err().to_string();
        assert!(failure("no-such-python").contains("nothing of that name"));
        assert!(failure("3.99").contains("there is no interpreter 3.99"));
        assert!(failure("/bin/true").contains("is no Python interpreter (it said: nothing)"));
        assert!(failure("/no/such/python").contains("can't be started"));
    }
}
