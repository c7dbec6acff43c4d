use std::sync::Arc;

use crate::Spot;

/// A place in the source of one of two recordings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Where it is.
    pub spot: Spot,
    /// For a line: the function that has most of its executions.
    pub function: Option<Arc<str>>,
    /// For a line: what stands there, without the space around it; none where the source is missing.
    pub text: Option<Arc<str>>,
}
