//! The agent's library: carried inside the command, unpacked where processes can load it from.

use std::env;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::error::Failure;

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
        "found no folder to load the agent from; set {CACHE_VARIABLE} to a folder of yours that is not \
         mounted noexec. Tried:{problems}"
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
    // The loader splits LD_PRELOAD at spaces and colons.
    if !folder.is_absolute() || folder.as_os_str().as_bytes().iter().any(|b| b" :\t\n".contains(b)) {
        return Err(io::Error::other("a path with spaces or colons, or a relative one, can't be preloaded"));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let owner = fs::metadata(folder)?;
    if owner.uid() != rustix::process::geteuid().as_raw() || owner.mode() & 0o022 != 0 {
        return Err(io::Error::other("others may write there"));
    }
    if statvfs(folder)?.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return Err(io::Error::other("mounted noexec"));
    }
    let path =
        folder.join(concat!("agent-", env!("CARGO_PKG_VERSION"), "-", env!("OPMETER_AGENT_HASH"), ".so"));
    if fs::read(&path).is_ok_and(|present| present == LIBRARY) {
        return Ok(path);
    }
    let draft = folder.join(format!(".agent-{}.tmp", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o500).open(&draft)?;
    let written = file.write_all(LIBRARY).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map(|()| path)
}
