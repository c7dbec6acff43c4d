//! Running the command under measurement.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use opmeter_live::{FOLDER_VARIABLE, PRELOAD_VARIABLE, relist};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getpid, setrlimit};

use crate::error::{FAILED, Failure};
use crate::signal_passing::{PASSED_ON, Reach, SignalPassing};
use crate::{ended_children, message};

/// Runs a command with the agent preloaded, with our own standard streams, folder and process group, and
/// waits for it. Signals that are sent to us are passed on to it.
///
/// # Errors
/// When the command can't be started.
pub fn run(command: &[OsString], agent: &Path, live: &Path) -> io::Result<ExitStatus> {
    let (program, arguments) = parts(command)?;
    // The command starts with those signals ignored that we were started with ignored, so we begin to
    // heed these only afterwards. It may well handle them.
    let (later, now): (Vec<i32>, Vec<i32>) = PASSED_ON.into_iter().partition(|signal| is_ignored(*signal));
    let passing = SignalPassing::begin(&now)?;
    let mut child = passing.spawn(metered(program, agent, live).args(arguments), Reach::Process)?;
    ended_children::heed();
    passing.add(&later)?;
    passing.call_witness();
    let status = child.wait();
    passing.end();
    match status {
        Err(error) if error.raw_os_error() == Some(Errno::CHILD.raw_os_error()) => {
            // It had ended before we could say that we want to know.
            message::tell("how the command ended is not known, for SIGCHLD is ignored here");
            Ok(ExitStatus::from_raw(i32::from(FAILED) << 8))
        }
        status => status,
    }
}

/// The program of a command, and its arguments.
///
/// # Errors
/// When there is none.
pub fn parts(command: &[OsString]) -> io::Result<(&OsString, &[OsString])> {
    command.split_first().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Why a command could not be started, and what to do.
pub fn not_started(command: &[OsString], error: &io::Error) -> Failure {
    let command = command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "there is no such command; check its name, and PATH",
        io::ErrorKind::PermissionDenied => "it is not executable",
        _ => return Failure::failed(format_args!("{command} could not be started: {error}")),
    };
    Failure::failed(format_args!("{command} could not be started: {advice}"))
}

/// A command with the agent preloaded, to count in the folder `live`.
pub fn metered(program: &OsStr, agent: &Path, live: &Path) -> Command {
    let mut command = Command::new(program);
    command.env(PRELOAD_VARIABLE, preload(agent)).env(FOLDER_VARIABLE, live);
    command
}

/// How a command ended, as the manifest has it.
pub fn exit_status(status: ExitStatus) -> opmeter_recording::ExitStatus {
    opmeter_recording::ExitStatus { code: status.code(), signal: status.signal() }
}

/// Ends as the command ended: with its exit code, or by the signal that ended it.
pub fn end_like(status: ExitStatus) -> ExitCode {
    if let Some(code) = status.code() {
        return ExitCode::from(code as u8);
    }
    if let Some(signal) = status.signal() {
        // The command has left its own core file, if any.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        return end_by(signal);
    }
    ExitCode::FAILURE
}

/// Ends by a signal, as if nothing handled it. The first process of a namespace can't: it gives the status that a shell
/// has for it.
pub fn end_by(signal: i32) -> ExitCode {
    if !getpid().is_init() {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    ExitCode::from(status_of(signal))
}

/// The status that a shell has for a command that a signal ended.
pub fn status_of(signal: i32) -> u8 {
    128u8.wrapping_add(signal as u8)
}

/// The libraries to preload: those that were to be preloaded anyway, with ours at its place.
fn preload(agent: &Path) -> OsString {
    let present = env::var_os(PRELOAD_VARIABLE).unwrap_or_default();
    let mut libraries = Vec::new();
    let add = |piece: &[u8]| libraries.extend_from_slice(piece);
    relist(present.as_bytes(), agent.as_os_str().as_bytes(), true, add);
    OsString::from_vec(libraries)
}

/// Whether this process ignores a signal, as whoever started it did.
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // One bit each, signal 1 the lowest.
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
