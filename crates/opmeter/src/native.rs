//! Runs of a command as it is, without the agent: how long they take, and what they cost.

mod children_cpu;
pub mod disturbance;
pub mod gaps;
pub mod gauge;
pub mod input;
pub mod launcher;
pub mod meters;
pub mod scratch;
pub mod series;
mod source_arg;
pub mod watchdog;
