//! The folder in which processes count while the command runs.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use opmeter_files::{LONGEST_TEXT, PRIVATE, create_anew, read_whole};
use opmeter_live::{CONTROL_NAME, CONTROL_SIZE, Control};
use opmeter_recording::{Collected, EnergyRow, Error, Manifest, Recording, RunRow, TableRow};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// Its name in a recording.
pub const LIVE_FOLDER: &str = "live";

/// The manifest as far as it is known when the command starts.
const DRAFT: &str = "draft.json";

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
        let path = recording.join(LIVE_FOLDER);
        path.is_dir().then_some(Self { path })
    }

    /// What the processes have counted so far.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn collect(&self) -> Result<Collected, Error> {
        Collected::from_live(&self.path)
    }

    /// The recording as far as it has come, for one that has no manifest.
    ///
    /// # Errors
    /// When the folder, or the energy beside it, can't be read.
    pub fn recover(&self, recording: &Path) -> Result<Recording, Error> {
        let collected = self.collect()?;
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
        let _ = fs::remove_dir_all(&self.path);
    }
}
