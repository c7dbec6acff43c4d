//! Signals that ask to end, for commands whose own child processes have to end first.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use crate::launch::is_ignored;

/// From now on, a signal that asks to end is only told: by its number, in what is returned.
pub fn watch() -> Arc<AtomicUsize> {
    let told = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT].into_iter().filter(|signal| !is_ignored(*signal)) {
        // Where this can't be had, the signal ends the command as any other.
        let _ = flag::register_usize(signal, Arc::clone(&told), signal as usize);
    }
    told
}
