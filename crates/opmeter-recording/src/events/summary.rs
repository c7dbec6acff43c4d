use std::io;
use std::path::{Component, Path};

use opmeter_live::{RING_EXTENSION, RingFile, RingWord};
use serde::{Deserialize, Serialize};

use super::{EndReason, EventFile};
use crate::calibration::prior_probe_cost;

/// What a recording says of the events of a process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventSummary {
    /// The file, relative to the recording's folder.
    pub file: String,
    /// How many events there are: dispatches; what combined opcodes execute besides is not among them.
    pub events: u64,
    /// Threads that have events.
    pub threads: u32,
    /// The file's length in bytes.
    pub bytes: u64,
    /// Why the events end: `process` (it has ended, or the command has), `max_events`, `max_size`, `disk_full`,
    /// `unread` (the command did not read them in time); or `threads`, where those of some threads are missing; or
    /// `torn`, where the file has no end or is damaged.
    pub end: String,
    /// Cycles of the time-stamp counter in a second.
    pub tsc_hz: f64,
    /// Cycles that reading the time-stamp counter adds to an event: estimated.
    pub probe_cycles: f64,
    /// The standard error of `probe_cycles`.
    pub probe_cycles_se: f64,
}

impl EventSummary {
    /// [`EventSummary::end`] of events that end with their process.
    pub const PROCESS: &'static str = "process";

    /// Opens the file of events of the recording in a folder.
    ///
    /// # Errors
    /// When it can't be read, is no file of events, or would not lie in the recording.
    pub fn open(&self, recording: &Path) -> io::Result<EventFile> {
        let path = Path::new(&self.file);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            let text =
                format!("its file of events is said to be {:?}, which is not in the recording", self.file);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let path = recording.join(path);
        EventFile::open(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("can't read {}: {error}", path.display())))
    }

    /// What is wrong with the file of events of the recording in a folder, where it is not the one that was recorded, as
    /// far as that can be seen without reading all events: a sentence without a full stop.
    pub fn fault(&self, recording: &Path) -> Option<String> {
        match self.open(recording) {
            Err(error) => Some(error.to_string()),
            Ok(file) => {
                file.torn.map(|offset| format!("{} is damaged at byte {offset}", self.file)).or_else(|| {
                    (file.length != self.bytes)
                        .then(|| format!("{} has {} bytes, not {}", self.file, file.length, self.bytes))
                })
            }
        }
    }

    /// Of a process with this live file; `name` is the file of events as it is named in the recording.
    pub(crate) fn new(name: String, file: &EventFile, live: &Path, lost: u64) -> Self {
        let ring = RingFile::open(&live.with_extension(RING_EXTENSION)).ok();
        let word = |word: RingWord| ring.as_ref().map_or(0, |ring| ring.word(word));
        let cycles = word(RingWord::LastTsc).saturating_sub(word(RingWord::FirstTsc)) as f64;
        let elapsed = word(RingWord::LastNs).saturating_sub(word(RingWord::FirstNs)) as f64;
        let (probe_cycles, probe_cycles_se) = prior_probe_cost(word(RingWord::BackToBack));
        Self {
            file: name,
            events: file.events(),
            threads: file.threads(),
            bytes: file.length,
            end: match file.end.filter(|_| file.torn.is_none()) {
                Some((EndReason::Process, _)) if lost > 0 => "threads",
                Some((EndReason::Process, _)) => Self::PROCESS,
                Some((EndReason::MaxEvents, _)) => "max_events",
                Some((EndReason::MaxSize, _)) => "max_size",
                Some((EndReason::Disk, _)) => "disk_full",
                Some((EndReason::Unread, _)) => "unread",
                None => "torn",
            }
            .to_owned(),
            tsc_hz: cycles / elapsed.max(1.0) * 1e9,
            probe_cycles,
            probe_cycles_se,
        }
    }

    /// What is missing of a process's events, if anything is.
    pub(crate) fn missing(&self, file: &EventFile, lost: u64) -> Vec<String> {
        let mut missing = Vec::new();
        let events = file.events();
        match file.end {
            _ if file.torn.is_some() => missing.push(format!(
                "its file of events is damaged at byte {}; the {events} events before are there",
                file.torn.unwrap_or(0)
            )),
            Some((EndReason::Process, _)) => {}
            Some((EndReason::MaxEvents, _)) => {
                missing.push(format!("its events end after {events}, as --max-events asked for"));
            }
            Some((EndReason::MaxSize, _)) => {
                missing.push(format!(
                    "its events end after {events}, for the files are as long as --max-size allows"
                ));
            }
            Some((EndReason::Disk, error)) => {
                let error = std::io::Error::from_raw_os_error(error);
                missing.push(format!(
                    "its events end after {events}: they could not be written ({error}); free some \
                     space, or bound them with --max-size"
                ));
            }
            Some((EndReason::Unread, _)) => missing.push(format!(
                "its events end after {events}, for they were not read in time: the command was stopped, or had \
                 no processor"
            )),
            None => missing.push(format!("its events end after {events}, for the recording was interrupted")),
        }
        if lost > 0 {
            missing.push(format!("the events of {lost} threads are missing: there were too many at a time"));
        }
        missing
    }
}
