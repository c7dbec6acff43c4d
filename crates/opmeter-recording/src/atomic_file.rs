use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use opmeter_files::{PRIVATE, create_anew};

use crate::Error;

/// A file of the user's alone that appears under its name only when it is whole: it is written under a temporary name in the
/// same folder, then renamed. Dropped before that, it is removed. It is not flushed to the disk: that takes
/// longer than a short program, and only matters where the machine itself goes down.
pub(crate) struct AtomicFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl AtomicFile {
    /// Starts to write the file `name` in `folder`, which exists.
    pub(crate) fn create(folder: &Path, name: &str) -> Result<AtomicFile, Error> {
        let temporary = folder.join(format!(".{name}.{}.part", std::process::id()));
        let file =
            create_anew(&temporary, PRIVATE).map_err(|source| Error::io("create", &temporary, source))?;
        Ok(AtomicFile { file, temporary, path: folder.join(name), committed: false })
    }

    /// Writes the whole file with `write` and gives it its name.
    pub(crate) fn write_with(mut self, write: impl FnOnce(&File) -> io::Result<()>) -> Result<(), Error> {
        let written = write(&self.file).and_then(|()| fs::rename(&self.temporary, &self.path));
        written.map_err(|source| Error::io("write", &self.path, source))?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing more can be done if this fails: the error that led here is the one to tell.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_fails_half_way_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("table"), "old").unwrap();
        let error = AtomicFile::create(folder.path(), "table")
            .unwrap()
            .write_with(|mut file| {
                file.write_all(b"ne")?;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            })
            .unwrap_err();
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("table")).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
