//! Folders that nobody else can put anything into, or in the place of: for what is loaded into processes, and what is
//! believed when it is read again.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The bits of who else may write, the bit that keeps others from renaming what is not theirs, in a mode.
const OTHERS_WRITE: u32 = 0o002;
const GROUP_WRITES: u32 = 0o020;
const STICKY: u32 = 0o1000;

/// Makes a folder and those that it lies in, as far as they are missing, for the user alone; gives where it is, without
/// links.
///
/// # Errors
/// When it can't be made; when it, or the way to it, is not the user's and nobody else's.
pub fn make(folder: &Path) -> io::Result<PathBuf> {
    // In a folder where everyone may make links, one of somebody else could lead anywhere.
    if let Ok(present) = fs::symlink_metadata(folder)
        && present.is_symlink()
        && present.uid() != user()
    {
        return Err(refused(folder, "is a link that another user has made"));
    }
    // Nothing is made where somebody else could exchange it.
    let folder = std::path::absolute(folder)?;
    let present = folder.ancestors().find(|above| fs::symlink_metadata(above).is_ok());
    require_way(&fs::canonicalize(present.unwrap_or(Path::new("/")))?)?;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let folder = fs::canonicalize(folder)?;
    require_own(&folder, &fs::metadata(&folder)?)?;
    require_way(&folder)?;
    Ok(folder)
}

/// Checks that nobody but the user, root, and whose the system is can put something else in the place of what is the
/// user's in a folder, or in the place of the folder itself.
fn require_way(folder: &Path) -> io::Result<()> {
    let system = fs::metadata("/")?.uid();
    for above in folder.ancestors() {
        let metadata = fs::metadata(above)?;
        if ![user(), 0, system].contains(&metadata.uid()) {
            return Err(refused(above, &format!("belongs to another user, {}", metadata.uid())));
        }
        if is_writable_by_others(&metadata) && metadata.mode() & STICKY == 0 {
            return Err(refused(above, "can be written to by others"));
        }
    }
    Ok(())
}

/// Checks that a folder or file is the user's, and nobody else may write to it.
///
/// # Errors
/// When it is not, with the reason.
pub fn require_own(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if metadata.uid() != user() {
        return Err(refused(path, &format!("belongs to another user, {}", metadata.uid())));
    }
    if is_writable_by_others(metadata) {
        return Err(refused(path, "can be written to by others"));
    }
    Ok(())
}

fn is_writable_by_others(metadata: &Metadata) -> bool {
    // Many systems give each user a group of their own, of the same number.
    let mode = metadata.mode();
    mode & OTHERS_WRITE != 0 || mode & GROUP_WRITES != 0 && metadata.gid() != user()
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn refused(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {why}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_the_users_alone() {
        let place = tempfile::tempdir().unwrap();
        let made = make(&place.path().join("a/b")).unwrap();
        for folder in [&made, made.parent().unwrap()] {
            assert_eq!(fs::metadata(folder).unwrap().mode() & 0o777, 0o700);
        }
        assert_eq!(make(&made).unwrap(), made);
    }

    #[test]
    fn folders_that_others_may_change_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let made = make(&place.path().join("a/b")).unwrap();
        set_mode(&made, 0o777);
        assert!(make(&made).unwrap_err().to_string().contains("can be written to by others"));
        set_mode(&made, 0o700);
        let above = made.parent().unwrap();
        set_mode(above, 0o777);
        let error = make(&made).unwrap_err().to_string();
        assert!(error.starts_with(above.to_str().unwrap()) && error.contains("by others"), "{error}");
        // As /tmp is: who may write there can't rename what is not theirs.
        set_mode(above, 0o1777);
        make(&made).unwrap();
    }

    #[test]
    fn a_link_of_ones_own_is_followed() {
        let place = tempfile::tempdir().unwrap();
        let made = make(&place.path().join("a")).unwrap();
        let link = place.path().join("link");
        symlink(&made, &link).unwrap();
        assert_eq!(make(&link).unwrap(), made);
    }
}
