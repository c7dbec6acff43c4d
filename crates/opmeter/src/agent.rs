//! The agent's library: carried inside the command, unpacked where processes can load it from.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use opmeter_files::{create_anew, read_whole};
use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::error::Failure;
use crate::private_folder;

static LIBRARY: &[u8] = include_bytes!(env!("OPMETER_AGENT_LIBRARY"));

/// Names the only folder to unpack to.
const CACHE_VARIABLE: &str = "OPMETER_CACHE";

/// The path of the unpacked library. It is the same for every run of this build.
///
/// # Errors
/// When no folder is found that is private, writable and not mounted `noexec`.
pub fn library() -> Result<PathBuf, Failure> {
    let mut problems = String::new();
    for folder in caches() {
        match unpack(&folder) {
            Ok(path) => return Ok(path),
            Err(error) => problems.push_str(&format!("\n  {}: {error}", folder.display())),
        }
    }
    Err(Failure::failed(format_args!(
        "found no folder to load the agent from; set {CACHE_VARIABLE} to a folder that is yours alone and \
         not mounted noexec. Tried:{problems}"
    )))
}

/// Where caches may be, the best place first.
pub fn caches() -> Vec<PathBuf> {
    if let Some(folder) = env::var_os(CACHE_VARIABLE) {
        return vec![folder.into()];
    }
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = rustix::process::getuid().as_raw();
    let shared = |folder: PathBuf| folder.join(format!("opmeter-{user}"));
    [
        variable("XDG_CACHE_HOME").map(|cache| cache.join("opmeter")),
        variable("HOME").map(|home| home.join(".cache/opmeter")),
        variable("XDG_RUNTIME_DIR").map(|folder| folder.join("opmeter")),
        Some(shared(env::temp_dir())),
        Some(shared("/var/tmp".into())),
        Some(shared("/dev/shm".into())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unpack(folder: &Path) -> io::Result<PathBuf> {
    require_loadable(folder)?;
    let folder = &private_folder::make(folder)?;
    require_loadable(folder)?;
    if statvfs(folder)?.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return Err(io::Error::other("mounted noexec"));
    }
    let path =
        folder.join(concat!("agent-", env!("CARGO_PKG_VERSION"), "-", env!("OPMETER_AGENT_HASH"), ".so"));
    if is_present(&path) {
        return Ok(path);
    }
    let draft = folder.join(format!(".agent-{}.tmp", std::process::id()));
    let mut file = create_anew(&draft, 0o500)?;
    let written = file.write_all(LIBRARY).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map(|()| path)
}

/// The loader splits `LD_PRELOAD` at spaces and colons.
fn require_loadable(folder: &Path) -> io::Result<()> {
    if folder.is_absolute() && !folder.as_os_str().as_bytes().iter().any(|b| b" :\t\n".contains(b)) {
        return Ok(());
    }
    Err(io::Error::other("a path with spaces or colons, or a relative one, can't be preloaded"))
}

/// Whether the library is there already: byte by byte what it is, and nobody else's to change.
fn is_present(path: &Path) -> bool {
    let is_own = fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && private_folder::require_own(path, &metadata).is_ok());
    is_own && read_whole(path, LIBRARY.len() as u64).is_ok_and(|present| present == LIBRARY)
}
