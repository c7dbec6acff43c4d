use std::io;

use crate::{Domain, Source};

/// A source that reads nothing: stretches of time have their seconds, and no joules.
#[derive(Debug, Clone, Copy)]
pub struct NoCounters;

impl Source for NoCounters {
    fn name(&self) -> &'static str {
        "none"
    }

    fn domains(&self) -> &[Domain] {
        &[]
    }

    fn read(&mut self, _domain: usize) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
