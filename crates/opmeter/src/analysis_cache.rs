//! What was made of recordings once, so that it need not be made again.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use opmeter_analysis::StudyTimes;
use opmeter_files::{LONGEST_TEXT, PRIVATE, create_anew, read_whole};
use opmeter_recording::{EVENTS_FOLDER, Manifest, sha256_of_bytes};
use serde::{Deserialize, Serialize};

use crate::{agent, private_folder};

/// The version of what entries consist of, and of how they are made.
const SCHEMA: u32 = 2;

/// The folder of entries, in that of caches.
const FOLDER: &str = "analysis";

/// A cache of the times of recordings. Without a folder that only the user can write to, it keeps nothing.
pub struct AnalysisCache {
    folder: Option<PathBuf>,
}

/// An entry, as it is kept.
#[derive(Serialize, Deserialize)]
struct Entry {
    schema: u32,
    key: String,
    times: StudyTimes,
}

impl AnalysisCache {
    /// The user's cache.
    pub fn open() -> Self {
        let folders = agent::caches().into_iter().map(|cache| cache.join(FOLDER));
        Self { folder: folders.into_iter().find_map(|folder| private_folder::make(&folder).ok()) }
    }

    /// What identifies a recording and what is made of it: the content of the manifest; of each file that is read its
    /// device, inode, size, and when it was written to and changed; and the version of Opmeter. Events are not read for it:
    /// there may be gigabytes. When a file was changed can't be set back, as its time of writing can.
    ///
    /// # Errors
    /// When the recording can't be read.
    pub fn key(recording: &Path) -> io::Result<String> {
        let mut content = format!("{SCHEMA} {}\n", env!("CARGO_PKG_VERSION")).into_bytes();
        content.extend(read_whole(&recording.join(Manifest::FILE), LONGEST_TEXT)?);
        let mut files: Vec<PathBuf> = StudyTimes::TABLES
            .iter()
            .map(|table| recording.join(format!("{table}.parquet")))
            .chain(fs::read_dir(recording.join(EVENTS_FOLDER))?.flatten().map(|entry| entry.path()))
            .collect();
        files.sort();
        for file in files {
            let Ok(metadata) = fs::metadata(&file) else { continue };
            let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
            let place = [metadata.dev(), metadata.ino(), metadata.len()];
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            content.extend(format!("{name} {place:?} {times:?}\n").into_bytes());
        }
        Ok(sha256_of_bytes(&content))
    }

    /// What is kept under a key. An entry that is torn, or is of another, is none.
    pub fn get(&self, key: &str) -> Option<StudyTimes> {
        let bytes = read_whole(&self.path(key)?, LONGEST_TEXT).ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        (entry.schema == SCHEMA && entry.key == key).then_some(entry.times)
    }

    /// Keeps something under a key. Where it can't be written, it is made again next time.
    pub fn put(&self, key: &str, times: &StudyTimes) {
        let Some(path) = self.path(key) else { return };
        let entry = Entry { schema: SCHEMA, key: key.to_owned(), times: times.clone() };
        // Whole or not at all: another command may read it at this moment, or write the same.
        let draft = path.with_extension(format!("{}.part", std::process::id()));
        let written = serde_json::to_vec(&entry)
            .map_err(io::Error::from)
            .and_then(|json| create_anew(&draft, PRIVATE)?.write_all(&json))
            .and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
    }

    /// Where it is, how many entries it has, and how many bytes they take.
    pub fn info(&self) -> (Option<&Path>, usize, u64) {
        let sizes = self.files().into_iter().filter_map(|file| Some(fs::metadata(file).ok()?.len()));
        let sizes: Vec<u64> = sizes.collect();
        (self.folder.as_deref(), sizes.len(), sizes.iter().sum())
    }

    /// Removes all entries; gives how many there were.
    ///
    /// # Errors
    /// When one can't be removed.
    pub fn clear(&self) -> io::Result<usize> {
        let files = self.files();
        for file in &files {
            match fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(files.len())
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{key}.json")))
    }

    /// The files that are ours: nobody else's are counted, or removed.
    fn files(&self) -> Vec<PathBuf> {
        let entries = self.folder.iter().flat_map(fs::read_dir).flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| is_entry(path) && path.is_file()).collect()
    }
}

/// Whether a file is named as entries are, or as those that are being written: `KEY.json`, `KEY.PID.part`.
fn is_entry(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((key, rest)) = name.split_once('.') else { return false };
    let is_of = |text: &str, digit: fn(&char) -> bool| !text.is_empty() && text.chars().all(|c| digit(&c));
    let is_draft = rest.strip_suffix(".part").is_some_and(|pid| is_of(pid, char::is_ascii_digit));
    key.len() == 64 && is_of(key, char::is_ascii_hexdigit) && (rest == "json" || is_draft)
}
