//! Which of the processes that count still run.

use std::fs;

use opmeter_live::{CODE_EXTENSION, LiveFile, PHASES, Word};

/// Whether a process with this ID runs that began at this time, in clock ticks since the machine started.
pub(crate) fn runs(pid: u64, ticks: u64) -> bool {
    process_start(pid) == Some(ticks)
}

/// When the process with this ID began, in clock ticks since the machine started; none where there is none, or where it
/// has ended and only waits to be waited for.
pub fn process_start(pid: u64) -> Option<u64> {
    start_and_end(pid).filter(|(_, has_ended)| !has_ended).map(|(started, _)| started)
}

/// As [`process_start`], also of one that only waits to be waited for, and whether it is such a one.
pub(crate) fn start_and_end(pid: u64) -> Option<(u64, bool)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18)?.parse().ok()?;
    Some((ticks, matches!(state, "Z" | "X")))
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
