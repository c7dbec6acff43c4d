//! Processes that a command has left running.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use opmeter_live::{FOLDER_VARIABLE, LiveFile, Word};

use crate::CLOSED_FOLDER;
use crate::running::{runs, start_and_end};

/// How often a process that is about to execute another program is looked at again.
const LOOKS: u32 = 20;

/// From one of these looks to the next.
const INTERVAL: Duration = Duration::from_millis(1);

/// How often processes are listed at most, where some end meanwhile.
const LISTINGS: u32 = 50;

/// What a process that was listed is.
enum Look {
    Belongs(Outliving),
    Other,
    /// It is no more, or only waits to be waited for.
    Ended(u64),
}

/// A process of a command that still runs when the command itself has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outliving {
    /// Its process ID, as we see it.
    pub pid: u64,
    /// Its process ID, as it sees it itself: another one where it has a namespace of its own.
    pub own_pid: u64,
    /// When it began, in clock ticks since the machine started.
    pub started: u64,
    /// What its program is called.
    pub name: String,
}

impl Outliving {
    /// The processes that run at this moment, began at `since` or later (in clock ticks since the machine started), and
    /// were started by the command that counts, or has counted, in the folder `live`: they have been told its name, or
    /// have files of it mapped. Also those are found that have not begun to count: between `fork` and what follows, or
    /// in other programs than CPython. Those of other users are not, unless we may look at them.
    ///
    /// The list of processes is that of one moment. What has ended until it is looked at may have started others since:
    /// then they are listed again.
    pub fn of(live: &Path, since: u64) -> Vec<Self> {
        let own = u64::from(std::process::id());
        let mut found = Vec::new();
        let mut known_to_have_ended = HashSet::new();
        for _ in 0..LISTINGS {
            let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
            let pids: Vec<u64> =
                entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
            let looked = pids.iter().filter(|pid| **pid != own).map(|pid| Self::look(*pid, live, since));
            let mut others_have_ended = false;
            found.clear();
            for look in looked {
                match look {
                    Look::Belongs(process) => found.push(process),
                    Look::Ended(pid) => others_have_ended |= known_to_have_ended.insert(pid),
                    Look::Other => {}
                }
            }
            if !others_have_ended {
                break;
            }
        }
        found
    }

    fn look(pid: u64, live: &Path, since: u64) -> Look {
        let Some((started, has_ended)) = start_and_end(pid) else { return Look::Ended(pid) };
        if started < since {
            return Look::Other;
        }
        if has_ended {
            return Look::Ended(pid);
        }
        let belongs = belongs(pid, live);
        // Of what has ended nothing can be told, whether somebody has waited for it or not.
        if !runs(pid, started) {
            return Look::Ended(pid);
        }
        if !belongs {
            return Look::Other;
        }
        Look::Belongs(Self {
            pid,
            own_pid: own_pid(pid).unwrap_or(pid),
            started,
            name: fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned(),
        })
    }

    /// Whether it runs on.
    pub fn runs(&self) -> bool {
        runs(self.pid, self.started)
    }

    /// Whether it is the one that counts in this file.
    pub(crate) fn counts_in(&self, file: &LiveFile) -> bool {
        (self.own_pid, self.started) == (file.word(Word::Pid), file.word(Word::StartTicks))
    }
}

impl fmt::Display for Outliving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (PID {})", self.name, self.pid)
    }
}

/// Whether a process was told to count in this folder, or does.
fn belongs(pid: u64, live: &Path) -> bool {
    let variable = [FOLDER_VARIABLE.as_bytes(), b"=", live.as_os_str().as_bytes()].concat();
    for look in 0..LOOKS {
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
            return has_file(pid, live);
        };
        if environment.split(|byte| *byte == 0).any(|entry| entry == variable) {
            return true;
        }
        // A program may have written over it, or have begun with none.
        if has_mapped(pid, live) {
            return true;
        }
        // While a program takes another's place there is none, but that program has a name.
        if !environment.is_empty() || fs::read_link(format!("/proc/{pid}/exe")).is_err() {
            return false;
        }
        if look + 1 < LOOKS {
            thread::sleep(INTERVAL);
        }
    }
    false
}

/// The names of a live folder: that which was told, and that which it has once it is closed.
fn names(live: &Path) -> [PathBuf; 2] {
    [live.to_owned(), live.with_file_name(CLOSED_FOLDER)]
}

/// Whether a process has files of a live folder mapped.
fn has_mapped(pid: u64, live: &Path) -> bool {
    let Ok(maps) = fs::read(format!("/proc/{pid}/maps")) else { return false };
    // Paths stand at the end of lines, behind a space.
    names(live).iter().any(|folder| {
        let folder = [b" ", folder.as_os_str().as_bytes(), b"/"].concat();
        maps.windows(folder.len()).any(|part| part == folder)
    })
}

/// Whether a process has a file in a live folder. It may be one into which we may not look.
fn has_file(pid: u64, live: &Path) -> bool {
    let entries = names(live).into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let own = format!("{pid}-");
    entries.into_iter().any(|entry| entry.file_name().as_bytes().starts_with(own.as_bytes()))
}

/// A process's ID in the innermost of its namespaces.
fn own_pid(pid: u64) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("NSpid:"))?.split_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::process_start;

    #[test]
    fn a_process_is_known_by_what_it_was_told() {
        let folder = Path::new("/a folder/r.opm/live");
        let start = |name: &Path| {
            let mut command = Command::new("cat");
            command.env(FOLDER_VARIABLE, name).stdin(Stdio::piped());
            command.spawn().unwrap()
        };
        let since = process_start(u64::from(std::process::id())).unwrap();
        let (mut one, mut other) = (start(folder), start(Path::new("/a folder/r.opm/live-2")));
        let found = Outliving::of(folder, since);
        assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), [u64::from(one.id())]);
        assert_eq!(found[0].to_string(), format!("cat (PID {})", one.id()));
        assert!(found[0].runs() && found[0].own_pid == found[0].pid);
        assert!(Outliving::of(folder, found[0].started + 1).is_empty());
        for process in [&mut one, &mut other] {
            process.kill().unwrap();
        }
        // What has ended and was not waited for does not run.
        while found[0].runs() {
            thread::sleep(INTERVAL);
        }
        assert!(Outliving::of(folder, since).is_empty());
        for mut process in [one, other] {
            process.wait().unwrap();
        }
    }
}
