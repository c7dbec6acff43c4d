//! Which CPython this process is, if any.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::module::Module;

/// A CPython interpreter that is loaded into this process.
pub struct Interpreter {
    /// The module that holds it.
    pub module: Module,
    /// Major, minor and patch version.
    pub version: (u8, u8, u8),
    /// What `Py_GetVersion` says, in one line.
    pub build: String,
    /// Whether it is a build without the global interpreter lock.
    pub free_threaded: bool,
    /// Address of the function that gives the calling thread's state, or null.
    pub thread_state: Option<usize>,
    /// Address of the function that gives a thread state's interpreter.
    thread_interpreter: Option<usize>,
}

/// `Py_AuditHookFunction`.
pub type AuditHook = extern "C" fn(event: *const c_char, args: *mut c_void, data: *mut c_void) -> c_int;

impl Interpreter {
    /// The interpreter of this process, or `None` where it is no CPython.
    pub fn find() -> Option<Self> {
        let get_version = symbol(c"Py_GetVersion")?;
        let module = Module::containing(get_version as usize)?;
        // SAFETY: `const char *Py_GetVersion(void)`; it may be called before Python is initialised
        // (documented), and returns a static string.
        let text = unsafe {
            let get_version: extern "C" fn() -> *const c_char = std::mem::transmute(get_version);
            CStr::from_ptr(get_version())
        };
        let build = text.to_string_lossy().split_whitespace().collect::<Vec<_>>().join(" ");
        let version = parse_version(&build)?;
        let free_threaded = build.contains("free-threading build");
        let address = |name| symbol(name).map(|address| address as usize);
        let thread_state =
            address(c"PyThreadState_GetUnchecked").or_else(|| address(c"_PyThreadState_UncheckedGet"));
        let thread_interpreter = address(c"PyThreadState_GetInterpreter");
        Some(Self { module, version, build, free_threaded, thread_state, thread_interpreter })
    }

    /// The address of the interpreter state that the calling thread runs in (3.9 and later), or `None`
    /// where it runs in none.
    pub fn present_state(&self) -> Option<usize> {
        // SAFETY: both functions take and give the pointers that they are declared with here
        // (`Include/cpython/pystate.h`); the first one may be called in any state of the interpreter, the
        // second one with any thread state.
        unsafe {
            let thread: extern "C" fn() -> *mut c_void = std::mem::transmute(self.thread_state?);
            let interpreter: extern "C" fn(*mut c_void) -> *mut c_void =
                std::mem::transmute(self.thread_interpreter?);
            let thread = thread();
            (!thread.is_null()).then(|| interpreter(thread) as usize)
        }
    }

    /// Has the interpreter call `hook` for every audit event, from now on.
    ///
    /// Returns false where the interpreter does not take it.
    pub fn add_audit_hook(&self, hook: AuditHook) -> bool {
        let Some(add) = symbol(c"PySys_AddAuditHook") else { return false };
        // SAFETY: `int PySys_AddAuditHook(Py_AuditHookFunction, void *)`; it may be called before Python
        // is initialised (documented).
        unsafe {
            let add: extern "C" fn(AuditHook, *mut c_void) -> c_int = std::mem::transmute(add);
            add(hook, std::ptr::null_mut()) == 0
        }
    }
}

/// The version at the head of a build text: `3.11.7 (main, ...`, `3.14.0rc1 ...`, `3.13.0+ ...`.
fn parse_version(build: &str) -> Option<(u8, u8, u8)> {
    let mut numbers = build.split(' ').next()?.splitn(3, '.');
    let mut number = || {
        let part = numbers.next()?;
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    };
    Some((number()?, number()?, number()?))
}

/// The address of a symbol that any loaded module exports.
pub fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a terminated name; looking it up has no other effect.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_of_releases_and_others() {
        assert_eq!(parse_version("3.11.7 (main, Dec 4 2023) [GCC 12.2.0]"), Some((3, 11, 7)));
        assert_eq!(parse_version("3.15.0rc1 (main)"), Some((3, 15, 0)));
        assert_eq!(parse_version("3.13.0+ experimental free-threading build"), Some((3, 13, 0)));
        assert_eq!(parse_version("unknown"), None);
    }
}
