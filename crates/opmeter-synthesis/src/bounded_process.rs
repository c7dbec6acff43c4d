use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, getrlimit, kill_process_group, pidfd_open, prlimit,
};

use crate::processor_wait;
use crate::stream_tail::StreamTail;

/// How long a wait lasts before it is looked whether a signal came: one may reach another thread.
const SLICE: Duration = Duration::from_millis(100);

/// How many times longer than its limit a process may take if it waits for a processor meanwhile.
const MOST_WAITING: u32 = 4;

/// How a process with bounds ended.
pub(crate) enum Ending {
    /// By itself.
    Exited {
        status: ExitStatus,
        /// Wall time from its start to its end, less what it waited for a processor that others had.
        time: Duration,
        stdout: String,
        stderr: String,
    },
    /// It ran for longer than it may, and was killed with its process group.
    TimedOut,
    /// A signal asked us to end; it was killed, too.
    Interrupted(i32),
}

/// Runs a command in a process group of its own, without input, for `limit` at most, not counting what it waits
/// for a processor. What is left of its
/// group when it ends is killed, so that nothing disturbs the next run.
///
/// `signal` becomes the number of a signal that asks to end. The ends of the streams are kept; with `quiet`,
/// standard output goes nowhere.
///
/// # Errors
/// When the command can't be started.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    memory: u64,
    quiet: bool,
    signal: &AtomicUsize,
) -> io::Result<Ending> {
    let stdout = if quiet { Stdio::null() } else { Stdio::piped() };
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).process_group(0);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    bound_memory(pid, memory);
    bound_processor_time(pid, limit);
    let stdout = child.stdout.take().map(StreamTail::read);
    let stderr = child.stderr.take().map(StreamTail::read);
    let ended = pidfd_open(pid, PidfdFlags::empty())
        .map_err(io::Error::from)
        .and_then(|process| wait(&process, pid, start, limit, signal));
    let wall = start.elapsed();
    let time = wall.saturating_sub(processor_wait::of(pid));
    // The process has not been waited for, so that its number is still its group's.
    let _ = kill_process_group(pid, Signal::KILL);
    let status = reap(&mut child)?;
    if !ended? {
        return Ok(match signal.load(Ordering::SeqCst) {
            0 => Ending::TimedOut,
            signal => Ending::Interrupted(signal as i32),
        });
    }
    let text = |tail: Option<StreamTail>| tail.map(StreamTail::text).unwrap_or_default();
    Ok(Ending::Exited { status, time, stdout: text(stdout), stderr: text(stderr) })
}

/// Waits until a process has ended. False where the time is over, or a signal came, before.
fn wait(
    process: &OwnedFd,
    pid: Pid,
    start: Instant,
    limit: Duration,
    signal: &AtomicUsize,
) -> io::Result<bool> {
    let mut deadline = start + limit;
    let last = start + limit * MOST_WAITING;
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).min(SLICE);
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&timeout)) {
            Ok(1..) => return Ok(true),
            Ok(0) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if signal.load(Ordering::SeqCst) != 0 {
            return Ok(false);
        }
        if Instant::now() >= deadline {
            deadline = (start + limit + processor_wait::of(pid)).min(last);
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
    }
}

fn reap(child: &mut Child) -> io::Result<ExitStatus> {
    loop {
        match child.wait() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Keeps a program that asks for ever more memory from taking the machine's: it gets a `MemoryError`. The
/// limit is on data, not on addresses, of which some programs reserve many.
fn bound_memory(pid: Pid, memory: u64) {
    let present = getrlimit(Resource::Data);
    let current = present.current.map_or(memory, |current| current.min(memory));
    // Where it can't be had, or the process has ended already, it runs as it would without.
    let _ = prlimit(Some(pid), Resource::Data, Rlimit { current: Some(current), maximum: present.maximum });
}

/// Keeps a program from running on for ever should we be killed before we can end it: what computes is ended by the
/// system then. As long as we are there, it is ended before that.
fn bound_processor_time(pid: Pid, limit: Duration) {
    let processors = available_parallelism().map_or(1, usize::from) as u64;
    let seconds = (limit * MOST_WAITING).as_secs().saturating_add(2).saturating_mul(processors);
    let present = getrlimit(Resource::Cpu);
    let current = present.current.map_or(seconds, |current| current.min(seconds));
    let _ = prlimit(Some(pid), Resource::Cpu, Rlimit { current: Some(current), maximum: present.maximum });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: u64 = 1 << 30;
    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, limit: Duration, signal: usize) -> Ending {
        let mut command = Command::new("sh");
        run(command.args(["-c", script]), limit, MEMORY, false, &AtomicUsize::new(signal)).unwrap()
    }

    #[test]
    fn a_command_ends_by_itself() {
        let Ending::Exited { status, stdout, stderr, .. } = shell("echo out; echo err >&2; exit 3", LONG, 0)
        else {
            panic!("it does not end");
        };
        assert_eq!((status.code(), &*stdout, &*stderr), (Some(3), "out\n", "err\n"));
    }

    #[test]
    fn a_command_that_runs_for_too_long_is_killed() {
        let start = Instant::now();
        assert!(matches!(shell("sleep 600", Duration::from_millis(50), 0), Ending::TimedOut));
        assert!(start.elapsed() < LONG);
    }

    #[test]
    fn what_it_leaves_behind_is_killed() {
        let Ending::Exited { stdout, .. } = shell("sleep 600 & echo $!", LONG, 0) else {
            panic!("it does not end");
        };
        let stat = format!("/proc/{}/stat", stdout.trim());
        // It was killed, and ends when it gets to it. Whoever adopts it may not have waited for it yet.
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn what_outlives_us_is_ended_by_the_system() {
        // The limit is set when it runs already.
        let script = "while [ $(ulimit -t) = unlimited ]; do :; done; ulimit -t";
        let Ending::Exited { stdout, .. } = shell(script, LONG, 0) else {
            panic!("it does not end");
        };
        let seconds: u64 = stdout.trim().parse().unwrap();
        assert!(seconds <= 242 * available_parallelism().unwrap().get() as u64, "{seconds}");
    }

    #[test]
    fn a_signal_ends_the_wait() {
        assert!(matches!(shell("sleep 600", LONG, 15), Ending::Interrupted(15)));
    }
}
