/// What stopped the search for the smallest n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LowerEnd {
    /// There is no smaller one: it runs at 1.
    RunsAtOne,
    /// It fails at every smaller n that was tried.
    FailsBelow {
        /// The next smaller n.
        n: u64,
        /// The last line of its error.
        error: String,
    },
    /// It fails at every n that was tried.
    FailsEverywhere {
        /// The highest of them.
        highest: u64,
        /// The last line of the error at the smallest of them.
        error: String,
    },
}

impl LowerEnd {
    /// Its name in `range.toml`.
    pub fn name(&self) -> &'static str {
        match self {
            LowerEnd::RunsAtOne => "runs at 1",
            LowerEnd::FailsBelow { .. } => "fails below",
            LowerEnd::FailsEverywhere { .. } => "fails at every n",
        }
    }

    /// The error that it stands for, with its n.
    pub fn error(&self) -> Option<String> {
        match self {
            LowerEnd::RunsAtOne => None,
            LowerEnd::FailsBelow { n, error } => Some(format!("n = {n}: {error}")),
            LowerEnd::FailsEverywhere { error, .. } => Some(format!("n = 1: {error}")),
        }
    }
}

/// What stopped the search for the largest n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpperEnd {
    /// The run takes as long as it may, or the next n takes longer than that.
    ReachedTarget,
    /// It fails at the next n.
    FailsAbove {
        /// The next n.
        n: u64,
        /// The last line of its error.
        error: String,
    },
    /// It is within the target time even at the highest n that was tried.
    NeverSlow,
    /// It takes longer than the target time already at the smallest n.
    TooSlow,
    /// It runs at no n, so there was nothing to search.
    NotSearched,
    /// Too many runs did not settle it: times of the same n differ too much.
    Undecided,
}

impl UpperEnd {
    /// Its name in `range.toml`.
    pub fn name(&self) -> &'static str {
        match self {
            UpperEnd::ReachedTarget => "reached target",
            UpperEnd::FailsAbove { .. } => "fails above",
            UpperEnd::NeverSlow => "never slow",
            UpperEnd::TooSlow => "too slow at the smallest n",
            UpperEnd::NotSearched => "not searched",
            UpperEnd::Undecided => "undecided",
        }
    }

    /// The error that it stands for, with its n.
    pub fn error(&self) -> Option<String> {
        match self {
            UpperEnd::FailsAbove { n, error } => Some(format!("n = {n}: {error}")),
            _ => None,
        }
    }

    /// Whether the largest n was found.
    pub fn is_found(&self) -> bool {
        matches!(self, UpperEnd::ReachedTarget | UpperEnd::FailsAbove { .. })
    }
}
