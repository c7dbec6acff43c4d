//! What the runs of a command read from their standard input.

use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::Failure;

/// Our own standard input, as a file of its own.
const OWN: &str = "/proc/self/fd/0";

/// Where each run gets the same input from.
#[derive(Debug)]
pub enum Input {
    /// A file, read from its beginning by each run.
    File(PathBuf),
    /// Our own, which can be read only once, or is a terminal.
    Own,
    /// Nothing.
    Nothing,
}

impl Input {
    /// The file that was asked for. Or else our own standard input: where it is a file, each run reads it; a terminal
    /// too; anything else can be read only once, and is if there is but one run.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn choose(asked: Option<&Path>, only_run: bool) -> Result<Self, Failure> {
        if let Some(path) = asked {
            return match File::open(path).and_then(|file| file.metadata()) {
                Ok(metadata) if metadata.is_file() => Ok(Self::File(path.to_owned())),
                Ok(_) => {
                    Err(Failure::wrong(format_args!("{} is no file, which --input needs", path.display())))
                }
                Err(error) => Err(Failure::wrong(format_args!("{} can't be read: {error}", path.display()))),
            };
        }
        if fs::metadata(OWN).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(Self::File(PathBuf::from(OWN)));
        }
        Ok(if only_run || io::stdin().is_terminal() { Self::Own } else { Self::Nothing })
    }

    /// A run's standard input.
    ///
    /// # Errors
    /// When the file can't be opened any more.
    pub fn stdio(&self) -> io::Result<Stdio> {
        match self {
            Self::File(path) => Ok(File::open(path)?.into()),
            Self::Own => Ok(Stdio::inherit()),
            Self::Nothing => Ok(Stdio::null()),
        }
    }

    /// Whether a second run would find the input used up.
    pub fn is_used_up(&self) -> bool {
        matches!(self, Self::Own) && !io::stdin().is_terminal()
    }

    /// What to say where there was something to read that no run has read.
    pub fn warning(&self) -> Option<String> {
        let is_pipe = || fs::metadata(OWN).is_ok_and(|metadata| metadata.file_type().is_fifo());
        (matches!(self, Self::Nothing) && is_pipe() && has_data()).then(|| {
            "the runs read nothing from standard input, which is a pipe and could be read only once; name a file \
             with --input, which each run reads from its beginning"
                .to_owned()
        })
    }
}

/// Whether our standard input has something to be read at this moment.
fn has_data() -> bool {
    let stdin = io::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok() && fds[0].revents().contains(PollFlags::IN)
}
