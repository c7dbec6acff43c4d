//! Energy meters: what the machine's own counters say that a run cost.
//!
//! A [`Source`] reads counters through one of the kernel's interfaces; a [`Meter`] makes joules of them.

mod counter;
mod declared;
mod domain;
mod fault;
mod hwmon;
mod idle;
mod meter;
mod no_counters;
mod perf;
mod powercap;
mod source;
mod sysfs;
mod update_period;

pub use declared::Declared;
pub use domain::{Domain, Kind, Place};
pub use fault::Fault;
pub use idle::{Idle, IdlePower};
pub use meter::{Measurement, Meter, Running};
pub use no_counters::NoCounters;
pub use source::{Found, Refusal, Source};
pub use sysfs::Sysfs;

/// Looks for all sources, those first that tell most: perf, whose counters the kernel keeps from wrapping, then
/// powercap, then hwmon.
pub fn sources(sysfs: &Sysfs) -> Vec<Found> {
    vec![perf::find(sysfs), powercap::find(sysfs), hwmon::find(sysfs)]
}

/// The source to take where any will do: the first that reads a whole package or platform, or else the first that
/// reads anything.
pub fn best(found: Vec<Found>) -> Option<Found> {
    let mut readable: Vec<Found> = found.into_iter().filter(|found| found.source.is_some()).collect();
    let whole = |found: &Found| {
        let domains = found.source.iter().flat_map(|source| source.domains());
        domains.into_iter().any(|domain| matches!(domain.kind, Kind::Package | Kind::Psys))
    };
    let place = readable.iter().position(whole).unwrap_or(0);
    (place < readable.len()).then(|| readable.swap_remove(place))
}
