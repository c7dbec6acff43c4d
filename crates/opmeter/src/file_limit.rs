//! The limit on how long files may become (`ulimit -f`).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;

use crate::launch::is_ignored;

/// Has writes beyond the limit fail with an error to be told, rather than end the command. Programs that are
/// started find the signal as it was.
pub fn have_writes_fail() {
    if !is_ignored(SIGXFSZ) {
        // Where this can't be had, the command ends as any other would.
        let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }
}
