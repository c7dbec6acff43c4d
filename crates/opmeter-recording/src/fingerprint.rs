use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;

use opmeter_files::open_regular;
use sha2::{Digest, Sha256};

/// What is read of a file at a time, in bytes.
const PART: usize = 1 << 16;

/// The SHA-256 of some bytes, hexadecimal.
pub fn sha256_of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The size of a file in bytes, and the SHA-256 of what it holds, hexadecimal.
///
/// # Errors
/// When it can't be read, or is no regular file.
pub fn sha256_of_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = open_regular(path)?;
    let mut hash = Sha256::new();
    let (mut size, mut part) = (0, vec![0; PART]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok((size, hexadecimal(&hash.finalize()))),
            read => {
                size += read as u64;
                hash.update(&part[..read]);
            }
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
