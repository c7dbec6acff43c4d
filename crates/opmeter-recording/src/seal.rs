//! A checksum of a table's file, in the file itself: it says whether what is read is what was written, whenever the file
//! and others of the recording were.
//!
//! It stands in the footer's key-value metadata (Parquet's Thrift definition, `FileMetaData`), which other readers pass
//! over. What it is of is the whole file, with the digits of the checksum taken for zeros. Files without one are read
//! all the same: Opmeter did not always write it, and who writes a table anew with other tools may leave it out.

use std::hash::Hasher;
use std::io;

use twox_hash::XxHash64;

use crate::table_file::TableFile;

/// The key.
pub(crate) const KEY: &str = "opmeter.checksum";

/// The value, with zeros for the digits.
pub(crate) const OPEN: &str = "xxh64:0000000000000000";

const MARK: &[u8] = b"xxh64:";
const DIGITS: usize = 16;

/// What follows the footer: its length, and Parquet's sign.
const TAIL: u64 = 8;

/// Bytes that are read at a time.
const PART: usize = 1 << 20;

/// Fills in the digits in the content of a file that was written with an open value.
pub(crate) fn seal(bytes: &mut [u8]) {
    let length = bytes.len() as u64;
    let Some(tail) = bytes.len().checked_sub(TAIL as usize) else { return };
    let Some(footer) = footer_length(&bytes[tail..], length) else { return };
    let start = tail - footer;
    let Some(place) = digits_within(&bytes[start..tail]) else { return };
    let digits = format!("{:016x}", XxHash64::oneshot(0, bytes));
    bytes[start + place..][..DIGITS].copy_from_slice(digits.as_bytes());
}

/// Whether a file's content is what its checksum says; none where it has no checksum.
///
/// # Errors
/// When it can't be read.
pub(crate) fn is_intact(file: &TableFile) -> io::Result<Option<bool>> {
    let Some(tail) = file.length().checked_sub(TAIL) else { return Ok(None) };
    let mut bytes = [0; TAIL as usize];
    file.read_at(&mut bytes, tail)?;
    let Some(footer) = footer_length(&bytes, file.length()) else { return Ok(None) };
    let start = tail - footer as u64;
    let mut footer = vec![0; footer];
    file.read_at(&mut footer, start)?;
    let Some(place) = digits_within(&footer) else { return Ok(None) };
    let stated = String::from_utf8_lossy(&footer[place..][..DIGITS]).into_owned();
    let place = start + place as u64;

    let mut hasher = XxHash64::with_seed(0);
    let mut part = vec![0; PART.min(file.length() as usize)];
    let mut at = 0;
    while at < file.length() {
        let length = part.len().min((file.length() - at) as usize);
        let part = &mut part[..length];
        file.read_at(part, at)?;
        for (offset, byte) in part.iter_mut().enumerate().skip(place.saturating_sub(at) as usize) {
            if at + offset as u64 >= place + DIGITS as u64 {
                break;
            }
            *byte = b'0';
        }
        hasher.write(part);
        at += length as u64;
    }
    Ok(Some(stated == format!("{:016x}", hasher.finish())))
}

/// How long the footer of a file is, by its tail.
fn footer_length(tail: &[u8], length: u64) -> Option<usize> {
    let footer = u32::from_le_bytes(tail[..4].try_into().ok()?);
    (u64::from(footer) + TAIL <= length).then_some(footer as usize)
}

/// Where the digits are in a footer.
fn digits_within(footer: &[u8]) -> Option<usize> {
    let place = footer.windows(MARK.len()).rposition(|window| window == MARK)? + MARK.len();
    let digits = footer.get(place..place + DIGITS)?;
    digits.iter().all(u8::is_ascii_hexdigit).then_some(place)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{RunRow, read_rows, write_rows};

    fn rows() -> Vec<RunRow> {
        (0..500)
            .map(|run| RunRow { run, seconds: f64::from(run), cpu_seconds: 1.0, repetitions: 1 })
            .collect()
    }

    #[test]
    fn any_bit_that_changes_is_noticed_but_where_the_mark_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.parquet");
        let mut bytes = Vec::new();
        write_rows(&mut bytes, &rows()).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read_rows::<RunRow>(&path).unwrap(), rows());
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            fs::write(&path, &damaged).unwrap();
            if let Ok(read) = read_rows::<RunRow>(&path) {
                assert_eq!(read, rows(), "byte {place}");
            }
        }
    }

    #[test]
    fn files_without_a_checksum_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.parquet");
        let mut bytes = Vec::new();
        write_rows(&mut bytes, &rows()).unwrap();
        let mark = bytes.windows(MARK.len()).rposition(|window| window == MARK).unwrap();
        bytes[mark] = b'y';
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read_rows::<RunRow>(&path).unwrap(), rows());
        assert_eq!(is_intact(&TableFile::open(&path).unwrap()).unwrap(), None);
    }

    #[test]
    fn files_of_several_parts_are_sealed() {
        let rows: Vec<RunRow> = rows().into_iter().cycle().take(200_000).collect();
        let rows: Vec<RunRow> = rows
            .into_iter()
            .enumerate()
            .map(|(place, row)| RunRow { seconds: (place as f64).sin(), ..row })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.parquet");
        write_rows(fs::File::create(&path).unwrap(), &rows).unwrap();
        assert!(fs::metadata(&path).unwrap().len() > PART as u64);
        assert_eq!(is_intact(&TableFile::open(&path).unwrap()).unwrap(), Some(true));
    }
}
