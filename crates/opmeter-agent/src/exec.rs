//! Programs that this process executes: the agent goes with them.
//!
//! A program that gives its child an environment of its own (`subprocess.run(..., env={...})`, `env -i`)
//! would lose the variables by which the agent is loaded. The functions here stand before the C
//! library's of the same name and put the variables back where they are missing. Like those, they may be
//! called between `vfork` and the end of the child, so they take memory from the system, not the heap.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::transmute;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use opmeter_live::FOLDER_VARIABLE;

const PRELOAD: &[u8] = b"LD_PRELOAD=";

type Strings = *const *const c_char;

struct Variables {
    /// `OPMETER_LIVE=...`
    folder: CString,
    /// `LD_PRELOAD=` with the agent alone.
    preload: CString,
    /// The agent's path.
    agent: CString,
}

static VARIABLES: OnceLock<Variables> = OnceLock::new();

/// From now on, programs that this process executes count in `folder` as well.
pub fn accompany(folder: &Path) {
    use std::os::unix::ffi::OsStrExt;
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: an address of this library, and room for the answer.
    let known = unsafe { libc::dladdr((accompany as fn(&Path) as *const ()).cast(), &raw mut info) };
    if known == 0 || info.dli_fname.is_null() {
        return;
    }
    // SAFETY: the loader's name of this library, which stays.
    let agent = unsafe { CStr::from_ptr(info.dli_fname) };
    let variable = |name: &[u8], value: &[u8]| CString::new([name, b"=", value].concat());
    let folder = variable(FOLDER_VARIABLE.as_bytes(), folder.as_os_str().as_bytes());
    let preload = CString::new([PRELOAD, agent.to_bytes()].concat());
    if let (Ok(folder), Ok(preload)) = (folder, preload) {
        for real in [&EXECVE, &EXECVPE, &FEXECVE, &POSIX_SPAWN, &POSIX_SPAWNP] {
            real.get();
        }
        let _ = VARIABLES.set(Variables { folder, preload, agent: agent.to_owned() });
    }
}

/// An environment with the variables in it: `envp` itself where nothing is missing.
///
/// # Safety
/// `envp` is null or a null-terminated array of terminated strings.
unsafe fn completed(envp: Strings) -> Strings {
    let Some(variables) = VARIABLES.get() else { return envp };
    let mut length = 0;
    let mut preload: Option<&CStr> = None;
    let mut folder = false;
    let mut bytes = 0;
    if !envp.is_null() {
        // SAFETY: the array ends with a null pointer.
        while let Some(string) = unsafe { (*envp.add(length)).as_ref() } {
            // SAFETY: a terminated string.
            let string = unsafe { CStr::from_ptr(string) };
            if string.to_bytes().starts_with(PRELOAD) {
                preload = Some(string);
                bytes = string.to_bytes().len();
            }
            folder |=
                string.to_bytes().split(|byte| *byte == b'=').next() == Some(FOLDER_VARIABLE.as_bytes());
            length += 1;
        }
    }
    let agent = variables.agent.to_bytes();
    let loaded =
        preload.is_some_and(|string| string.to_bytes().windows(agent.len()).any(|part| part == agent));
    if folder && loaded {
        return envp;
    }
    let pointers = (length + 3) * size_of::<*const c_char>();
    let room = pointers + bytes + agent.len() + 2;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh mapping; execution of the program ends it.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), room, access, flags, -1, 0) };
    if memory == libc::MAP_FAILED {
        return envp;
    }
    let array: *mut *const c_char = memory.cast();
    let mut count = 0;
    let mut add = |string: *const c_char| {
        // SAFETY: there is room for all of the old strings, two new ones and the end, which is zero.
        unsafe { array.add(count).write(string) };
        count += 1;
    };
    for index in 0..length {
        // SAFETY: inside the array.
        let string = unsafe { *envp.add(index) };
        if loaded || preload.is_none_or(|preload| preload.as_ptr() != string) {
            add(string);
        }
    }
    if !folder {
        add(variables.folder.as_ptr());
    }
    match preload {
        _ if loaded => {}
        None => add(variables.preload.as_ptr()),
        Some(present) => {
            let parts = [PRELOAD, agent, b":", &present.to_bytes()[PRELOAD.len()..]];
            // SAFETY: behind the pointers there is room for both paths, a colon and the end.
            let text = unsafe { memory.cast::<u8>().add(pointers) };
            let mut end = text;
            for part in parts {
                // SAFETY: as above.
                unsafe {
                    std::ptr::copy_nonoverlapping(part.as_ptr(), end, part.len());
                    end = end.add(part.len());
                }
            }
            add(text.cast_const().cast());
        }
    }
    array.cast_const()
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
    unsafe { transmute::<*mut c_void, ExecVe>(real)(path, argv, completed(envp)) }
}

/// `execv(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execv(path: *const c_char, argv: Strings) -> c_int {
    let Some(real) = EXECVE.get() else { return missing() };
    // SAFETY: as above, with the environment that `execv` takes.
    unsafe { transmute::<*mut c_void, ExecVe>(real)(path, argv, completed(environ)) }
}

/// `execvpe(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvpe(file: *const c_char, argv: Strings, envp: Strings) -> c_int {
    let Some(real) = EXECVPE.get() else { return missing() };
    // SAFETY: as above.
    unsafe { transmute::<*mut c_void, ExecVe>(real)(file, argv, completed(envp)) }
}

/// `execvp(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvp(file: *const c_char, argv: Strings) -> c_int {
    let Some(real) = EXECVPE.get() else { return missing() };
    // SAFETY: as above, with the environment that `execvp` takes.
    unsafe { transmute::<*mut c_void, ExecVe>(real)(file, argv, completed(environ)) }
}

/// `fexecve(3)`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fexecve(file: c_int, argv: Strings, envp: Strings) -> c_int {
    let Some(real) = FEXECVE.get() else { return missing() };
    // SAFETY: as above.
    unsafe { transmute::<*mut c_void, FExecVe>(real)(file, argv, completed(envp)) }
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
    unsafe { transmute::<*mut c_void, Spawn>(real)(pid, path, actions, attributes, argv, completed(envp)) }
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
    unsafe { transmute::<*mut c_void, Spawn>(real)(pid, file, actions, attributes, argv, completed(envp)) }
}
