//! Programs that this process executes: the agent goes with them, where they can take it.
//!
//! A program that gives its child an environment of its own (`subprocess.run(..., env={...})`, `env -i`)
//! would lose the variables by which the agent is loaded; and a program for another loader, or another user, would
//! complain of it or end. The functions here stand before the C library's of the same name and give the program
//! an environment ([`crate::environment`]) that fits it. Like those, they may be called between `vfork` and the end of the child, and in
//! signal handlers.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use crate::environment::{Strings, fitting};
use crate::executable::Program;

/// From now on, programs that this process executes are accompanied. The functions are looked up: a forked child must
/// not wait for the loader's lock.
pub fn watch() {
    for real in [&EXECVE, &EXECVPE, &FEXECVE, &POSIX_SPAWN, &POSIX_SPAWNP] {
        real.get();
    }
}

/// A function of the C library that one of ours stands before. It is looked up early: a forked child must
/// not wait for the loader's lock.
struct Real {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

static EXECVE: Real = Real::new(c"execve");
static EXECVPE: Real = Real::new(c"execvpe");
static FEXECVE: Real = Real::new(c"fexecve");
static POSIX_SPAWN: Real = Real::new(c"posix_spawn");
static POSIX_SPAWNP: Real = Real::new(c"posix_spawnp");

impl Real {
    const fn new(name: &'static CStr) -> Self {
        Self { name, address: AtomicPtr::new(std::ptr::null_mut()) }
    }

    fn get(&self) -> Option<*mut c_void> {
        let mut address = self.address.load(Relaxed);
        if address.is_null() {
            // SAFETY: a terminated name.
            address = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
            self.address.store(address, Relaxed);
        }
        (!address.is_null()).then_some(address)
    }
}

fn missing() -> c_int {
    // SAFETY: the thread's own error number.
    unsafe { *libc::__errno_location() = libc::ENOSYS };
    -1
}

unsafe extern "C" {
    static environ: Strings;
}

type ExecVe = unsafe extern "C" fn(*const c_char, Strings, Strings) -> c_int;
type FExecVe = unsafe extern "C" fn(c_int, Strings, Strings) -> c_int;
type Spawn =
    unsafe extern "C" fn(*mut c_int, *const c_char, *const c_void, *const c_void, Strings, Strings) -> c_int;

/// `execve(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execve(path: *const c_char, argv: Strings, envp: Strings) -> c_int {
    let Some(real) = EXECVE.get() else { return missing() };
    // SAFETY: the C library's function, with our caller's arguments.
    unsafe { transmute::<*mut c_void, ExecVe>(real)(path, argv, fitting(Program::Path(path), envp)) }
}

/// `execv(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execv(path: *const c_char, argv: Strings) -> c_int {
    let Some(real) = EXECVE.get() else { return missing() };
    // SAFETY: as above, with the environment that `execv` takes.
    unsafe { transmute::<*mut c_void, ExecVe>(real)(path, argv, fitting(Program::Path(path), environ)) }
}

/// `execvpe(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvpe(file: *const c_char, argv: Strings, envp: Strings) -> c_int {
    let Some(real) = EXECVPE.get() else { return missing() };
    // SAFETY: as above.
    unsafe { transmute::<*mut c_void, ExecVe>(real)(file, argv, fitting(Program::Name(file), envp)) }
}

/// `execvp(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvp(file: *const c_char, argv: Strings) -> c_int {
    let Some(real) = EXECVPE.get() else { return missing() };
    // SAFETY: as above, with the environment that `execvp` takes.
    unsafe { transmute::<*mut c_void, ExecVe>(real)(file, argv, fitting(Program::Name(file), environ)) }
}

/// `fexecve(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fexecve(file: c_int, argv: Strings, envp: Strings) -> c_int {
    let Some(real) = FEXECVE.get() else { return missing() };
    // SAFETY: as above.
    unsafe { transmute::<*mut c_void, FExecVe>(real)(file, argv, fitting(Program::Open(file), envp)) }
}

/// `posix_spawn(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_spawn(
    pid: *mut c_int,
    path: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    argv: Strings,
    envp: Strings,
) -> c_int {
    let Some(real) = POSIX_SPAWN.get() else { return libc::ENOSYS };
    // SAFETY: as above.
    unsafe {
        let environment = fitting(Program::Path(path), envp);
        transmute::<*mut c_void, Spawn>(real)(pid, path, actions, attributes, argv, environment)
    }
}

/// `posix_spawnp(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_spawnp(
    pid: *mut c_int,
    file: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    argv: Strings,
    envp: Strings,
) -> c_int {
    let Some(real) = POSIX_SPAWNP.get() else { return libc::ENOSYS };
    // SAFETY: as above.
    unsafe {
        let environment = fitting(Program::Name(file), envp);
        transmute::<*mut c_void, Spawn>(real)(pid, file, actions, attributes, argv, environment)
    }
}
