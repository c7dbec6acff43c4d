use opmeter_recording::Phase;

use crate::CountedRow;

/// Which rows of a recording count. The default takes all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Only these phases; none for all phases.
    pub phases: Option<Vec<Phase>>,
    /// Only the processes with these ordinals; none for all processes.
    pub processes: Option<Vec<u32>>,
}

impl RowFilter {
    /// Whether rows of this phase count.
    pub fn takes_phase(&self, phase: Phase) -> bool {
        self.phases.as_ref().is_none_or(|phases| phases.contains(&phase))
    }

    /// Whether rows of the process with this ordinal count.
    pub fn takes_process(&self, process: u32) -> bool {
        self.processes.as_ref().is_none_or(|processes| processes.contains(&process))
    }

    /// Whether this row counts.
    pub fn takes(&self, row: &impl CountedRow) -> bool {
        self.takes_phase(row.phase()) && self.takes_process(row.process())
    }
}
