//! Where a recording goes.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use opmeter_recording::is_recording;

use crate::error::Failure;

/// The folder of a recording that is being made. An older one in its place is kept aside until it is
/// certain that the new one begins.
pub struct Output {
    /// The folder.
    pub path: PathBuf,
    replaced: Option<PathBuf>,
}

impl Output {
    /// Makes the folder: the one that was asked for, or a new one named after the command.
    ///
    /// # Errors
    /// When it exists (and is not to be replaced, or is no recording), or can't be made.
    pub fn create(asked: Option<&Path>, force: bool, command: &[OsString]) -> Result<Self, Failure> {
        let path = asked.map_or_else(|| free_name(command), Path::to_owned);
        let mut replaced = None;
        if fs::symlink_metadata(&path).is_ok() {
            if !force {
                return Err(Failure::failed(format_args!(
                    "{} exists already; use --force to replace it, or another name with -o",
                    path.display()
                )));
            }
            if !is_recording(&path) {
                return Err(Failure::failed(format_args!(
                    "{} exists and is no recording, so it is not replaced; use another name with -o",
                    path.display()
                )));
            }
            let aside = with_suffix(&path, &format!(".replaced-{}", std::process::id()));
            fs::rename(&path, &aside).map_err(|error| cannot(&path, "replaced", &error))?;
            replaced = Some(aside);
        }
        let mut output = Self { path, replaced };
        if let Err(error) = fs::create_dir(&output.path) {
            let failure = cannot(&output.path, "made", &error);
            output.restore();
            return Err(failure);
        }
        // Children may run in other folders.
        output.path = fs::canonicalize(&output.path).unwrap_or(output.path);
        Ok(output)
    }

    /// The new recording has begun: what it replaces goes.
    pub fn keep(&mut self) {
        if let Some(aside) = self.replaced.take() {
            let _ = fs::remove_dir_all(aside);
        }
    }

    /// Takes the folder away again, because nothing came of it, and puts back what it replaced.
    pub fn discard(mut self) {
        let _ = fs::remove_dir_all(&self.path);
        self.restore();
    }

    fn restore(&mut self) {
        if let Some(aside) = self.replaced.take() {
            let _ = fs::rename(aside, &self.path);
        }
    }
}

fn cannot(path: &Path, done: &str, error: &io::Error) -> Failure {
    Failure::failed(format_args!("{} can't be {done}: {error}; choose another place with -o", path.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// `PROGRAM.opm` in the present folder, numbered where that is taken. The program is the first argument
/// that is a Python file or a module, or else the command.
fn free_name(command: &[OsString]) -> PathBuf {
    let script =
        command.iter().skip(1).find(|argument| Path::new(argument).extension().is_some_and(|e| e == "py"));
    let module = command.iter().position(|argument| argument == "-m").and_then(|at| command.get(at + 1));
    let program = module.or(script).or(command.first());
    let stem = program.and_then(|program| Path::new(program).file_stem()).unwrap_or_default();
    let stem = if stem.is_empty() { "opmeter".into() } else { stem.to_string_lossy() };
    (1..)
        .map(|n| PathBuf::from(if n == 1 { format!("{stem}.opm") } else { format!("{stem}-{n}.opm") }))
        .find(|path| fs::symlink_metadata(path).is_err())
        .unwrap_or_default()
}
