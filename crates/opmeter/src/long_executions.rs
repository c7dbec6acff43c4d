//! Looking at the processes under measurement from outside for instructions that take long: see
//! [`opmeter_live::LongExecution`].

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use opmeter_live::{COUNTS_SIZE, EXTENSION, LONG_EXTENSION, LongExecution, State, Word, slot_offset};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(1);

/// How often the folder is searched for new processes, in looks.
const SEARCH: u32 = 20;

/// An instruction that was there at so many looks took long.
const LOOKS: u32 = 3;

/// Looks at all processes that count in a folder, in a thread of its own.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Begins to look.
    pub fn begin(folder: &Path) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, folder) = (stop.clone(), folder.to_owned());
        let thread = thread::spawn(move || {
            let mut processes = Processes { folder, ..Processes::default() };
            let mut looks = 0;
            while !stopped.load(Relaxed) {
                if looks % SEARCH == 0 {
                    processes.search();
                }
                looks = looks.wrapping_add(1);
                processes.look(Instant::now());
                thread::sleep(INTERVAL);
            }
        });
        Watch { stop, thread }
    }

    /// Looks no more.
    pub fn end(self) {
        self.stop.store(true, Relaxed);
        let _ = self.thread.join();
    }
}

#[derive(Default)]
struct Processes {
    folder: PathBuf,
    seen: HashSet<PathBuf>,
    watched: HashMap<PathBuf, Process>,
}

impl Processes {
    /// Finds processes that have begun.
    fn search(&mut self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && !self.seen.contains(&path)
                && let Ok(file) = File::open(&path)
            {
                self.seen.insert(path.clone());
                self.watched.insert(path, Process { file, present: None, ended: None });
            }
        }
        self.watched.retain(|_, process| !process.has_ended());
    }

    fn look(&mut self, now: Instant) {
        for (path, process) in &mut self.watched {
            if let Some(execution) = process.look(now) {
                let path = path.with_extension(LONG_EXTENSION);
                let file = OpenOptions::new().append(true).create(true).open(path);
                // Where it can't be kept, such executions are estimated from those that were timed.
                let _ = file.and_then(|mut file| file.write_all(&execution.record()));
            }
        }
    }
}

struct Process {
    file: File,
    present: Option<Present>,
    /// When the last instruction that was seen before was gone.
    ended: Option<Instant>,
}

/// An instruction that is being executed.
#[derive(Debug, Clone, Copy)]
struct Present {
    /// Steps left, whether the others are known, cell, number.
    words: [u64; 4],
    /// Between these two looks it began.
    begun: [Instant; 2],
    last: Instant,
    looks: u32,
}

impl Process {
    /// What the process executes now. Gives an execution that took long and is done.
    fn look(&mut self, now: Instant) -> Option<LongExecution> {
        let before = self.ended.replace(now).unwrap_or(now);
        let words = self.words()?;
        if let Some(present) = &mut self.present
            && present.words == words
        {
            present.last = now;
            present.looks += 1;
            return None;
        }
        let present = Present { words, begun: [before, now], last: now, looks: 1 };
        let done = self.present.replace(present).filter(|done| done.looks >= LOOKS && done.words[1] != 0)?;
        // It began and ended somewhere between two looks: half way, on average.
        let middle = |one: Instant, other: Instant| one + (other - one) / 2;
        let took = middle(done.last, now) - middle(done.begun[0], done.begun[1]);
        Some(LongExecution {
            cell: done.words[2],
            number: done.words[3] as u8,
            phase: self.phase()?,
            nanoseconds: took.as_nanos() as u64,
        })
    }

    /// Steps left, whether the last instruction is known, its cell and its opcode's number.
    fn words(&self) -> Option<[u64; 4]> {
        let mut bytes = [0; 32];
        let at = slot_offset(0) + COUNTS_SIZE + State::Steps as usize * 8;
        self.file.read_exact_at(&mut bytes, at as u64).ok()?;
        let word = |index: usize| bytes[index * 8..][..8].try_into().map_or(0, u64::from_le_bytes);
        Some([word(0), word(1), word(2), word(3)])
    }

    fn phase(&self) -> Option<usize> {
        self.word(Word::Phase).map(|phase| phase as usize)
    }

    fn word(&self, word: Word) -> Option<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, word as u64 * 8).ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    /// Whether the process is gone, or executes another program.
    fn has_ended(&self) -> bool {
        self.word(Word::Pid).is_some_and(|pid| pid != 0 && !Path::new(&format!("/proc/{pid}")).exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process's live file, with what it executes.
    fn executing(file: &File, steps: u64, known: u64, cell: u64) {
        let words: Vec<u8> = [steps, known, cell, 7].iter().flat_map(|word| word.to_le_bytes()).collect();
        let at = slot_offset(0) + COUNTS_SIZE + State::Steps as usize * 8;
        file.write_all_at(&words, at as u64).unwrap();
    }

    #[test]
    fn what_stays_for_several_looks_took_long() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&1u64.to_le_bytes(), Word::Phase as u64 * 8).unwrap();
        let mut process = Process { file: file.try_clone().unwrap(), present: None, ended: None };
        let start = Instant::now();
        let mut milliseconds = 0;
        let mut look = |steps, known, cell, looks| {
            executing(&file, steps, known, cell);
            let mut found = Vec::new();
            for _ in 0..looks {
                milliseconds += 1;
                found.extend(process.look(start + Duration::from_millis(milliseconds)));
            }
            found
        };
        assert_eq!(look(90, 1, 0x1000, 1), []);
        assert_eq!(look(80, 1, 0x1000, 2), [], "not yet long");
        assert_eq!(look(80, 1, 0x2000, 10), [], "the one before was not");
        let long = LongExecution { cell: 0x2000, number: 7, phase: 1, nanoseconds: 10_000_000 };
        assert_eq!(look(70, 1, 0x3000, 1), [long]);
        // While times are taken, there is nothing to see.
        assert_eq!(look(60, 0, 0x3000, 50), []);
        assert_eq!(look(50, 1, 0x3000, 1), []);
    }
}
