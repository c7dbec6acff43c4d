//! Whether a program that is about to be executed will be able to read a file: between `vfork` and `exec`, as all that
//! happens there, without memory but the stack.

use std::ffi::{CStr, c_int};

/// Groups of a user that are looked at.
const GROUPS: usize = 256;

/// The longest path, with its end, in bytes.
const PATH: usize = 4096;

/// The capabilities by which a process reads what it otherwise may not: `CAP_DAC_OVERRIDE`, `CAP_DAC_READ_SEARCH`.
const READS_ALL: u32 = 1 << 1 | 1 << 2;

/// Whether the program that the calling process is about to execute can read a file: false only where it is known that
/// it can't.
pub fn will_be_readable(path: &CStr) -> bool {
    // SAFETY: a terminated path.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        // SAFETY: the thread's own error number.
        let error = unsafe { *libc::__errno_location() };
        return !matches!(error, libc::ENOENT | libc::ENOTDIR | libc::EACCES | libc::EPERM | libc::ELOOP);
    }
    // SAFETY: opened just now; and who the process is.
    let user = unsafe {
        libc::close(file);
        libc::geteuid()
    };
    // Who has changed from root to another user (as `setpriv` does) may keep capabilities up to the exec.
    user == 0 || !reads_all() || is_permitted(path, user)
}

/// Whether this process reads what its user may not.
fn reads_all() -> bool {
    // Version 3 of the interface; this process.
    let mut header = [0x2008_0522u32, 0];
    let mut sets = [0u32; 6];
    // SAFETY: two words for the head, and twice three for the sets, of which the first one is the effective one.
    let got = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) };
    got == 0 && sets[0] & READS_ALL != 0
}

/// Whether the modes of a file and of the folders above it let a user read it who has no capabilities.
#[inline(never)]
fn is_permitted(path: &CStr, user: libc::uid_t) -> bool {
    let mut groups = [0 as libc::gid_t; GROUPS];
    // SAFETY: room for so many groups.
    let count = unsafe { libc::getgroups(GROUPS as c_int, groups.as_mut_ptr()) };
    let Some(groups) = usize::try_from(count).ok().and_then(|count| groups.get(..count)) else { return true };
    // SAFETY: asks who the process is.
    let group = unsafe { libc::getegid() };
    let bytes = path.to_bytes();
    let permits = |part: &[u8], wanted: u32| {
        let mut name = [0u8; PATH];
        let Some(room) = name.get_mut(..part.len()) else { return true };
        room.copy_from_slice(part);
        let mut status = std::mem::MaybeUninit::<libc::stat64>::uninit();
        let room = status.as_mut_ptr();
        // SAFETY: a terminated path, and room for what is known of it.
        if unsafe { libc::stat64(name.as_ptr().cast(), room) } != 0 {
            return true;
        }
        // SAFETY: filled.
        let status = unsafe { status.assume_init() };
        let class = match () {
            () if status.st_uid == user => 6,
            () if status.st_gid == group || groups.contains(&status.st_gid) => 3,
            () => 0,
        };
        status.st_mode >> class & wanted == wanted
    };
    let folders = (0..bytes.len()).filter(|at| bytes[*at] == b'/').map(|at| &bytes[..at.max(1)]);
    folders.into_iter().all(|folder| permits(folder, 1)) && permits(bytes, 4)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::ffi::CString;
    use std::fs::{self, Permissions};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    /// A user that nothing here belongs to.
    const OTHER: libc::uid_t = 54321;

    #[test]
    fn modes_say_who_may_read() {
        let name = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        // Who else runs this test is in the file's group.
        let permitted = |group: u32, others: u32| {
            mode(folder.path(), 0o700 | group >> 2 << 3 | others >> 2);
            mode(&path, 0o600 | group << 3 | others);
            is_permitted(&name(&path), OTHER)
        };
        assert!(permitted(4, 4));
        assert!(!permitted(0, 4), "the group is asked before the others");
        assert!(permitted(4, 0));
        mode(folder.path(), 0o700);
        assert!(!is_permitted(&name(&path), OTHER), "the folder is closed");
        // SAFETY: asks who this is.
        assert!(is_permitted(&name(&path), unsafe { libc::geteuid() }));
        assert!(will_be_readable(&name(&path)));
        assert!(!will_be_readable(&name(&path.join("below"))));
        assert!(!will_be_readable(&name(&folder.path().join("none"))));
    }
}
