//! Forked children: each gets counters of its own.

use crate::{meter, thread};

/// Has every child of this process that is made by `fork` begin with a live file of its own.
pub fn watch() {
    // SAFETY: the handler is a plain function of this library, which is never unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

extern "C" fn in_child() {
    let _ = std::panic::catch_unwind(|| {
        let Some(meter) = meter::get() else { return };
        meter.break_locks();
        let lost = meter.with_live(|live| live.renew().err()).flatten();
        if let Some(error) = lost {
            meter.control().unrecorded(&error);
        }
        meter.restart_cells();
        meter.restart_times();
        meter.restart_events();
        thread::after_fork(meter);
    });
}
