//! Which of the processes that count still run.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use opmeter_live::{CODE_EXTENSION, EXTENSION, LiveFile, PHASES, Word};

/// The words of a live file's header that say whose it is.
const WORDS: usize = Word::StartTicks as usize + 1;

/// Whether any process still runs that counts in a folder of live files. Says little of files that can't
/// be read, and reads little of the others.
pub fn any_running(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files = entries.map(|entry| entry.path());
    files.any(|path| path.extension().is_some_and(|extension| extension == EXTENSION) && counts_on(&path))
}

fn counts_on(path: &Path) -> bool {
    let mut words = [0; WORDS * 8];
    if File::open(path).and_then(|mut file| file.read_exact(&mut words)).is_err() {
        return false;
    }
    let word = |word: Word| {
        let at = word as usize * 8;
        words[at..at + 8].try_into().map_or(0, u64::from_le_bytes)
    };
    runs(word(Word::Pid), word(Word::StartTicks))
        && LiveFile::read(path).is_ok_and(|file| !is_between_programs(&file))
}

/// Whether a process with this ID runs that began at this time, in clock ticks since the machine started.
fn runs(pid: u64, ticks: u64) -> bool {
    process_start(pid) == Some(ticks)
}

/// When the process with this ID began, in clock ticks since the machine started; none where there is none, or where it
/// has ended and only waits to be waited for.
pub fn process_start(pid: u64) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(ticks)
}

/// Whether the file's process still runs.
pub(crate) fn is_running(file: &LiveFile) -> bool {
    runs(file.word(Word::Pid), file.word(Word::StartTicks))
}

/// Whether the file is that of a child between fork and exec. It runs no bytecode: what it executes has a
/// file of its own.
pub(crate) fn is_between_programs(file: &LiveFile) -> bool {
    let none = |counts: &[u64]| counts.iter().all(|count| *count == 0);
    let mut counted = (0..PHASES).map(|phase| file.phase(phase));
    file.word(Word::Forked) != 0
        && counted.all(|counts| none(&counts.executions) && none(&counts.unplaced))
        && !file.path().with_extension(CODE_EXTENSION).exists()
}
