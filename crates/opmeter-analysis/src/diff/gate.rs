use super::Comparison;
use super::remarks::end;

/// Whether a program ran more than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// It did not.
    Passed,
    /// It did.
    Failed,
    /// It can't be told, for this reason.
    Undecided(String),
}

impl Comparison<'_> {
    /// Whether the executions of what is selected grew by more than so many percent.
    ///
    /// Where something is missing, or the runs ended differently, fewer executions are no proof of anything: that is
    /// undecided. What grew by more even so has failed, if the recording before is whole and its run succeeded: a run
    /// that was cut short would only have executed more.
    pub fn gate(&self, percent: f64) -> Gate {
        let change = self.total;
        let grew = change.executions() as f64 * 100.0 > change.before.executions as f64 * percent;
        let (before, after) = (self.before.manifest, self.after.manifest);
        let undecided = |why: String| Gate::Undecided(why);
        if change.before.executions == 0 && change.after.executions == 0 {
            return undecided("nothing that is selected ran in either recording".to_owned());
        }
        if !before.complete {
            return undecided("the recording before is incomplete".to_owned());
        }
        let is_whole =
            before.exit == after.exit || before.exit.code == Some(0) && before.exit.signal.is_none();
        if grew && is_whole {
            return Gate::Failed;
        }
        if before.exit != after.exit {
            return undecided(format!(
                "the runs ended differently (before {}, after {})",
                end(before),
                end(after)
            ));
        }
        if !after.complete {
            return undecided("the recording after is incomplete".to_owned());
        }
        Gate::Passed
    }
}
