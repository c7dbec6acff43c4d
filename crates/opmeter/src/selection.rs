//! Which part of a recording is shown or written.

use std::path::Path;

use clap::Args;
use opmeter_analysis::{FilePatterns, RowFilter};
use opmeter_recording::{Phase, Recording};

use crate::error::Failure;
use crate::phase_arg::PhaseArg;
use crate::report::without_counts;

/// Arguments that choose processes and files.
#[derive(Args)]
pub struct SelectionArgs {
    /// Processes to take, by their number in the recording
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub process: Option<Vec<u32>>,
    /// Only files that fit: a path, the end of one or a folder; `*`, `?`, `[ab]` and `**` are wildcards
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,
    /// No files that fit
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
}

/// Which rows are taken, in which files.
pub struct Selection {
    /// Phases and processes.
    pub filter: RowFilter,
    /// Files.
    pub patterns: FilePatterns,
}

impl SelectionArgs {
    /// What the arguments choose, in these phases.
    ///
    /// # Errors
    /// When a pattern is none.
    pub fn selection(&self, phases: &[PhaseArg]) -> Result<Selection, Failure> {
        let phases: Vec<Phase> = phases.iter().flat_map(|phase| phase.phases()).copied().collect();
        let filter = RowFilter { phases: Some(phases), processes: self.process.clone() };
        let patterns = FilePatterns::new(&self.include, &self.exclude).map_err(Failure::wrong)?;
        Ok(Selection { filter, patterns })
    }
}

impl Selection {
    /// Checks that a recording has the processes that are asked for.
    ///
    /// # Errors
    /// When it lacks one.
    pub fn check(&self, path: &Path, recording: &Recording) -> Result<(), Failure> {
        let processes = &recording.manifest.processes;
        let asked = self.filter.processes.iter().flatten();
        match asked.clone().find(|asked| processes.iter().all(|known| known.process != **asked)) {
            None => Ok(()),
            Some(missing) => Err(Failure::not_done(format_args!(
                "{} has no process {missing}; it has {}",
                path.display(),
                processes.len()
            ))),
        }
    }
}

/// Checks that a recording says where instructions ran.
///
/// # Errors
/// When it does not, with the reason.
pub fn require_instructions(path: &Path, recording: &Recording) -> Result<(), Failure> {
    // Where there are instructions, there are lines.
    if !recording.tables.lines.is_empty() {
        return Ok(());
    }
    if !recording.manifest.has_counts() {
        return Err(Failure::not_done(without_counts(path)));
    }
    let path = path.display();
    Err(Failure::not_done(if recording.manifest.tables.iter().any(|table| table == "instructions") {
        format!(
            "{path} has no counts by instruction: the register that holds the next instruction's address \
             was not found in its interpreters; `opmeter report --by opcode` shows what was counted"
        )
    } else {
        format!(
            "{path} has no counts by instruction: it is from an Opmeter that did not count them, or was \
             interrupted; record again"
        )
    }))
}
