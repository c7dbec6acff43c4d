//! Processes that were started for a job by a command that was killed since.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use opmeter_recording::process_start;
use rustix::process::{Pid, Signal, kill_process_group};

/// How long the end of processes is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Notes the leader of a process group in the file of the job's lock.
pub(crate) fn note(lock: &File, leader: u32) {
    let Some(ticks) = process_start(u64::from(leader)) else { return };
    let text = format!("{leader} {ticks}\n");
    // Where it can't be written, an orphan runs on to its own end.
    let _ = lock.set_len(0).and_then(|()| lock.write_all_at(text.as_bytes(), 0));
}

/// Ends the process group that is noted, if its leader is still the same process.
pub(crate) fn end(lock: &File) {
    let mut text = [0; 64];
    let read = lock.read_at(&mut text, 0).unwrap_or(0);
    let noted = std::str::from_utf8(&text[..read]).unwrap_or_default();
    let mut words = noted.split_whitespace();
    let (Some(Ok(leader)), Some(Ok(ticks))) =
        (words.next().map(str::parse::<u32>), words.next().map(str::parse::<u64>))
    else {
        return;
    };
    let runs = || process_start(u64::from(leader)) == Some(ticks);
    let Some(group) = Pid::from_raw(leader.cast_signed()).filter(|_| runs()) else { return };
    let _ = kill_process_group(group, Signal::KILL);
    let deadline = Instant::now() + PATIENCE;
    while runs() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
}
