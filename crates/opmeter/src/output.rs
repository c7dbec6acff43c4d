//! Where a recording goes.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use opmeter_recording::{
    CLOSED_FOLDER, EVENTS_FOLDER, EnergyRow, LIVE_FOLDER, Manifest, Recording, RunRow, SourceRow, TableRow,
    is_recording,
};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::Failure;
use crate::private_folder;

/// What a command puts into a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Counts, and all that is measured with the agent.
    Counts,
    /// Energy, measured without it.
    Energy,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Energy => "energy",
        }
    }

    fn is_in(self, manifest: &Manifest) -> bool {
        match self {
            Self::Counts => manifest.has_counts(),
            Self::Energy => manifest.has_energy(),
        }
    }
}

/// Where the manifest of a recording is kept while counts are added.
const MANIFEST_ASIDE: &str = ".manifest.json.aside";

/// The folder of a recording that is being made. An older one in its place is kept aside until it is
/// certain that the new one begins.
pub struct Output {
    /// The folder.
    pub path: PathBuf,
    /// The recording of the same command that is there already and stays, where the other part is added to it.
    pub beside: Option<Recording>,
    replaced: Option<PathBuf>,
    /// Held as long as the recording is being made, so that no other command replaces it: the folder, and
    /// the one that it replaces.
    _locks: Vec<File>,
}

impl Output {
    /// Makes the folder: the one that was asked for, or a new one named after the command. Where the one that was
    /// asked for is a recording of this command that lacks this part, it is added there; energy also where there is
    /// some, with `force`.
    ///
    /// # Errors
    /// When it exists otherwise (and is not to be replaced, or is no recording), or can't be made.
    pub fn create(
        asked: Option<&Path>,
        force: bool,
        command: &[OsString],
        part: Part,
    ) -> Result<Self, Failure> {
        let Some(asked) = asked else { return Self::with_free_name(command) };
        let path = asked.to_owned();
        let (mut replaced, mut locks) = (None, Vec::new());
        if fs::symlink_metadata(&path).is_ok() {
            let manifest = Manifest::read(&path).ok();
            let is_same = manifest.as_ref().is_some_and(|manifest| manifest.command == words(command));
            let is_whole = [LIVE_FOLDER, CLOSED_FOLDER].iter().all(|name| !path.join(name).exists());
            let added = manifest.as_ref().filter(|_| is_same && is_whole).is_some_and(|manifest| {
                !part.is_in(manifest) || force && part == Part::Energy && Part::Counts.is_in(manifest)
            });
            if added {
                // Whose it is could lead what is written there elsewhere.
                let own =
                    fs::metadata(&path).and_then(|metadata| private_folder::require_own(&path, &metadata));
                own.map_err(|error| cannot(&path, "added to", &error))?;
                return Self { path, beside: None, replaced, _locks: locks }.begin()?.add();
            }
            if !force {
                let what = match &manifest {
                    Some(manifest) if is_same && is_whole && part.is_in(manifest) => {
                        format!("has {} already", part.name())
                    }
                    Some(_) if is_whole => "is a recording of another command".to_owned(),
                    _ => "exists already".to_owned(),
                };
                return Err(Failure::failed(format_args!(
                    "{} {what}; use --force to replace it, or another name with -o",
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
        let mut output = Self { path, beside: None, replaced, _locks: locks };
        if let Err(error) = create_folder(&output.path) {
            let failure = cannot(&output.path, "made", &error);
            output.restore();
            return Err(failure);
        }
        output.begin()
    }

    /// Makes a folder with a name that nothing has, not even what another command makes at this moment.
    fn with_free_name(command: &[OsString]) -> Result<Self, Failure> {
        for path in names(command) {
            match create_folder(&path) {
                Ok(()) => return Self { path, beside: None, replaced: None, _locks: Vec::new() }.begin(),
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

    /// Reads the recording that something is added to. Of its tables, those of counts stay on the
    /// disk.
    fn add(mut self) -> Result<Self, Failure> {
        let wanted = |table: &str| [EnergyRow::TABLE, RunRow::TABLE, SourceRow::TABLE].contains(&table);
        self.beside = Some(Recording::open_tables(&self.path, wanted).map_err(Failure::failed)?);
        Ok(self)
    }

    /// Takes the manifest away from a recording that counts are being added to: until they are, it is no whole one.
    pub fn set_manifest_aside(&self) -> io::Result<()> {
        if self.beside.is_none() {
            return Ok(());
        }
        fs::rename(self.path.join(Manifest::FILE), self.path.join(MANIFEST_ASIDE))
    }

    /// The new recording has begun: what it replaces goes.
    pub fn keep(&mut self) {
        if let Some(aside) = self.replaced.take() {
            let _ = fs::remove_dir_all(aside);
        }
        let _ = fs::remove_file(self.path.join(MANIFEST_ASIDE));
    }

    /// Takes the folder away again, because nothing came of it, and puts back what it replaced; or takes away what
    /// was begun beside what is there.
    pub fn discard(mut self) {
        if self.beside.is_none() {
            let _ = fs::remove_dir_all(&self.path);
            return self.restore();
        }
        for folder in [LIVE_FOLDER, CLOSED_FOLDER, EVENTS_FOLDER] {
            let _ = fs::remove_dir_all(self.path.join(folder));
        }
        let _ = fs::rename(self.path.join(MANIFEST_ASIDE), self.path.join(Manifest::FILE));
    }

    fn restore(&mut self) {
        if let Some(aside) = self.replaced.take() {
            let _ = fs::rename(aside, &self.path);
        }
    }
}

/// Makes a recording's folder, for the user alone.
fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// A command as the manifest has it.
pub fn words(command: &[OsString]) -> Vec<String> {
    command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
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
