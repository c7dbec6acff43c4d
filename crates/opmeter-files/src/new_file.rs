use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The mode of files that are their user's alone.
pub const PRIVATE: u32 = 0o600;

/// Makes a file that was not there, with a mode of which the process's mask is taken off. What has its name goes: what an
/// earlier process left, or a link, which is not followed.
///
/// # Errors
/// When it can't be made.
pub fn create_anew(path: &Path, mode: u32) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (other, path) = (folder.path().join("other"), folder.path().join("file"));
        fs::write(&other, "mine").unwrap();
        symlink(&other, &path).unwrap();
        let file = create_anew(&path, PRIVATE).unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&other).unwrap(), b"mine");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        // What an earlier process left.
        create_anew(&path, PRIVATE).unwrap();
    }
}
