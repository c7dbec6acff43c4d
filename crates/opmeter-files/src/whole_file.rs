use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Opens a regular file, or what a link says is one, for reading.
///
/// # Errors
/// What the system says; [`ErrorKind::InvalidInput`] where it is a folder, a pipe or a device.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // To open a pipe would wait for its writer.
    require_regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    require_regular(&file.metadata()?)?;
    Ok(file)
}

fn require_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"))
}

/// What a regular file holds, of at most `longest` bytes.
///
/// # Errors
/// As of [`open_regular`]; [`ErrorKind::FileTooLarge`] where it is longer.
pub fn read_whole(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let length = file.metadata()?.len();
    if length > longest {
        return Err(too_long(length, longest));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize + 1)?;
    // It may grow while it is read.
    file.take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        return Err(too_long(bytes.len() as u64, longest));
    }
    Ok(bytes)
}

/// The text that a regular file holds, of at most `longest` bytes.
///
/// # Errors
/// As of [`read_whole`]; [`ErrorKind::InvalidData`] where it is not UTF-8.
pub fn read_text(path: &Path, longest: u64) -> io::Result<String> {
    String::from_utf8(read_whole(path, longest)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

fn too_long(length: u64, longest: u64) -> io::Error {
    let text = format!("it has {length} bytes or more, and at most {longest} are read");
    io::Error::new(ErrorKind::FileTooLarge, text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_a_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        assert_eq!(read_whole(&path, 4).unwrap(), b"text");
        assert_eq!(read_text(&path, 4).unwrap(), "text");
        let error = read_whole(&path, 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it has 4 bytes or more, and at most 3 are read");
        // Sixteen terabytes of nothing.
        File::create(&path).unwrap().set_len(1 << 43).unwrap();
        assert_eq!(read_whole(&path, 1 << 30).unwrap_err().kind(), ErrorKind::FileTooLarge);
        fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 4).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read_whole(&folder.path().join("none"), 4).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn nothing_but_regular_files_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        for path in [&pipe, folder.path(), Path::new("/dev/zero")] {
            let error = read_whole(path, 1 << 20).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{}: {error}", path.display());
        }
    }
}
