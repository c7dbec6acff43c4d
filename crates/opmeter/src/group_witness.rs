//! Telling a signal that was sent to our whole process group from one that was sent to us alone.
//!
//! The system does not say which it was. So a process of our own waits in the group beside us, and reports what signals
//! it gets: what it gets, the command got as well.

use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

use crate::signal_passing::PASSED_ON;

/// The name by which the command starts itself as a witness.
const NAME: &str = "opm-witness";

/// How long a report may take: a signal reaches all of a group at once, but the witness has to get a processor.
const PATIENCE: Duration = Duration::from_millis(50);

/// A report: a signal, and when it was got, in nanoseconds.
const REPORT: usize = 16;

/// The other process, from our side.
pub struct Witness {
    process: Child,
    pipe: PipeReader,
    /// Reports of signals that we have not heard of yet.
    reports: Vec<[u64; 2]>,
    /// The last signal that the group got: which, from whom, and when we heard of it.
    last: Option<(i32, Option<u32>, u64)>,
}

impl Witness {
    /// Starts it, in our process group.
    ///
    /// # Errors
    /// When the system lacks what is needed.
    pub fn call() -> io::Result<Self> {
        let (pipe, reports) = io::pipe()?;
        // What is killed by the name of our program shall not be taken for the group.
        let process = Command::new("/proc/self/exe")
            .arg0(NAME)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(reports)
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, pipe, reports: Vec::new(), last: None })
    }

    /// Whether the group got a signal that has reached us just now, from this process. It may have been sent to us alone
    /// as well, as `timeout` does: that is one signal to the command, as two at once always are.
    pub fn saw(&mut self, signal: i32, sender: Option<u32>) -> bool {
        let heard = now();
        let patience = PATIENCE.as_nanos() as u64;
        if self.last.is_some_and(|(one, from, at)| (one, from) == (signal, sender) && heard - at < patience) {
            return true;
        }
        let saw = self.reported(signal, heard, patience);
        if saw {
            self.last = Some((signal, sender, heard));
        }
        saw
    }

    /// Whether the witness reports a signal at a time that fits.
    fn reported(&mut self, signal: i32, heard: u64, patience: u64) -> bool {
        loop {
            // What it reported too late was passed on.
            self.reports.retain(|[_, at]| at + patience >= heard);
            if let Some(at) = self.reports.iter().position(|[one, _]| *one == signal as u64) {
                self.reports.swap_remove(at);
                return true;
            }
            let left = patience.saturating_sub(now() - heard);
            if left == 0 || !self.receive(left) {
                // Where it was not yet ready to report, the signal has ended it.
                let ended = self.process.try_wait().ok().flatten();
                return ended.is_some_and(|status| status.signal() == Some(signal));
            }
        }
    }

    /// Waits for reports, so many nanoseconds at most. Whether there may be any, or more to come.
    fn receive(&mut self, nanoseconds: u64) -> bool {
        let limit = Timespec { tv_sec: 0, tv_nsec: nanoseconds as i64 };
        match poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&limit)) {
            Ok(1..) => {}
            // Another signal has come.
            Err(Errno::INTR) => return true,
            _ => return false,
        }
        // Each is written at once, and so is here as a whole.
        let mut bytes = [0; REPORT * 64];
        let length = self.pipe.read(&mut bytes).unwrap_or(0);
        let (words, _) = bytes[..length].as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        self.reports.extend(words.as_chunks::<2>().0);
        length > 0
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether this process was started as a witness. If so, it is one, until the process that called it has ended.
pub fn run() -> Option<ExitCode> {
    std::env::args_os().next().filter(|name| name == NAME)?;
    let mut signals = SignalsInfo::<WithOrigin>::new(PASSED_ON).ok()?;
    // Not through a buffer, which would part a report at what it takes for the end of a line.
    let mut reports = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    let _ = thread::Builder::new().spawn(move || {
        for origin in signals.forever() {
            // What the kernel sends, as for a terminal, is known to be for all.
            if !matches!(origin.cause, Cause::Kernel) {
                let report = [origin.signal as u64, now()].map(u64::to_le_bytes).concat();
                let _ = reports.write_all(&report);
            }
        }
    });
    // Nothing is ever written to it.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    Some(ExitCode::SUCCESS)
}

/// The time, in nanoseconds since the machine started.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
