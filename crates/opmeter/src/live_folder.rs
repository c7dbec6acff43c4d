//! The folder in which processes count while the command runs.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use opmeter_files::{LONGEST_TEXT, PRIVATE, create_anew, read_whole};
use opmeter_live::{CONTROL_NAME, CONTROL_SIZE, Control};
use opmeter_recording::{
    CLOSED_FOLDER, Collected, EnergyRow, Error, LIVE_FOLDER, Manifest, Outliving, Recording, RunRow, TableRow,
};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// The manifest as far as it is known when the command starts.
const DRAFT: &str = "draft.json";

/// How often it is tried to take the folder away.
const REMOVALS: u32 = 10;

/// What agents are asked to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// Let interpreters that can't be metered run all the same.
    pub best_effort: bool,
    /// Count pairs of opcodes.
    pub pairs: bool,
    /// Take times in this share of the run.
    pub time: Option<f64>,
    /// Tell every execution as an event.
    pub events: bool,
}

/// The folder of live counters of a recording.
pub struct LiveFolder {
    /// Its path.
    pub path: PathBuf,
}

impl LiveFolder {
    /// Makes the folder in a recording's, with its control file and a draft of the manifest.
    ///
    /// # Errors
    /// When a file can't be made or has no room on the disk.
    pub fn create(recording: &Path, wishes: Wishes, draft: &Manifest) -> io::Result<Self> {
        let path = recording.join(LIVE_FOLDER);
        // Its files say what the command runs, and whoever can write to them can change the counts.
        DirBuilder::new().mode(0o700).create(&path)?;
        let control = create_anew(&path.join(CONTROL_NAME), PRIVATE)?;
        // Room is taken now, so that no process fails for want of it when it writes.
        match fallocate(&control, FallocateFlags::empty(), 0, CONTROL_SIZE as u64) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            other => other?,
        }
        let mut words = [0u8; CONTROL_SIZE];
        words[Control::BestEffort as usize * 8] = u8::from(wishes.best_effort);
        words[Control::Pairs as usize * 8] = u8::from(wishes.pairs);
        words[Control::Events as usize * 8] = u8::from(wishes.events);
        let share = (wishes.time.unwrap_or(0.0) * 65536.0).ceil() as u32;
        let at = Control::TimeShare as usize * 8;
        words[at..at + 4].copy_from_slice(&share.to_le_bytes());
        (&control).write_all(&words)?;
        create_anew(&path.join(DRAFT), PRIVATE)?.write_all(&serde_json::to_vec(draft)?)?;
        Ok(Self { path })
    }

    /// The folder in a recording whose command did not end in good order, if there is one.
    pub fn of(recording: &Path) -> Option<Self> {
        let paths = [LIVE_FOLDER, CLOSED_FOLDER].map(|name| recording.join(name));
        paths.into_iter().find(|path| path.is_dir()).map(|path| Self { path })
    }

    /// Lets no more processes begin to count in it. Those that do already go on.
    pub fn close(&mut self) {
        let closed = self.path.with_file_name(CLOSED_FOLDER);
        // Where the program has taken the folder away, nobody counts in it either.
        if fs::rename(&self.path, &closed).is_ok() {
            self.path = closed;
        }
    }

    /// What the processes have counted so far, of which the command has left some running.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn collect(&self, outliving: &[Outliving]) -> Result<Collected, Error> {
        Collected::from_live(&self.path, outliving)
    }

    /// The recording as far as it has come, for one that has no manifest.
    ///
    /// # Errors
    /// When the folder, or the energy beside it, can't be read.
    pub fn recover(&self, recording: &Path) -> Result<Recording, Error> {
        let collected = self.collect(&[])?;
        let draft = read_whole(&self.path.join(DRAFT), LONGEST_TEXT).unwrap_or_default();
        let mut manifest: Manifest = serde_json::from_slice(&draft).unwrap_or_default();
        manifest.complete = false;
        manifest.incomplete =
            vec!["the recording was interrupted; these are the counts up to then".to_owned()];
        manifest.incomplete.extend(collected.incomplete);
        manifest.processes = collected.processes;
        let mut tables = collected.tables;
        if manifest.energy.is_some() {
            // Counts were being added to it.
            tables.energy = Recording::read_table(recording)?;
            tables.runs = Recording::read_table(recording)?;
            manifest.tables.extend([EnergyRow::TABLE, RunRow::TABLE].map(str::to_owned));
        }
        Ok(Recording { path: recording.to_owned(), manifest, tables })
    }

    /// Takes the folder away: all it held is in the recording.
    pub fn remove(self) {
        // A process that was just about to make a file may have done so in the meantime.
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                _ => return,
            }
        }
    }
}
