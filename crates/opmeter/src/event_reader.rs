//! Reading the events of the processes under measurement while they run, and writing them to the recording.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use opmeter_files::{PRIVATE, create_anew};
use opmeter_live::{CONTROL_NAME, Control, EXTENSION, LiveFile, RING_EXTENSION, RingFile, RingWord, Word};
use opmeter_recording::{Budget, EVENTS_EXTENSION, EVENTS_FOLDER, EndReason, EventWriter, Full};
use rustix::fs::{FallocateFlags, OFlags, fallocate};

/// Where nothing is to be read, from one look to the next.
const INTERVAL: Duration = Duration::from_micros(500);

/// From one search for new processes to the next.
const SEARCH: Duration = Duration::from_millis(10);

/// What has been executed is on disk, or on its way there, after so long.
const UNWRITTEN: Duration = Duration::from_millis(40);

/// From one look at chunks that are being filled to the next.
const PARTIAL: Duration = Duration::from_millis(20);

/// Room on the disk that is kept free, in bytes: so that what was recorded can be ended in good order, and the
/// tables be written, where there is no more.
const RESERVE: u64 = 8 << 20;

/// No link is followed.
const NO_LINK: i32 = OFlags::NOFOLLOW.bits() as i32;

/// The name of the file that takes it.
const RESERVE_NAME: &str = "reserve";

/// Reads events in a thread of its own.
pub struct EventReader {
    /// Where the live folder is when all is to be read that is left.
    last: Arc<OnceLock<PathBuf>>,
    thread: JoinHandle<()>,
}

impl EventReader {
    /// Begins to read the events of all processes that count in a recording's live folder.
    ///
    /// # Errors
    /// When there is no room for a thread.
    pub fn begin(live: &Path, budget: Budget) -> io::Result<Self> {
        let last = Arc::new(OnceLock::new());
        let (told, live) = (last.clone(), live.to_owned());
        let thread = thread::Builder::new().spawn(move || Reader::new(live, budget).run(&told))?;
        Ok(Self { last, thread })
    }

    /// Reads what is left of processes that count in the live folder, which may have another name now, and ends the
    /// files.
    pub fn end(self, live: &Path) {
        let _ = self.last.set(live.to_owned());
        let _ = self.thread.join();
    }
}

struct Reader {
    live: PathBuf,
    /// The folder of the files of events.
    events: PathBuf,
    control: Option<File>,
    /// The names of rings that were found.
    seen: HashSet<OsString>,
    processes: Vec<Process>,
    budget: Budget,
    reserve: bool,
    beat: u64,
}

/// A process that tells events.
struct Process {
    ring: RingFile,
    writer: EventWriter,
}

impl Reader {
    fn new(live: PathBuf, budget: Budget) -> Self {
        let events = live.with_file_name(EVENTS_FOLDER);
        let control = OpenOptions::new().write(true).custom_flags(NO_LINK).open(live.join(CONTROL_NAME)).ok();
        let mut reader = Self {
            live,
            events,
            control,
            seen: HashSet::new(),
            processes: Vec::new(),
            budget,
            reserve: false,
            beat: 0,
        };
        reader.tell(Control::EventReader, u64::from(std::process::id()));
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(&reader.events);
        let reserve = create_anew(&reader.live.join(RESERVE_NAME), PRIVATE);
        reader.reserve =
            reserve.is_ok_and(|file| fallocate(&file, FallocateFlags::empty(), 0, RESERVE).is_ok());
        reader
    }

