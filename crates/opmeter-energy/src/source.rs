use std::io;

use crate::Domain;

/// Where readings of energy come from: one of the kernel's interfaces to the machine's counters, or a power
/// that was declared.
pub trait Source: Send {
    /// Its name in tables: `perf`, `powercap`, `hwmon`, `estimate`.
    fn name(&self) -> &'static str;

    /// What it reads.
    fn domains(&self) -> &[Domain];

    /// Reads the counter of a domain, given by its place in [`Source::domains`]: how many steps it stands
    /// at, which says nothing by itself; differences do.
    ///
    /// # Errors
    /// Whatever the kernel gives.
    fn read(&mut self, domain: usize) -> io::Result<u64>;

    /// The constant power in watts that was declared, of a source that measures nothing: its joules are an
    /// estimate, and it is never read.
    fn declared_watts(&self) -> Option<f64> {
        None
    }
}

/// What there is of a source on this machine.
pub struct Found {
    /// The source's name.
    pub name: &'static str,
    /// The source, where at least one domain can be read.
    pub source: Option<Box<dyn Source>>,
    /// What can't be read.
    pub refused: Vec<Refusal>,
}

/// What a source can't read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What, and why: a sentence's beginning, without a full stop.
    pub problem: String,
    /// The command that would allow it, for a shell; none where nothing would.
    pub remedy: Option<String>,
}
