//! Whether a program that is about to be executed can take the agent.
//!
//! The loader of another C library, or of another word size, can't load it, and ends the program or complains to
//! its standard error; a sanitizer's runtime ends the program if another library was loaded before it. What is
//! looked at is in the executable's headers: its class, its loader, the libraries that it needs. All of it may run
//! between `vfork` and `exec`, and in a signal handler: it takes no memory but the stack, and no locks.

use std::ffi::{CStr, c_char, c_int};

use opmeter_live::is_sanitizer;

/// Bytes of a file's start that are looked at, and of its dynamic section at a time.
const PIECE: usize = 1024;

/// Interpreters that lead to interpreters: the kernel follows no more.
const SCRIPTS: usize = 5;

/// Bytes of a script's first line that the kernel looks at.
const FIRST_LINE: usize = 256;

/// The longest path, with its end, in bytes.
const PATH: usize = 4096;

/// Entries of a program's or library's tables that are looked at: more than there are in any that a linker makes.
const ENTRIES: u64 = 4096;

/// Which program is executed.
#[derive(Clone, Copy)]
pub enum Program {
    /// The file at a path.
    Path(*const c_char),
    /// The file of that name in the folders of `PATH`, unless the name is a path.
    Name(*const c_char),
    /// An open file.
    Open(c_int),
}

impl Program {
    /// Whether the agent can be loaded into the program. True where that can't be known: who can't read it may not
    /// be able to execute it either. `sanitized` says that a sanitizer's runtime is preloaded first.
    ///
    /// # Safety
    /// A path or name is a terminated string.
    pub unsafe fn takes_agent(self, sanitized: bool) -> bool {
        match self {
            // SAFETY: promised by the caller.
            Self::Path(path) => at_path(unsafe { CStr::from_ptr(path) }, sanitized, SCRIPTS),
            Self::Name(name) => {
                // SAFETY: as above.
                let name = unsafe { CStr::from_ptr(name) };
                match name.to_bytes().contains(&b'/') {
                    true => at_path(name, sanitized, SCRIPTS),
                    false => in_folders(name, sanitized),
                }
            }
            Self::Open(file) => Image(file).takes_agent(sanitized, SCRIPTS),
        }
    }
}

fn at_path(path: &CStr, sanitized: bool, scripts: usize) -> bool {
    Opened::new(path).map_or(true, |file| Image(file.0).takes_agent(sanitized, scripts))
}

/// As `execvp` looks for it.
#[inline(never)]
fn in_folders(name: &CStr, sanitized: bool) -> bool {
    // SAFETY: reads the environment, as `execvp` is about to.
    let folders = unsafe { libc::getenv(c"PATH".as_ptr()) };
    let folders = match folders.is_null() {
        true => c"/bin:/usr/bin",
        // SAFETY: a terminated string.
        false => unsafe { CStr::from_ptr(folders) },
    };
    let name = name.to_bytes_with_nul();
    for folder in folders.to_bytes().split(|byte| *byte == b':') {
        let mut path = [0u8; PATH];
        let mut end = 0;
        for part in [folder, if folder.is_empty() { b"" } else { b"/" }, name] {
            let Some(room) = path.get_mut(end..end + part.len()) else { return true };
            room.copy_from_slice(part);
            end += part.len();
        }
        let Ok(path) = CStr::from_bytes_until_nul(&path) else { continue };
        // SAFETY: a terminated path.
        let found = unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::X_OK, libc::AT_EACCESS) };
        if found == 0 && !is_folder(path) {
            return at_path(path, sanitized, SCRIPTS);
        }
    }
    true
}

fn is_folder(path: &CStr) -> bool {
    // SAFETY: a terminated path; nothing is made.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC) };
    if file >= 0 {
        drop(Opened(file));
    }
    file >= 0
}

/// A file that is open for reading.
struct Opened(c_int);

impl Opened {
    /// Opens a file, or gives the error's number.
    fn new(path: &CStr) -> Result<Self, c_int> {
        // Not to wait for who writes to a pipe of that name.
        let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
        // SAFETY: a terminated path.
        match unsafe { libc::open(path.as_ptr(), flags) } {
            // SAFETY: the thread's own error number.
            -1 => Err(unsafe { *libc::__errno_location() }),
            file => Ok(Self(file)),
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: opened by us.
        unsafe { libc::close(self.0) };
    }
}

/// An executable's open file.
struct Image(c_int);

/// What a segment of a program's headers is.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    length: u64,
}

const LOADED: u32 = 1;
const DYNAMIC: u32 = 2;
const LOADER: u32 = 3;

const NEEDED: u64 = 1;
const STRINGS: u64 = 5;

impl Image {
    fn takes_agent(&self, sanitized: bool, scripts: usize) -> bool {
        let mut head = [0u8; PIECE];
        let head = self.read(0, &mut head);
        if let Some(line) = head.strip_prefix(b"#!") {
            return scripts == 0 || interpreter_takes_agent(line, sanitized, scripts - 1);
        }
        // Anything else is for a shell, or for what the kernel was told of.
        head.get(..20).is_none_or(|start| !start.starts_with(b"\x7fELF")) || self.elf(head, sanitized)
    }

