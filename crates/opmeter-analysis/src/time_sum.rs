use opmeter_recording::{InstructionTime, OpcodeTime};
use serde::{Deserialize, Serialize};

/// What a number of executions took, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSum {
    /// Executions that were timed.
    pub timed_executions: u128,
    /// What those took in cycles, the probe's cost included.
    pub cycles_raw: u128,
    /// What all of them took by themselves, in cycles.
    pub cycles_net: u128,
    /// The standard error of that. Errors add up: they come from the probe's cost in the first place.
    pub cycles_net_se: u128,
    /// `cycles_net` in nanoseconds.
    pub ns_net: u128,
}

impl TimeSum {
    /// The standard error of the time, as a part of it; none where there is no time.
    pub fn relative_error(&self) -> Option<f64> {
        (self.cycles_net > 0).then(|| self.cycles_net_se as f64 / self.cycles_net as f64)
    }

    /// The part that this is of another sum.
    pub fn share_of(&self, all: &TimeSum) -> f64 {
        if all.cycles_net == 0 { 0.0 } else { self.cycles_net as f64 / all.cycles_net as f64 }
    }

    /// Takes off what is part of it; nothing is less than none.
    pub fn take_off(&mut self, part: TimeSum) {
        self.timed_executions = self.timed_executions.saturating_sub(part.timed_executions);
        self.cycles_raw = self.cycles_raw.saturating_sub(part.cycles_raw);
        self.cycles_net = self.cycles_net.saturating_sub(part.cycles_net);
        self.cycles_net_se = self.cycles_net_se.saturating_sub(part.cycles_net_se);
        self.ns_net = self.ns_net.saturating_sub(part.ns_net);
    }

    /// Adds another sum.
    pub fn add(&mut self, other: TimeSum) {
        self.timed_executions += other.timed_executions;
        self.cycles_raw += other.cycles_raw;
        self.cycles_net += other.cycles_net;
        self.cycles_net_se += other.cycles_net_se;
        self.ns_net += other.ns_net;
    }
}

macro_rules! time_sum {
    ($time:ty) => {
        impl From<&$time> for TimeSum {
            fn from(time: &$time) -> TimeSum {
                TimeSum {
                    timed_executions: u128::from(time.timed_executions),
                    cycles_raw: u128::from(time.cycles_raw),
                    cycles_net: u128::from(time.cycles_net),
                    cycles_net_se: u128::from(time.cycles_net_se),
                    ns_net: u128::from(time.ns_net),
                }
            }
        }
    };
}

time_sum!(OpcodeTime);
time_sum!(InstructionTime);