    fn run(mut self, told: &OnceLock<PathBuf>) {
        let (mut searched, mut partial) = (None::<Instant>, Instant::now());
        loop {
            let last = told.get();
            if let Some(live) = last {
                self.live.clone_from(live);
            }
            let last = last.is_some();
            if last || searched.is_none_or(|at| at.elapsed() >= SEARCH) {
                self.search();
                self.beat += 1;
                self.tell(Control::EventBeat, self.beat);
                searched = Some(Instant::now());
            }
            let all = last || partial.elapsed() >= PARTIAL;
            if all {
                partial = Instant::now();
            }
            match self.look(all, last) {
                Ok(false) if last => return self.end(EndReason::Process, 0),
                Ok(false) => thread::sleep(INTERVAL),
                Ok(true) => {}
                Err(full) => {
                    self.end_early(&full);
                    return;
                }
            }
        }
    }

    /// Finds processes that have begun.
    fn search(&mut self) {
        let Ok(entries) = fs::read_dir(&self.live) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let Some(name) = path.file_name().map(OsStr::to_owned) else { continue };
            if path.extension().is_none_or(|extension| extension != RING_EXTENSION)
                || self.seen.contains(&name)
            {
                continue;
            }
            // Until it is ready there are no chunks.
            let Ok(mut ring) = RingFile::open(&path) else { continue };
            let (Ok(live), Ok(true)) = (
                LiveFile::read(&path.with_extension(EXTENSION)),
                ring.chunks().map(|chunks| !chunks.is_empty()),
            ) else {
                continue;
            };
            let version = (live.word(Word::Major) as u8, live.word(Word::Minor) as u8);
            let file = self.events.join(Path::new(&name).with_extension(EVENTS_EXTENSION));
            if let Ok(writer) = EventWriter::create(&file, version) {
                self.processes.push(Process { ring, writer });
            }
            self.seen.insert(name);
        }
    }

    /// Reads what there is: full chunks, or `all`. Says whether there was anything. `last` says that what a
    /// process has written now is all that it is going to be asked for.
    fn look(&mut self, all: bool, last: bool) -> Result<bool, Full> {
        let mut any = false;
        for process in &mut self.processes {
            // A ring that can't be read has nothing more to say.
            for chunk in process.ring.chunks().unwrap_or_default() {
                if !all && !chunk.is_full() {
                    continue;
                }
                let records = process.ring.read(&chunk, last).unwrap_or_default();
                any |= !records.is_empty();
                process.writer.take(chunk.thread, records, &mut self.budget)?;
                if chunk.is_full() {
                    let _ = process.ring.free(&chunk);
                }
            }
            process.writer.flush(UNWRITTEN, &mut self.budget)?;
        }
        Ok(any)
    }

    /// No more events can be recorded: the processes need not tell any. What was told before is kept.
    fn end_early(&mut self, full: &Full) {
        self.tell(Control::Events, 2);
        let error = match full {
            Full::Disk(error) => {
                self.free_reserve();
                error.raw_os_error().unwrap_or(0)
            }
            _ => 0,
        };
        self.end(full.reason(), error);
    }

    fn end(&mut self, reason: EndReason, error: i32) {
        self.tell(Control::Events, 2);
        for at in 0..self.processes.len() {
            let mut end = (reason, error);
            let mut written = self.processes[at].writer.finish(&mut self.budget);
            if written.is_err() && self.reserve {
                self.free_reserve();
                written = self.processes[at].writer.finish(&mut self.budget);
            }
            if let Err(Full::Disk(error)) = written {
                end = (EndReason::Disk, error.raw_os_error().unwrap_or(end.1));
            }
            let stopped = self.processes[at].ring.word(RingWord::Ended) != 0;
            if end.0 == EndReason::Process && stopped {
                end = (EndReason::Unread, 0);
            }
            // Without it the recording says that it was interrupted.
            let _ = self.processes[at].writer.mark_end(end.0, end.1);
        }
        self.free_reserve();
    }

    fn free_reserve(&mut self) {
        let _ = fs::remove_file(self.live.join(RESERVE_NAME));
        self.reserve = false;
    }

    fn tell(&self, word: Control, value: u64) {
        if let Some(control) = &self.control {
            let _ = control.write_all_at(&value.to_le_bytes(), word as u64 * 8);
        }
    }
}
