//! Learning how children ended.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGCHLD;
use signal_hook::flag;

use crate::launch::is_ignored;

/// From now on the system tells how children end, also if whoever started us has told it not to (`trap '' CHLD`).
/// Programs that are started later find the signal as it is by default; those that were started before have it ignored,
/// as they would without us.
pub fn heed() {
    if is_ignored(SIGCHLD) {
        // A handler is what asks for it; it has nothing to do.
        let _ = flag::register(SIGCHLD, Arc::new(AtomicBool::new(false)));
    }
}
