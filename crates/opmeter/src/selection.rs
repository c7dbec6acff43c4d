//! Which part of a recording is shown or written.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use opmeter_analysis::{FilePatterns, RowFilter};
use opmeter_recording::{LineRow, Phase, Recording};

use crate::error::Failure;
use crate::message;
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
    /// Whether files are chosen.
    pub fn chooses_files(&self) -> bool {
        !self.include.is_empty() || !self.exclude.is_empty()
    }

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

    /// Checks that the patterns fit files of the recordings, each with the path that it was named by, and says which don't.
    /// Recordings that do not say where anything ran have no files to fit.
    ///
    /// # Errors
    /// When no file fits any that is to be included.
    pub fn check_files(&self, recordings: &[(&Path, &Recording)]) -> Result<(), Failure> {
        let names = |recording: &Recording| -> BTreeSet<(Arc<str>, String)> {
            let tables = &recording.tables;
            let paths: HashMap<&str, &str> =
                tables.sources.iter().map(|source| (&*source.file, source.path.as_str())).collect();
            let named = |row: &LineRow| {
                (row.file.clone(), paths.get(&*row.file).copied().unwrap_or_default().to_owned())
            };
            tables.lines.iter().map(named).collect()
        };
        let names: BTreeSet<(Arc<str>, String)> =
            recordings.iter().flat_map(|(_, recording)| names(recording)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let files: Vec<Vec<&str>> = names.iter().map(|(file, path)| vec![&**file, path.as_str()]).collect();
        let idle = self.patterns.idle(&files);
        let places: Vec<String> = recordings.iter().map(|(path, _)| path.display().to_string()).collect();
        let places = places.join(" or ");
        let first = recordings.first().map(|(path, _)| path.display().to_string()).unwrap_or_default();
        let options = |option: &str, patterns: &[String]| {
            patterns.iter().map(|pattern| format!("{option} {pattern}")).collect::<Vec<String>>().join(" or ")
        };
        if idle.is_nothing_included {
            return Err(Failure::not_done(format_args!(
                "no file that ran in {places} fits {}; `opmeter report {first} --by file --all-files --phase all` lists \
                 those that did",
                options("--include", &idle.include)
            )));
        }
        for (option, patterns) in [("--include", idle.include), ("--exclude", idle.exclude)] {
            if !patterns.is_empty() {
                message::tell(format_args!(
                    "no file that ran in {places} fits {}",
                    options(option, &patterns)
                ));
            }
        }
        Ok(())
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
