//! Where a recording goes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use opmeter_recording::is_recording;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::Failure;

/// The folder of a recording that is being made. An older one in its place is kept aside until it is
/// certain that the new one begins.
pub struct Output {
    /// The folder.
    pub path: PathBuf,
    replaced: Option<PathBuf>,
    /// Held as long as the recording is being made, so that no other command replaces it: the folder, and
    /// the one that it replaces.
    _locks: Vec<File>,
}

impl Output {
    /// Makes the folder: the one that was asked for, or a new one named after the command.
    ///
    /// # Errors
    /// When it exists (and is not to be replaced, or is no recording), or can't be made.
    pub fn create(asked: Option<&Path>, force: bool, command: &[OsString]) -> Result<Self, Failure> {
        let Some(asked) = asked else { return Self::with_free_name(command) };
        let path = asked.to_owned();
        let (mut replaced, mut locks) = (None, Vec::new());
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
            locks.extend(lock(&path)?);
            let aside = with_suffix(&path, &format!(".replaced-{}", std::process::id()));
            fs::rename(&path, &aside).map_err(|error| cannot(&path, "replaced", &error))?;
            replaced = Some(aside);
        }
        let mut output = Self { path, replaced, _locks: locks };
        if let Err(error) = fs::create_dir(&output.path) {
            let failure = cannot(&output.path, "made", &error);
            output.restore();
            return Err(failure);
        }
        output.begin()
    }

    /// Makes a folder with a name that nothing has, not even what another command makes at this moment.
    fn with_free_name(command: &[OsString]) -> Result<Self, Failure> {
        for path in names(command) {
            match fs::create_dir(&path) {
                Ok(()) => return Self { path, replaced: None, _locks: Vec::new() }.begin(),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot(&path, "made", &error)),
            }
        }
        Err(Failure::failed("all names for the recording are taken; choose one with -o"))
    }

    fn begin(mut self) -> Result<Self, Failure> {
        self._locks.extend(lock(&self.path)?);
        // Children may run in other folders.
        self.path = fs::canonicalize(&self.path).unwrap_or(self.path);
        Ok(self)
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

/// Locks a recording's folder, on file systems that have locks.
fn lock(folder: &Path) -> Result<Option<File>, Failure> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Err(Failure::failed(format_args!(
            "{} is being recorded at this moment; wait for that, or use another name with -o",
            folder.display()
        ))),
        Err(_) => Ok(None),
    }
}

/// `PROGRAM.opm` in the present folder, and numbered names should that be taken. The program is the first
/// argument that is a Python file or a module, or else the command.
fn names(command: &[OsString]) -> impl Iterator<Item = PathBuf> {
    let script =
        command.iter().skip(1).find(|argument| Path::new(argument).extension().is_some_and(|e| e == "py"));
    let module = command.iter().position(|argument| argument == "-m").and_then(|at| command.get(at + 1));
    let program = module.or(script).or(command.first());
    let stem = program.and_then(|program| Path::new(program).file_stem()).unwrap_or_default();
    let stem = if stem.is_empty() { "opmeter".to_owned() } else { stem.to_string_lossy().into_owned() };
    (1..1_000_000)
        .map(move |n| PathBuf::from(if n == 1 { format!("{stem}.opm") } else { format!("{stem}-{n}.opm") }))
}
