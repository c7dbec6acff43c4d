//! Waiting for a command and all that it started.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, wait};

use crate::message;

/// After the command's end, what it left running is waited for in silence for so long.
const SILENCE: Duration = Duration::from_secs(3);

/// From now on, processes whose parents end become our children, so that they can be waited for.
///
/// # Errors
/// Where the system can't do that.
pub fn adopt() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Waits until no child is left, of those that were started and of those that were adopted, and gives the status of
/// the one that is the command. When that has ended, `ended` is called.
///
/// # Errors
/// Where the system has no such child.
pub fn wait_for_all(command: Pid, ended: impl FnOnce()) -> io::Result<ExitStatus> {
    let status = loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == command => break ExitStatus::from_raw(status.as_raw()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    ended();
    if any_left(WaitOptions::NOHANG)? {
        let (done, waiting) = mpsc::channel::<()>();
        // Where there is no room for a thread, it is not told.
        let _ = thread::Builder::new().spawn(move || {
            if waiting.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
                message::tell(format_args!(
                    "the command has ended, and what it left running is waited for: {}; end it, or press \
                     Ctrl-C to give up this run",
                    children().iter().map(ToString::to_string).collect::<Vec<String>>().join(", ")
                ));
            }
        });
        any_left(WaitOptions::empty())?;
        drop(done);
    }
    Ok(status)
}

/// Takes the status of each child that ends, until there is none, or none that has ended; whether there are any left.
fn any_left(options: WaitOptions) -> io::Result<bool> {
    loop {
        match wait(options) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return Ok(true),
            Err(Errno::CHILD) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A child of ours: one that we started, or adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its process ID.
    pub pid: i32,
    /// What its program is called.
    pub name: String,
}

impl fmt::Display for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.pid, self.name.escape_debug())
    }
}

/// Our children at this moment.
pub fn children() -> Vec<Child> {
    let own = getpid().as_raw_nonzero().get();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name is in brackets, and may hold some; state and parent follow.
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let parent: i32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        (parent == own).then(|| Child { pid, name: name.to_owned() })
    });
    children.collect()
}
