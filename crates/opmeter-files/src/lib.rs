//! Files that are read as a whole: regular ones, and no longer than what is read may be; and new files, in whose place
//! there may be a link.
//!
//! Nothing that lies in a recording, a folder of results or a cache is taken on trust: in the place of a file there may
//! be a pipe, which would be waited for, a device without an end, or a file with terabytes of holes.

mod brief;
mod new_file;
mod whole_file;

pub use brief::brief;
pub use new_file::{PRIVATE, create_anew};
pub use whole_file::{open_regular, read_text, read_whole};

/// The longest text that is read, in bytes: a manifest, a model, a configuration, a result, a source file.
pub const LONGEST_TEXT: u64 = 1 << 28;
