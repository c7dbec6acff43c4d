use std::sync::Arc;

use super::{Changed, Place};

/// A file of both recordings, or of one, line by line: what a page that shows both needs.
#[derive(Debug, Clone, PartialEq)]
pub struct AlignedSource {
    /// The file's name before; none where it was not there.
    pub before: Option<Arc<str>>,
    /// The file's name after; none where it is not there any more.
    pub after: Option<Arc<str>>,
    /// The lines in the order in which they stand after, those that are gone or went to another file
    /// behind the line that came before them. Where the text of the file is missing on both sides, those that have instructions.
    pub lines: Vec<AlignedLine>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct AlignedLine {
    /// Where it was and is, and what it ran.
    pub row: Changed<Place>,
    /// What stood there before, with the space around it; none where it was not there, or the source is missing.
    pub text_before: Option<Arc<str>>,
    /// What stands there after.
    pub text_after: Option<Arc<str>>,
    /// Whether it has instructions in either recording.
    pub has_code: bool,
}
