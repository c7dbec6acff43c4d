//! Ending what takes too long.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::descendants;

/// Between two attempts to end all processes passes so much: some may just be starting others.
const AGAIN: Duration = Duration::from_millis(20);

/// Ends a process group, and what else became of the command, when its time is over.
pub struct Watchdog {
    stop: Sender<()>,
    thread: JoinHandle<bool>,
}

impl Watchdog {
    /// Watches a process group that may run for so long.
    pub fn begin(group: Pid, timeout: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            if stopped.recv_timeout(timeout) != Err(RecvTimeoutError::Timeout) {
                return false;
            }
            loop {
                let _ = kill_process_group(group, Signal::KILL);
                // Processes in groups of their own have been adopted, or will be once their parents have ended.
                for pid in descendants::children().into_iter().filter_map(|child| Pid::from_raw(child.pid)) {
                    let _ = kill_process(pid, Signal::KILL);
                }
                if stopped.recv_timeout(AGAIN) != Err(RecvTimeoutError::Timeout) {
                    return true;
                }
            }
        });
        Self { stop, thread }
    }

    /// All processes have ended: whether they were made to.
    pub fn end(self) -> bool {
        drop(self.stop);
        self.thread.join().unwrap_or(false)
    }
}
