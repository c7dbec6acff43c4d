use crate::{LowerEnd, Probe, UpperEnd};

/// For which sizes a template's programs run, and within the target time.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// The smallest n whose program runs without error.
    pub smallest: Option<u64>,
    /// What stopped the search for it.
    pub lower: LowerEnd,
    /// The largest n whose run stays within the target time; where it is never slow, the highest n tried.
    pub largest: Option<u64>,
    /// The time of a run of the largest n, in seconds: the median of those made.
    pub seconds: Option<f64>,
    /// What stopped the search for it.
    pub upper: UpperEnd,
    /// The smallest n above the largest that was found too slow; for the largest's sake, or of the smallest n.
    pub over: Option<Neighbour>,
    /// Whether the time grew with n wherever that was looked at, and no n between the ends failed.
    pub monotone: bool,
    /// What else is to be known, a sentence each.
    pub notes: Vec<String>,
    /// The runs, in order.
    pub probes: Vec<Probe>,
}

impl Range {
    /// Whether both ends were found.
    pub fn is_found(&self) -> bool {
        self.smallest.is_some() && self.largest.is_some() && self.upper.is_found()
    }
}

/// A size that takes longer than the target time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The size.
    pub n: u64,
    /// The time of its run in seconds; nothing where it was ended before.
    pub seconds: Option<f64>,
}
