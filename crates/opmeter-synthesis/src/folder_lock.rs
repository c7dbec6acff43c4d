use std::fs::File;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

const AGAIN: Duration = Duration::from_millis(5);

/// Waits until a folder is no one else's who changes files in it, for five seconds at most: that takes
/// milliseconds, and who holds it for longer has other things in mind. It is one's own until the lock is dropped.
///
/// None on a file system without locks, or where the wait was in vain.
pub(crate) fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    for _ in 0..1000 {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(file),
            Err(Errno::WOULDBLOCK) => sleep(AGAIN),
            Err(_) => return None,
        }
    }
    None
}
