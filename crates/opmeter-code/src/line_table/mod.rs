//! Line tables in the format of each version.

mod increments;
mod locations;
mod ranges;
mod runs;

pub use runs::lines;
