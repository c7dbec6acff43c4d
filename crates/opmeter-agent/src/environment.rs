//! The environment of a program that this process executes: with the variables by which the agent is loaded, or,
//! where the program can't take the agent, without it.
//!
//! All of it may run between `vfork` and `exec`, where memory is the parent's, so memory comes from the system and
//! is used again.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::sync::OnceLock;

use opmeter_live::{FOLDER_VARIABLE, PRELOAD_VARIABLE, is_sanitizer, preloaded, relist};

use crate::executable::Program;
use crate::readability::will_be_readable;
use crate::thread_room::ThreadRoom;

/// A null-terminated array of terminated strings.
pub type Strings = *const *const c_char;

struct Variables {
    /// `OPMETER_LIVE=...`
    folder: CString,
    /// The agent's path.
    agent: CString,
    room: ThreadRoom,
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
    let agent = unsafe { CStr::from_ptr(info.dli_fname) }.to_owned();
    let folder = [FOLDER_VARIABLE.as_bytes(), b"=", folder.as_os_str().as_bytes()].concat();
    if let Ok(folder) = CString::new(folder) {
        let _ = VARIABLES.set(Variables { folder, agent, room: ThreadRoom::new() });
    }
}

/// What an environment says that matters here.
struct Given {
    strings: Strings,
    /// How many strings there are.
    length: usize,
    /// The last string that tells what to preload: the one that counts.
    preload: *const c_char,
    /// Whether the folder of the live files is in it.
    has_folder: bool,
}

impl Given {
    /// # Safety
    /// `strings` is null or as [`Strings`] are.
    unsafe fn new(strings: Strings) -> Self {
        let mut given = Self { strings, length: 0, preload: std::ptr::null(), has_folder: false };
        while let Some(string) = given.string(given.length) {
            match name(string) {
                Some(name) if name == PRELOAD_VARIABLE.as_bytes() => given.preload = string,
                Some(name) if name == FOLDER_VARIABLE.as_bytes() => given.has_folder = true,
                _ => {}
            }
            given.length += 1;
        }
        given
    }

    fn string(&self, index: usize) -> Option<*const c_char> {
        if self.strings.is_null() {
            return None;
        }
        // SAFETY: up to the null pointer at the array's end.
        let string = unsafe { *self.strings.add(index) };
        (!string.is_null()).then_some(string)
    }

    /// The list of libraries to be preloaded.
    fn list(&self) -> &[u8] {
        if self.preload.is_null() {
            return b"";
        }
        // SAFETY: a terminated string, which begins with the name and an equals sign.
        &unsafe { CStr::from_ptr(self.preload) }.to_bytes()[PRELOAD_VARIABLE.len() + 1..]
    }
}

/// The name of the variable in a string.
fn name<'s>(string: *const c_char) -> Option<&'s [u8]> {
    // SAFETY: a terminated string of an environment.
    let bytes = unsafe { CStr::from_ptr(string) }.to_bytes();
    bytes.iter().position(|byte| *byte == b'=').map(|end| &bytes[..end])
}

/// The environment that a program is to be executed with: `envp` itself where nothing is to be changed. It stays until
/// the calling thread asks for another one.
///
/// # Safety
/// `envp` is null or a null-terminated array of terminated strings, and the program as it says.
pub unsafe fn fitting(program: Program, envp: Strings) -> Strings {
    let Some(variables) = VARIABLES.get() else { return envp };
    // SAFETY: promised by the caller.
    let given = unsafe { Given::new(envp) };
    let agent = variables.agent.to_bytes();
    let list = given.list();
    let mut others = preloaded(list).map(|(library, _)| library).filter(|library| *library != agent);
    let sanitized = others.find(|library| !library.is_empty()).is_some_and(is_sanitizer);
    // SAFETY: as above.
    let takes = will_be_readable(&variables.agent) && unsafe { program.takes_agent(sanitized) };
    let mut libraries = preloaded(list).map(|(library, _)| library);
    let loaded = libraries.any(|library| library == agent);
    let fits = match takes {
        // What is left of the libraries are those behind it.
        true => loaded && given.has_folder && !libraries.any(is_sanitizer),
        false => !loaded,
    };
    if fits {
        return envp;
    }
    // Two more variables, and the end.
    let pointers = (given.length + 3) * size_of::<*const c_char>();
    let text = PRELOAD_VARIABLE.len() + 1 + list.len() + 1 + agent.len() + 1;
    let Some(room) = variables.room.take(pointers + text) else { return envp };
    let start = room.start();
    // SAFETY: the room's second part; the first one is for the pointers.
    let text = unsafe { std::slice::from_raw_parts_mut(start.add(pointers), text) };
    let preload = write_list(text, list, agent, takes).then_some(text.as_ptr().cast::<c_char>());
    let added = [
        preload.filter(|_| given.preload.is_null()),
        (takes && !given.has_folder).then(|| variables.folder.as_ptr()),
    ];
    let is_preload = |string| name(string) == Some(PRELOAD_VARIABLE.as_bytes());
    let kept = (0..given.length).filter_map(|index| {
        let string = given.string(index)?;
        if string == given.preload { preload } else { Some(string).filter(|string| !is_preload(*string)) }
    });
    let array: *mut *const c_char = start.cast();
    let strings = kept.chain(added.into_iter().flatten()).chain([std::ptr::null()]);
    for (index, string) in strings.enumerate() {
        // SAFETY: there is room for all strings that there were, two new ones and the end.
        unsafe { array.add(index).write(string) };
    }
    variables.room.give(room);
    array.cast_const()
}

/// Writes the variable with a list of libraries, terminated, with the agent at its place or without it. False where
/// there would be no library.
fn write_list(text: &mut [u8], list: &[u8], agent: &[u8], with_agent: bool) -> bool {
    let mut end = 0;
    let mut add = |part: &[u8]| {
        if let Some(room) = text.get_mut(end..end + part.len()) {
            room.copy_from_slice(part);
            end += part.len();
        }
    };
    add(PRELOAD_VARIABLE.as_bytes());
    add(b"=");
    let mut any = false;
    relist(list, agent, with_agent, |part| {
        any |= !part.is_empty();
        add(part);
    });
    add(b"\0");
    any
}
