use opmeter_recording::{
    DistributionRow, InstructionRow, LineRow, OpcodeRow, PairRow, Phase, SpecializationRow,
};

use crate::TimeSum;

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

    /// How long it took, where times were taken.
    fn time(&self) -> Option<TimeSum> {
        None
    }
}

macro_rules! counted_row {
    ($row:ty, $file:expr $(, $time:expr)?) => {
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

            $(fn time(&self) -> Option<TimeSum> {
                let time: fn(&Self) -> Option<TimeSum> = $time;
                time(self)
            })?
        }
    };
}

counted_row!(OpcodeRow, |_| None, |row| row.time.as_ref().map(TimeSum::from));
counted_row!(PairRow, |_| None);
counted_row!(DistributionRow, |_| None);
counted_row!(InstructionRow, |row| Some(&row.file), |row| row.time.as_ref().map(TimeSum::from));
counted_row!(LineRow, |row| Some(&row.file), |row| row.time.as_ref().map(TimeSum::from));
counted_row!(SpecializationRow, |row| Some(&row.file));
