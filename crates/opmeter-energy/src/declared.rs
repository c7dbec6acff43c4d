use std::io;

use crate::domain::{Kind, Place};
use crate::{Domain, Source};

/// A constant power that the user declares, for machines without counters. What it gives is an estimate.
#[derive(Debug)]
pub struct Declared {
    watts: f64,
    domain: Domain,
}

impl Declared {
    /// A machine that takes this power, in watts, all the time.
    pub fn new(watts: f64) -> Self {
        let domain =
            Domain { kind: Kind::Machine, place: Place::default(), joules_per_step: 1e-6, range: None };
        Self { watts, domain }
    }
}

impl Source for Declared {
    fn name(&self) -> &'static str {
        "estimate"
    }

    fn domains(&self) -> &[Domain] {
        std::slice::from_ref(&self.domain)
    }

    fn read(&mut self, _domain: usize) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn declared_watts(&self) -> Option<f64> {
        Some(self.watts)
    }
}
