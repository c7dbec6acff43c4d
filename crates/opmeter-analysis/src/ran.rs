use crate::{CountedRow, TimeSum};

/// How often something ran, and how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ran {
    /// Executions of its instructions.
    pub executions: u128,
    /// How long they took, where times were taken.
    pub time: Option<TimeSum>,
}

impl Ran {
    /// What a row says.
    pub fn of(row: &impl CountedRow) -> Ran {
        Ran { executions: u128::from(row.executions()), time: row.time() }
    }

    /// Adds what something else ran.
    pub fn add(&mut self, other: Ran) {
        self.executions += other.executions;
        if let Some(time) = other.time {
            self.time.get_or_insert_default().add(time);
        }
    }
}
