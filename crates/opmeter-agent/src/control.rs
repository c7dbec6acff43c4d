//! The control file that all processes of the command share.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use opmeter_live::{CONTROL_NAME, CONTROL_SIZE, Control};

use crate::counter_file;

/// The mapped control file.
#[derive(Clone, Copy)]
pub struct ControlFile(*const AtomicU64);

// SAFETY: the mapping stays for the life of the process, and its words are atomic.
unsafe impl Send for ControlFile {}
// SAFETY: as above.
unsafe impl Sync for ControlFile {}

impl ControlFile {
    /// Maps the control file in the command's folder, or `None` where it is gone.
    pub fn open(folder: &Path) -> Option<Self> {
        use std::os::fd::AsRawFd;
        let file = counter_file::open(&folder.join(CONTROL_NAME)).ok()?;
        if file.metadata().ok()?.len() < CONTROL_SIZE as u64 {
            return None;
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping of a file that is long enough.
        let address = unsafe {
            libc::mmap(std::ptr::null_mut(), CONTROL_SIZE, access, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        (address != libc::MAP_FAILED).then_some(Self(address.cast_const().cast()))
    }

    /// One word of the file.
    pub fn word(&self, word: Control) -> &AtomicU64 {
        // SAFETY: the index is inside the page, which stays mapped.
        unsafe { &*self.0.add(word as usize) }
    }

    /// Notes that a process could not be given a live file.
    pub fn unrecorded(&self, error: &std::io::Error) {
        self.word(Control::Unrecorded).fetch_add(1, Ordering::Relaxed);
        let code = error.raw_os_error().unwrap_or(0);
        self.word(Control::UnrecordedError).store(code as u64, Ordering::Relaxed);
    }
}
