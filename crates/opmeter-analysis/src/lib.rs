//! Aggregation of recordings: what the rows of a table amount to.

mod mix_filter;
mod opcode_mix;

pub use mix_filter::MixFilter;
pub use opcode_mix::{MixEntry, OpcodeMix, ProcessTotal, Terms};
