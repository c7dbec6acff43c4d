use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use opmeter_files::{LONGEST_TEXT, brief, read_text};
use toml_edit::DocumentMut;

use crate::Error;

/// Reads a file of tables; one that is not there is empty.
pub(crate) fn read(path: &Path) -> Result<DocumentMut, Error> {
    match read_text(path, LONGEST_TEXT) {
        Ok(text) => text.parse().map_err(|error: toml_edit::TomlError| Error::Torn {
            path: path.to_owned(),
            reason: brief(&error.to_string()),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DocumentMut::new()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Error::Torn { path: path.to_owned(), reason: "it is no UTF-8".to_owned() })
        }
        Err(source) => Err(Error::io("read", path, source)),
    }
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file that appears under its name only when it is whole.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::io("write", path, source);
    let mut file = tempfile::Builder::new()
        .prefix(".opmeter-")
        .suffix(".part")
        // As of any new file: the process's mask is taken off.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder_of(path))
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_readable_to_whom_new_files_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("range.toml");
        fs::write(&path, "old").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let usual = mode(&path);
        write_whole(&path, b"new = 1\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new = 1\n");
        assert_eq!(mode(&path), usual);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_told_and_a_missing_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("range.toml");
        assert!(read(&path).unwrap().is_empty());
        for damaged in [&b"a = "[..], b"\xff"] {
            fs::write(&path, damaged).unwrap();
            assert!(matches!(read(&path), Err(Error::Torn { .. })));
        }
    }
}
