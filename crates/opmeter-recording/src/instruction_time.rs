use serde::{Deserialize, Serialize};

use crate::OpcodeTime;

/// How long the executions of an instruction, or of all instructions of a line, took, in cycles of the
/// time-stamp counter.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstructionTime {
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
}

impl InstructionTime {
    /// Times of nothing.
    pub const NONE: Self =
        Self { timed_executions: 0, cycles_raw: 0, cycles_net: 0, cycles_net_se: 0, ns_net: 0 };

    /// Adds the times of an instruction of the same line. Their errors come from the probe's cost in the first
    /// place, so that they add up.
    pub fn add(&mut self, other: &InstructionTime) {
        self.timed_executions = self.timed_executions.saturating_add(other.timed_executions);
        self.cycles_raw = self.cycles_raw.saturating_add(other.cycles_raw);
        self.cycles_net = self.cycles_net.saturating_add(other.cycles_net);
        self.cycles_net_se = self.cycles_net_se.saturating_add(other.cycles_net_se);
        self.ns_net = self.ns_net.saturating_add(other.ns_net);
    }
}

impl From<&OpcodeTime> for InstructionTime {
    fn from(time: &OpcodeTime) -> InstructionTime {
        let &OpcodeTime { timed_executions, cycles_raw, cycles_net, cycles_net_se, ns_net, .. } = time;
        InstructionTime { timed_executions, cycles_raw, cycles_net, cycles_net_se, ns_net }
    }
}
