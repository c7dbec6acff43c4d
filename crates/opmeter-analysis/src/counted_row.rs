use opmeter_recording::{
    DistributionRow, InstructionRow, LineRow, OpcodeRow, PairRow, Phase, SpecializationRow,
};

/// A row that says how often something ran in one phase of one process.
pub trait CountedRow {
    /// The process's ordinal.
    fn process(&self) -> u32;

    /// The phase.
    fn phase(&self) -> Phase;

    /// How often it ran.
    fn executions(&self) -> u64;

    /// The file that it is of; none where it is of the whole process.
    fn file(&self) -> Option<&str>;
}

macro_rules! counted_row {
    ($row:ty, $file:expr) => {
        impl CountedRow for $row {
            fn process(&self) -> u32 {
                self.process
            }

            fn phase(&self) -> Phase {
                self.phase
            }

            fn executions(&self) -> u64 {
                self.executions
            }

            fn file(&self) -> Option<&str> {
                let file: fn(&Self) -> Option<&str> = $file;
                file(self)
            }
        }
    };
}

counted_row!(OpcodeRow, |_| None);
counted_row!(PairRow, |_| None);
counted_row!(DistributionRow, |_| None);
counted_row!(InstructionRow, |row| Some(&row.file));
counted_row!(LineRow, |row| Some(&row.file));
counted_row!(SpecializationRow, |row| Some(&row.file));
