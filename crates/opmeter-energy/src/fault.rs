use std::fmt;

/// Why there are no joules of a domain for a stretch of time. Its text goes after the domain's name; times are
/// in seconds from the beginning of the stretch.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It could not be read any more.
    Unreadable {
        /// When.
        at: f64,
        /// What the system said.
        error: String,
    },
    /// It went back by more than a wrap explains.
    SetBack {
        /// When.
        at: f64,
    },
    /// So long passed between two readings that more than one wrap may have gone by.
    ReadTooSeldom {
        /// When the second of them was.
        at: f64,
        /// How long after the first, in seconds.
        gap: f64,
    },
    /// It stood still while time passed.
    StoodStill {
        /// From when.
        from: f64,
        /// For how long, in seconds.
        seconds: f64,
    },
    /// It made no step, in a time that is too short to tell whether it would have.
    NoStep {
        /// How long that was, in seconds.
        seconds: f64,
    },
}

impl Fault {
    /// Whether a later stretch may well be without it.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Fault::Unreadable { .. } | Fault::StoodStill { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreadable { at, error } => {
                write!(f, "could not be read any more {at:.1} s after the start: {error}")
            }
            Fault::SetBack { at } => {
                write!(f, "was set back {at:.1} s after the start (more than a wrap of its counter explains)")
            }
            Fault::ReadTooSeldom { at, gap } => write!(
                f,
                "was not read for {gap:.3} s, up to {at:.1} s after the start: its counter may have wrapped more \
                 than once (was the machine overloaded?)"
            ),
            Fault::StoodStill { from, seconds } => {
                write!(f, "stood still for {seconds:.1} s, from {from:.1} s after the start")
            }
            Fault::NoStep { seconds } => {
                write!(f, "made no step in {seconds:.3} s, which is too short a time for its counter")
            }
        }
    }
}

impl std::error::Error for Fault {}
