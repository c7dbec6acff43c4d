//! Looking at the processes under measurement from outside for instructions that take long: see
//! [`opmeter_live::LongExecution`].

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use opmeter_files::PRIVATE;
use opmeter_live::{COUNTS_SIZE, EXTENSION, LONG_EXTENSION, LongExecution, State, Word};
use rustix::fs::OFlags;

use crate::present_instruction::{Instruction, ProcessMemory};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(1);

/// How often the folder is searched for new processes, in looks.
const SEARCH: u32 = 20;

/// An instruction that was there at so many looks took long.
const LOOKS: u32 = 2;

/// Looks at all processes that count in a folder, in a thread of its own.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Begins to look.
    ///
    /// # Errors
    /// When there is no room for a thread.
    pub fn begin(folder: &Path) -> io::Result<Watch> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, folder) = (stop.clone(), folder.to_owned());
        let thread = thread::Builder::new().spawn(move || {
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
        })?;
        Ok(Watch { stop, thread })
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
                self.watched.insert(path, Process::new(file));
            }
        }
        self.watched.retain(|_, process| !process.has_ended());
    }

    fn look(&mut self, now: Instant) {
        for (path, process) in &mut self.watched {
            if let Some(execution) = process.look(now) {
                let path = path.with_extension(LONG_EXTENSION);
                let file = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .mode(PRIVATE)
                    .custom_flags(OFlags::NOFOLLOW.bits() as i32)
                    .open(path);
                // Where it can't be kept, such executions are estimated from those that were timed.
                let _ = file.and_then(|mut file| file.write_all(&execution.record()));
            }
        }
    }
}

struct Process {
    file: File,
    /// None until it is looked at for the first time, or where it may not be read.
    memory: Option<ProcessMemory>,
    steps: u64,
    watched: Watched,
    /// When the process was looked at last.
    looked: Option<Instant>,
}

/// What a process is executing.
#[derive(Default)]
struct Watched(Option<Present>);

/// An instruction that is being executed.
#[derive(Debug, Clone, Copy)]
struct Present {
    instruction: Instruction,
    phase: usize,
    /// Between these two looks it began.
    begun: [Instant; 2],
    last: Instant,
    looks: u32,
}

impl Watched {
    /// The process was looked at, at the second of two times, and executes an instruction: none is known where
    /// it had gone on since the look before, at the first of them. Gives an execution that took long and is
    /// done.
    fn look(
        &mut self,
        instruction: Option<Instruction>,
        [before, now]: [Instant; 2],
        phase: impl Fn() -> Option<usize>,
    ) -> Option<LongExecution> {
        if let (Some(present), Some(instruction)) = (&mut self.0, instruction)
            && present.instruction == instruction
        {
            present.last = now;
            present.looks += 1;
            return None;
        }
        let interval = now - before;
        let next = instruction.map(|instruction| {
            // It was there at the look before: the process has not gone on since.
            let begun = [before.checked_sub(interval).unwrap_or(before), before];
            Some(Present { instruction, phase: phase()?, begun, last: now, looks: 1 })
        });
        let done = std::mem::replace(&mut self.0, next.flatten()).filter(|done| done.looks >= LOOKS)?;
        // It began and ended somewhere between two looks: half way, on average.
        let middle = |one: Instant, other: Instant| one + (other - one) / 2;
        let took = middle(done.last, now) - middle(done.begun[0], done.begun[1]);
        Some(LongExecution {
            cell: done.instruction.cell,
            number: done.instruction.number,
            phase: done.phase,
            nanoseconds: took.as_nanos() as u64,
        })
    }
}

impl Process {
    fn new(file: File) -> Process {
        Process { file, memory: None, steps: 0, watched: Watched::default(), looked: None }
    }

    /// Looks what the process executes. Gives an execution that took long and is done.
    fn look(&mut self, now: Instant) -> Option<LongExecution> {
        let before = self.looked.replace(now).unwrap_or(now);
        let (steps, untimed) = self.steps()?;
        let same = std::mem::replace(&mut self.steps, steps) == steps;
        // Most of the time it has gone on, and that is all.
        let instruction = if same && untimed { self.instruction() } else { None };
        let mut watched = std::mem::take(&mut self.watched);
        let done =
            watched.look(instruction, [before, now], || self.word(Word::Phase).map(|phase| phase as usize));
        self.watched = watched;
        done
    }

    fn instruction(&mut self) -> Option<Instruction> {
        if self.memory.is_none() {
            self.memory = ProcessMemory::open(self.word(Word::Pid)?);
        }
        self.memory.as_ref()?.instruction(|word| self.word(word))
    }

    /// Steps left, and whether the present slice is not timed.
    fn steps(&self) -> Option<(u64, bool)> {
        let mut bytes = [0; 16];
        let slot = self.word(Word::WatchedSlot).filter(|slot| *slot != 0)?;
        let at = slot + (COUNTS_SIZE + State::Steps as usize * 8) as u64;
        self.file.read_exact_at(&mut bytes, at).ok()?;
        let word = |index: usize| bytes[index * 8..][..8].try_into().map_or(0, u64::from_le_bytes);
        Some((word(0), word(1) != 0))
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

    /// What a process is seen to execute, look by look, a millisecond apart: the address of the instruction,
    /// where it is looked for.
    fn seen(looks: &[Option<u64>]) -> Vec<u64> {
        let start = Instant::now();
        let at = |look: usize| start + Duration::from_millis(look as u64);
        let mut watched = Watched::default();
        let mut found = Vec::new();
        for (look, address) in looks.iter().enumerate() {
            let instruction = address.map(|address| Instruction { address, cell: 2 * address, number: 7 });
            let times = [at(look.saturating_sub(1)), at(look)];
            if let Some(long) = watched.look(instruction, times, || Some(1)) {
                assert_eq!((long.number, long.phase), (7, 1));
                found.extend([long.cell, long.nanoseconds / 1_000_000]);
            }
        }
        found
    }

    #[test]
    fn what_stays_for_several_looks_took_long() {
        assert_eq!(seen(&[None, Some(3), None, Some(3), Some(4), None]), [0; 0], "seen once each");
        // Before the first of five looks that saw it another had seen as few steps left.
        assert_eq!(seen(&[None, None, Some(5), Some(5), Some(5), Some(5), Some(5), None]), [10, 6]);
        assert_eq!(seen(&[None, Some(5), Some(5), Some(6), Some(6)]), [10, 3], "the last is not done");
    }
}