    fn elf(&self, head: &[u8], sanitized: bool) -> bool {
        // 64 bits, x86-64.
        if head[4] != 2 || head[18..20] != [62, 0] {
            return false;
        }
        let (Some(table), Some(count)) = (word(head, 32), half(head, 56)) else { return true };
        let segments =
            || (0..count.min(ENTRIES)).filter_map(|index| self.segment(table.wrapping_add(56 * index)));
        let Some(loader) = segments().find(|segment| segment.kind == LOADER) else { return true };
        if !self.is_glibc(&loader) {
            return false;
        }
        let Some(dynamic) = segments().find(|segment| segment.kind == DYNAMIC) else { return true };
        let Some(strings) = self.entries(&dynamic).find(|(tag, _)| *tag == STRINGS) else { return true };
        let holds = |segment: &Segment| {
            segment.kind == LOADED && strings.1.wrapping_sub(segment.address) < segment.length
        };
        let Some(segment) = segments().find(holds) else { return true };
        let strings = (strings.1 - segment.address).wrapping_add(segment.offset);
        let mut needed = self.entries(&dynamic).filter(|(tag, _)| *tag == NEEDED);
        sanitized || !needed.any(|(_, name)| self.is_sanitizer(strings.wrapping_add(name)))
    }

    /// The segment whose header lies at an offset.
    fn segment(&self, offset: u64) -> Option<Segment> {
        let mut header = [0u8; 56];
        let header = self.read(offset, &mut header);
        Some(Segment {
            kind: u32::from_le_bytes(header.get(..4)?.try_into().ok()?),
            offset: word(header, 8)?,
            address: word(header, 16)?,
            length: word(header, 32).filter(|length| *length < 1 << 47)?,
        })
    }

    /// Whether a program's loader is that of the GNU C library, by its name.
    fn is_glibc(&self, segment: &Segment) -> bool {
        let mut path = [0u8; FIRST_LINE];
        let path = self.read(segment.offset, &mut path);
        let path = path.get(..path.len().min(segment.length as usize)).unwrap_or_default();
        let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        // The second one is its real name up to 2.33, the third one that of the Linux Standard Base.
        let names: [&[u8]; 3] = [b"ld-linux-x86-64.so", b"ld-2.", b"ld-lsb-x86-64.so"];
        names.iter().any(|start| name.starts_with(start))
    }

    /// The entries of the dynamic section: what they are, and their values.
    fn entries(&self, section: &Segment) -> impl Iterator<Item = (u64, u64)> {
        let (start, count) = (section.offset, (section.length / 16).min(ENTRIES));
        let mut piece = [0u8; PIECE];
        let mut held = 0..0;
        (0..count).map_while(move |index| {
            let offset = 16 * index as usize;
            if !held.contains(&offset) {
                held = offset..offset + self.read(start.wrapping_add(offset as u64), &mut piece).len();
            }
            let entry = piece.get(offset - held.start..held.len())?;
            let (tag, value) = (word(entry, 0)?, word(entry, 8)?);
            (tag != 0).then_some((tag, value))
        })
    }

    /// Whether the library whose name lies at an offset is a sanitizer's.
    fn is_sanitizer(&self, name: u64) -> bool {
        let mut text = [0u8; FIRST_LINE];
        let text = self.read(name, &mut text);
        is_sanitizer(text.split(|byte| *byte == 0).next().unwrap_or_default())
    }

    /// Reads what there is at an offset, up to the room's end.
    fn read<'r>(&self, offset: u64, room: &'r mut [u8]) -> &'r [u8] {
        let Ok(offset) = i64::try_from(offset) else { return &[] };
        // SAFETY: room for so many bytes.
        let read = unsafe { libc::pread64(self.0, room.as_mut_ptr().cast(), room.len(), offset) };
        room.get(..usize::try_from(read).unwrap_or(0)).unwrap_or_default()
    }
}

