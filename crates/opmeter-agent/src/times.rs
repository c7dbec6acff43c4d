//! The file of times.

use opmeter_live::{TIMES_EXTENSION, TIMES_HEAD, TIMES_SIZE};

use crate::slot_file::Layout;

/// The times in their file.
pub static LAYOUT: Layout =
    Layout { extension: TIMES_EXTENSION, head: TIMES_HEAD, set: TIMES_SIZE, max_slots: 64 };
