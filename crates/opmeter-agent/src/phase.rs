//! Phases of a process, and what else audit events tell.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::meter::{self, Meter};

const MAIN: usize = 1;
const SHUTDOWN: usize = 2;

/// Receives every audit event; never objects to one.
pub extern "C" fn audit_hook(event: *const c_char, arguments: *mut c_void, _: *mut c_void) -> c_int {
    // SAFETY: the interpreter passes a terminated name.
    let event = unsafe { CStr::from_ptr(event) }.to_bytes();
    let _ = std::panic::catch_unwind(|| {
        let Some(meter) = meter::get() else { return };
        meter.watch_interpreters();
        if event.starts_with(b"cpython.") || event.starts_with(b"sys.") {
            heed(meter, event);
        }
        if event == b"code.__new__" && meter.opcodes().version().1 <= 10 {
            meter.cells().inspect(|cells| cells.bytecode_is_shared(arguments));
        }
    });
    0
}

fn heed(meter: &Meter, event: &[u8]) {
    let enter = |phase| {
        meter.change_phase(|| {
            meter.with_live(|live| live.enter_phase(phase));
            if let Some(cells) = meter.cells() {
                cells.enter_phase(phase, meter.sites());
            }
        });
    };
    match event {
        b"cpython.run_command" | b"cpython.run_file" | b"cpython.run_module" | b"cpython.run_stdin" => {
            enter(MAIN);
        }
        b"cpython._PySys_ClearAuditHooks" => enter(SHUTDOWN),
        // Raised by who makes another one, before it is there.
        b"cpython.PyInterpreterState_New" => meter.interpreters_run_apart(),
        b"sys.settrace" | b"sys.setprofile" | b"sys.monitoring.register_callback" => meter.tracing_begins(),
        _ => {}
    }
}
