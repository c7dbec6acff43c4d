//! The processor time of children.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Processor time, user and system, of all children that have ended and been waited for, with theirs, in seconds.
pub fn seconds() -> f64 {
    let microseconds = getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_or(0, |usage| usage.user_time().num_microseconds() + usage.system_time().num_microseconds());
    microseconds as f64 / 1e6
}
