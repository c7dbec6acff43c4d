//! Running the command under measurement.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;

use opmeter_live::FOLDER_VARIABLE;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

const PRELOAD_VARIABLE: &str = "LD_PRELOAD";

/// Signals that are meant for the command when they reach us.
const PASSED_ON: [i32; 6] = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2];

/// Runs a command with the agent preloaded, with our own standard streams, folder and process group, and
/// waits for it. Signals that are sent to us are passed on to it.
///
/// # Errors
/// When the command can't be started.
pub fn run(command: &[OsString], agent: &Path, live: &Path) -> io::Result<ExitStatus> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    // The command starts with those signals ignored that we were started with ignored, so we begin to
    // heed these only afterwards. It may well handle them.
    let (later, now): (Vec<i32>, Vec<i32>) = PASSED_ON.into_iter().partition(|signal| is_ignored(*signal));
    let mut signals = SignalsInfo::<WithOrigin>::new(now)?;
    let handle = signals.handle();
    let mut child = metered(program, agent, live).args(arguments).spawn()?;
    let pid = Pid::from_child(&child);
    for signal in later {
        handle.add_signal(signal)?;
    }
    let passing = thread::spawn(move || {
        for origin in signals.forever() {
            // What the terminal sends, it sends to the command as well.
            let terminal = matches!(origin.cause, Cause::Kernel);
            if let Some(signal) = Signal::from_named_raw(origin.signal).filter(|_| !terminal) {
                let _ = kill_process(pid, signal);
            }
        }
    });
    let status = child.wait();
    handle.close();
    let _ = passing.join();
    status
}

/// A command with the agent preloaded, to count in the folder `live`.
pub fn metered(program: &OsStr, agent: &Path, live: &Path) -> Command {
    let mut command = Command::new(program);
    command.env(PRELOAD_VARIABLE, preload(agent)).env(FOLDER_VARIABLE, live);
    command
}

/// Ends as the command ended: with its exit code, or by the signal that ended it.
pub fn end_like(status: ExitStatus) -> ExitCode {
    if let Some(code) = status.code() {
        return ExitCode::from(code as u8);
    }
    if let Some(signal) = status.signal() {
        // The command has left its own core file, if any.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        let _ = signal_hook::low_level::emulate_default_handler(signal);
        return ExitCode::from(128u8.wrapping_add(signal as u8));
    }
    ExitCode::FAILURE
}

/// The libraries to preload: ours first, then those that were to be preloaded anyway.
fn preload(agent: &Path) -> OsString {
    let mut libraries = agent.as_os_str().to_owned();
    if let Some(present) = env::var_os(PRELOAD_VARIABLE).filter(|present| !present.is_empty()) {
        libraries.push(OsStr::new(":"));
        libraries.push(present);
    }
    libraries
}

/// Whether this process ignores a signal, as whoever started it did.
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // One bit each, signal 1 the lowest.
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
