use serde::{Deserialize, Serialize};

/// How long the executions of an opcode took, in cycles of the time-stamp counter.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OpcodeTime {
    /// Executions that were timed.
    pub timed_executions: u64,
    /// What they took, the probe's cost included: measured.
    pub cycles_raw: u64,
    /// What all executions took by themselves: estimated from the timed ones, the probe's cost taken off.
    pub cycles_net: u64,
    /// The standard error of `cycles_net`.
    pub cycles_net_se: u64,
    /// `cycles_net` in nanoseconds.
    pub ns_net: u64,
    /// The fewest raw cycles of one execution; this and those below are true to half a bucket of the
    /// histogram, 1.6 % at most.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// What nine of ten executions did not exceed.
    pub p90: u64,
    /// What ninety-nine of a hundred did not exceed.
    pub p99: u64,
    /// The most raw cycles of one execution.
    pub max: u64,
}

impl OpcodeTime {
    /// Times of nothing.
    pub const NONE: Self = Self {
        timed_executions: 0,
        cycles_raw: 0,
        cycles_net: 0,
        cycles_net_se: 0,
        ns_net: 0,
        min: 0,
        p50: 0,
        p90: 0,
        p99: 0,
        max: 0,
    };
}