/// The interpreter that the rest of a script's first line names.
fn interpreter_takes_agent(line: &[u8], sanitized: bool, scripts: usize) -> bool {
    let line = &line[..line.len().min(FIRST_LINE - 2)];
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.trim_ascii_start();
    let path = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | 0)).next().unwrap_or_default();
    let mut terminated = [0u8; FIRST_LINE];
    terminated[..path.len()].copy_from_slice(path);
    CStr::from_bytes_until_nul(&terminated).map_or(true, |path| at_path(path, sanitized, scripts))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::ffi::CString;
    use std::fs;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};

    use super::*;

    /// A program with a loader that needs libraries, if it has one.
    fn program(loader: Option<&str>, needed: &[&str]) -> Vec<u8> {
        const BASE: u64 = 0x40_0000;
        let mut file = vec![0u8; 64 + 3 * 56];
        file[..5].copy_from_slice(b"\x7fELF\x02");
        file[18] = 62;
        file[32] = 64;
        file[56] = 3;
        let segment = |file: &mut Vec<u8>, index: usize, kind: u32, offset: usize, length: usize| {
            let at = 64 + 56 * index;
            file[at..at + 4].copy_from_slice(&kind.to_le_bytes());
            for (field, value) in [(8, offset as u64), (16, BASE + offset as u64), (32, length as u64)] {
                file[at + field..at + field + 8].copy_from_slice(&value.to_le_bytes());
            }
        };
        if let Some(loader) = loader {
            let offset = file.len();
            file.extend(loader.bytes().chain([0]));
            segment(&mut file, 0, LOADER, offset, loader.len() + 1);
        }
        let strings = file.len();
        let mut entries = vec![];
        for name in needed {
            entries.push((NEEDED, (file.len() - strings) as u64));
            file.extend(name.bytes().chain([0]));
        }
        // As linkers write them: names first, then where their strings are. Many, to fill more than one piece.
        entries.extend([(0x1e, 0); 90]);
        entries.extend([(STRINGS, BASE + strings as u64), (0, 0)]);
        let offset = file.len();
        file.extend(entries.iter().flat_map(|(tag, value)| [*tag, *value]).flat_map(u64::to_le_bytes));
        let length = file.len() - offset;
        segment(&mut file, 1, DYNAMIC, offset, length);
        let length = file.len();
        segment(&mut file, 2, LOADED, 0, length);
        file
    }

    const GLIBC: Option<&str> = Some("/lib64/ld-linux-x86-64.so.2");

    fn place(folder: &Path, content: &[u8]) -> PathBuf {
        let path = folder.join("program");
        fs::write(&path, content).unwrap();
        path
    }

    fn takes(path: &Path, sanitized: bool) -> bool {
        let name = CString::new(path.as_os_str().as_bytes()).unwrap();
        let file = fs::File::open(path);
        // SAFETY: a terminated path.
        let by_path = unsafe { Program::Path(name.as_ptr()).takes_agent(sanitized) };
        if let Ok(file) = file {
            // SAFETY: an open file.
            assert_eq!(by_path, unsafe { Program::Open(file.as_raw_fd()).takes_agent(sanitized) });
        }
        by_path
    }

    #[test]
    fn programs_of_other_loaders_and_word_sizes_do_not_take_it() {
        let folder = tempfile::tempdir().unwrap();
        let takes = |content: &[u8]| takes(&place(folder.path(), content), false);
        assert!(takes(&program(GLIBC, &["libc.so.6"])));
        assert!(takes(&program(Some("/nix/store/x-glibc-2.40/lib/ld-linux-x86-64.so.2"), &[])));
        assert!(takes(&program(None, &[])), "a static program hands the variable on");
        assert!(!takes(&program(Some("/lib/ld-musl-x86_64.so.1"), &["libc.so"])));
        assert!(!takes(&program(Some("/system/bin/linker64"), &["libc.so"])));
        for (at, value) in [(4, 1), (18, 3), (18, 183)] {
            let mut other = program(GLIBC, &["libc.so.6"]);
            other[at] = value;
            assert!(!takes(&other), "{at} {value}");
        }
    }

    #[test]
    fn a_sanitizers_runtime_must_come_first() {
        let folder = tempfile::tempdir().unwrap();
        for library in ["libasan.so.8", "libtsan.so.2", "libclang_rt.asan-x86_64.so"] {
            let path = place(folder.path(), &program(GLIBC, &["libm.so.6", library, "libc.so.6"]));
            assert!(!takes(&path, false), "{library}");
            assert!(takes(&path, true), "{library}");
        }
    }

    #[test]
    fn scripts_are_followed_to_their_interpreter() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("musl"), program(Some("/lib/ld-musl-x86_64.so.1"), &[])).unwrap();
        fs::write(path("glibc"), program(GLIBC, &[])).unwrap();
        for (interpreter, expected) in [("musl", false), ("glibc", true)] {
            let interpreter = path(interpreter).display().to_string();
            fs::write(path("first"), format!("#! {interpreter} -x\nmore")).unwrap();
            fs::write(path("second"), format!("#!{}", path("first").display())).unwrap();
            assert_eq!(takes(&path("first"), false), expected);
            assert_eq!(takes(&path("second"), false), expected);
        }
        fs::write(path("circle"), format!("#!{}\n", path("circle").display())).unwrap();
        assert!(takes(&path("circle"), false));
        fs::write(path("text"), "echo\n").unwrap();
        assert!(takes(&path("text"), false), "a shell takes it");
        assert!(takes(&path("none"), false));
    }

    #[test]
    fn damaged_programs_are_looked_at_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let whole = program(GLIBC, &["libasan.so.8"]);
        for length in (0..whole.len()).step_by(7) {
            takes(&place(folder.path(), &whole[..length]), false);
        }
        for at in (4..whole.len()).step_by(3) {
            let mut damaged = whole.clone();
            damaged[at] = 0xff;
            takes(&place(folder.path(), &damaged), false);
        }
    }
}
