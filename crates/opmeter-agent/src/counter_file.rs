//! Opening the files that are counted in: they are their user's alone, and no link is followed to them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes a file that was not there.
///
/// # Errors
/// When it can't be made, also where there is something of its name.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file that was made before.
///
/// # Errors
/// When it can't be opened, also where a link has its name.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path)
}
