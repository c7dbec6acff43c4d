//! Programs that limit, or lock, their own address space.
//!
//! The flat table of [`crate::cell_index`] is terabytes of addresses, of which little is memory. A limit that a program
//! sets for itself (`resource.setrlimit`) would be exceeded at once, and `mlockall` would make memory of all of it. The
//! functions here stand before the C library's of the same name: before they do what those do, the flat table is left
//! for one that takes little.

use std::ffi::{c_int, c_long};
use std::mem::transmute;

use libc::{pid_t, rlimit};

use crate::interpreter::symbol;
use crate::meter;

/// Lock pages when they are first touched (Linux 4.4, `mlockall(2)`).
const MCL_ONFAULT: c_int = 4;

/// Leaves the flat table, if that can be done now: false where it stays.
fn make_small() -> bool {
    let left = std::panic::catch_unwind(|| {
        let Some(meter) = meter::get() else { return true };
        if meter.cells().is_none_or(|cells| cells.index.flat().is_none()) {
            return true;
        }
        // Without the lock, another thread may be in a stub that reads the table.
        if !holds_interpreter() {
            return false;
        }
        meter.leave_flat();
        meter.cells().is_none_or(|cells| cells.index.flat().is_none())
    });
    left.unwrap_or(false)
}

/// Whether the calling thread holds the interpreter's lock.
fn holds_interpreter() -> bool {
    let Some(check) = symbol(c"PyGILState_Check") else { return false };
    // SAFETY: `int PyGILState_Check(void)`, which any thread may call.
    unsafe {
        let check: extern "C" fn() -> c_int = transmute(check);
        check() == 1
    }
}

/// Changes or asks for a limit: the system call of this name.
///
/// # Safety
/// As `prlimit(2)`.
unsafe fn change(pid: pid_t, resource: c_int, new: *const rlimit, old: *mut rlimit) -> c_int {
    let of_addresses = resource == libc::RLIMIT_AS as c_int || resource == libc::RLIMIT_DATA as c_int;
    // SAFETY: null or the caller's.
    let limits = unsafe { new.as_ref() }.is_some_and(|new| new.rlim_cur != libc::RLIM_INFINITY);
    // SAFETY: asks for a number.
    if of_addresses && limits && (pid == 0 || pid == unsafe { libc::getpid() }) {
        make_small();
    }
    let [pid, resource] = [c_long::from(pid), c_long::from(resource)];
    // SAFETY: the caller's; `errno` is set as by the function that stands behind this one.
    unsafe { libc::syscall(libc::SYS_prlimit64, pid, resource, new, old) as c_int }
}

/// Stands before the C library's function.
///
/// # Safety
/// As that of `setrlimit(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn setrlimit(resource: c_int, limits: *const rlimit) -> c_int {
    // SAFETY: the caller's.
    unsafe { change(0, resource, limits, std::ptr::null_mut()) }
}

/// As [`setrlimit`], of which it is another name on x86-64.
///
/// # Safety
/// As that of `setrlimit(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn setrlimit64(resource: c_int, limits: *const rlimit) -> c_int {
    // SAFETY: the caller's.
    unsafe { change(0, resource, limits, std::ptr::null_mut()) }
}

/// Stands before the C library's function.
///
/// # Safety
/// As that of `prlimit(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prlimit(pid: pid_t, resource: c_int, new: *const rlimit, old: *mut rlimit) -> c_int {
    // SAFETY: the caller's.
    unsafe { change(pid, resource, new, old) }
}

/// As [`prlimit`], of which it is another name on x86-64.
///
/// # Safety
/// As that of `prlimit(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prlimit64(
    pid: pid_t,
    resource: c_int,
    new: *const rlimit,
    old: *mut rlimit,
) -> c_int {
    // SAFETY: the caller's.
    unsafe { change(pid, resource, new, old) }
}

/// Stands before the C library's function. Where the flat table can't be left, as in a call that has let go of the
/// interpreter's lock, pages are locked when they are touched, rather than terabytes of them now.
#[unsafe(no_mangle)]
pub extern "C" fn mlockall(flags: c_int) -> c_int {
    let flags = if make_small() { flags } else { flags | MCL_ONFAULT };
    // SAFETY: takes a number; `errno` is set as by the function that stands behind this one.
    unsafe { libc::syscall(libc::SYS_mlockall, c_long::from(flags)) as c_int }
}
