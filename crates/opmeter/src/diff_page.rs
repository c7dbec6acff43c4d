//! `opmeter diff --html`

use std::path::{Path, PathBuf};

use opmeter_analysis::{Comparison, Gate};
use opmeter_recording::{Phase, Recording};
use opmeter_report::ComparisonPage;

use crate::error::Failure;
use crate::report_page::{name, write_page};
use crate::verdict::Verdict;

/// Writes a page of a comparison to `path`, and says where it is. `sides` are the recordings as they were named.
///
/// # Errors
/// When it can't be written.
pub fn write(
    path: &Path,
    sides: [(&PathBuf, &Recording); 2],
    comparison: &Comparison<'_>,
    phases: &[Phase],
    verdict: Option<&Verdict>,
) -> Result<(), Failure> {
    let [before, after] = sides.map(|(path, recording)| name(path, recording));
    let verdict = verdict.map(|verdict| opmeter_report::Verdict {
        passed: match verdict.gate {
            Gate::Passed => Some(true),
            Gate::Failed => Some(false),
            Gate::Undecided(_) => None,
        },
        sentence: &verdict.sentence,
    });
    let page = ComparisonPage { comparison, names: [&before, &after], phases, verdict };
    write_page(path, |out| page.write(out))
}
