use std::fs::{self, DirBuilder};
use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::atomic_file::AtomicFile;
use crate::{EnergyRow, Error, Manifest, RunRow, TableRow, Tables, read_rows, tables};

/// The folder in a recording that holds the live counters while its command runs.
pub const LIVE_FOLDER: &str = "live";

/// Its name once the command has ended, from when on no process begins to count there.
pub const CLOSED_FOLDER: &str = "live.closed";

/// A whole recording, read into memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The recording's folder.
    pub path: PathBuf,
    /// What the recording says of itself.
    pub manifest: Manifest,
    /// What was counted.
    pub tables: Tables,
}

impl Recording {
    /// Writes a recording to the folder `path`, which is made if need be, for the user alone. Files of an older recording
    /// there are replaced; other files, the live counters among them, are left alone.
    ///
    /// Each file appears whole or not at all, the manifest last: a recording that could not be written to
    /// its end has no manifest, so it is never taken for a whole one. The manifest names the tables that
    /// were written, whatever `manifest` says of them.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder or a file in it can't be written.
    pub fn write(path: &Path, manifest: &Manifest, tables: &Tables) -> Result<(), Error> {
        create_folder(path)?;
        let old = path.join(Manifest::FILE);
        match fs::remove_file(&old) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(Error::io("replace", &old, source)),
        }
        tables.write(path)?;
        write_manifest(path, &Manifest { tables: tables.names(), ..manifest.clone() })
    }

    /// Adds runs without the agent, and what they cost, to the recording in the folder `path`, or makes one that has
    /// nothing else, of which `manifest` has to be the whole manifest. What the recording had of such runs is replaced;
    /// all else stays, also what else is in `tables`. Gives the manifest that was written.
    ///
    /// # Errors
    /// [`Error::Io`] where a file can't be written.
    pub fn write_runs(path: &Path, manifest: &Manifest, tables: &Tables) -> Result<Manifest, Error> {
        create_folder(path)?;
        tables.write_runs(path)?;
        let of_runs = [(RunRow::TABLE, tables.runs.is_empty()), (EnergyRow::TABLE, tables.energy.is_empty())];
        let others = manifest.tables.iter().filter(|table| of_runs.iter().all(|(name, _)| name != table));
        let written = of_runs.iter().filter(|(_, is_empty)| !is_empty).map(|(name, _)| (*name).to_owned());
        let manifest = Manifest { tables: others.cloned().chain(written).collect(), ..manifest.clone() };
        write_manifest(path, &manifest).map(|()| manifest)
    }

    /// Reads the recording in the folder `path`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::NotARecording`] or [`Error::Unfinished`] where there is no whole
    /// recording; [`Error::UnknownSchema`] where a newer Opmeter wrote it; [`Error::TornManifest`] or
    /// [`Error::TornTable`] where a file is damaged; [`Error::Io`] where one can't be read.
    pub fn open(path: &Path) -> Result<Recording, Error> {
        Self::open_tables(path, |_| true)
    }

    /// As [`Recording::open`], but reads only the tables whose names are `wanted`, for those of
    /// instructions can be long; the others are empty.
    ///
    /// # Errors
    /// As for [`Recording::open`], of what is read.
    pub fn open_tables(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Recording, Error> {
        if !path.join(Manifest::FILE).exists() {
            let path = path.to_owned();
            return Err(match fs::metadata(&path) {
                Ok(_) if is_in_the_making(&path) => Error::Unfinished { path },
                Ok(_) => Error::NotARecording { path },
                Err(error) if error.kind() == ErrorKind::NotFound => Error::Missing { path },
                Err(source) => Error::io("open", &path, source),
            });
        }
        let manifest = Manifest::read(path)?;
        let names: Vec<&str> =
            manifest.tables.iter().map(String::as_str).filter(|name| wanted(name)).collect();
        let tables = Tables::read(path, &names)?;
        Ok(Recording { path: path.to_owned(), manifest, tables })
    }
}

impl Recording {
    /// Reads one table of the recording in the folder `path`, also where it has no manifest.
    ///
    /// # Errors
    /// [`Error::Io`] where there is none, [`Error::TornTable`] where it is damaged.
    pub fn read_table<R: TableRow>(path: &Path) -> Result<Vec<R>, Error> {
        read_rows(&path.join(tables::file_name::<R>()))
    }
}

/// Makes a recording's folder, if need be, for the user alone.
fn create_folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| Error::io("create", path, source))
}

/// Writes the manifest of the recording in a folder, whole or not at all.
fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    AtomicFile::create(folder, Manifest::FILE)?.write_with(|file| {
        let mut file = BufWriter::new(file);
        manifest.write_json(&mut file)?;
        file.flush()
    })
}

/// Whether a recording has live counters.
fn is_in_the_making(path: &Path) -> bool {
    [LIVE_FOLDER, CLOSED_FOLDER].iter().any(|name| path.join(name).is_dir())
}

/// Whether `path` is a recording, whole or still being made: a folder that holds `manifest.json` or the
/// folder `live`.
pub fn is_recording(path: &Path) -> bool {
    path.join(Manifest::FILE).is_file() || is_in_the_making(path)
}
