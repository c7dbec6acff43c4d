//! What became of a folder.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use opmeter_analysis::{Study, StudyTimes, program_table};
use opmeter_corpus::{Job, JobOutcome, JobResult, Results};
use opmeter_recording::{Phase, Recording};
use opmeter_report::{DataFormat, Style, visible};

use super::plan::Plan;
use super::progress::{label, names};

use crate::message::{self, shown_path};

/// The most failures that are listed.
const LISTED: usize = 50;

/// The most results that are shown.
const SHOWN: usize = 60;

/// What became of the jobs of a folder.
pub struct Summary {
    /// Jobs that were done by this command.
    pub done: usize,
    /// Jobs that had been done before.
    pub done_before: usize,
    /// Jobs that another command works on.
    pub taken: usize,
    failures: Vec<String>,
    jobs: usize,
    programs: usize,
    /// Programs, interpreters, and where their recordings are if they are done.
    places: Vec<((String, String), PathBuf)>,
    results: Results,
    note: Option<String>,
    begun: Instant,
}

impl Summary {
    /// Nothing has become of any yet.
    pub fn new(plan: &Plan) -> Self {
        Self {
            done: 0,
            done_before: 0,
            taken: 0,
            failures: Vec::new(),
            jobs: plan.jobs.len(),
            programs: plan.programs,
            places: plan.jobs.iter().map(|job| (names(job), plan.results.recording(job))).collect(),
            results: plan.results.clone(),
            note: plan.note.clone(),
            begun: Instant::now(),
        }
    }

    /// A job failed, now or before.
    pub fn failed(&mut self, job: &Job, result: &JobResult, before: bool) {
        let JobOutcome::Failed { step, reason, .. } = &result.outcome else { return };
        let place: PathBuf = self.results.failure(job);
        let place = place.strip_prefix(self.results.folder()).unwrap_or(&place).to_owned();
        let when = if before { ", before" } else { "" };
        self.failures.push(format!(
            "  {} ({}{when})\n    {}\n    {}",
            label(job),
            step.name(),
            visible(reason),
            visible(&place.to_string_lossy())
        ));
    }

    /// Whether nothing failed.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// Says that a signal ended it.
    pub fn interrupted(&self) {
        message::tell(format_args!(
            "interrupted with {} of {} done; the same command does the rest",
            self.done + self.done_before,
            self.jobs
        ));
    }

    /// Prints it. Nobody reading it is no failure.
    pub fn print(&self, warnings: &[String]) {
        let mut out = io::stdout().lock();
        let _ = self.write(&mut out, warnings);
    }

    fn write(&self, out: &mut dyn Write, warnings: &[String]) -> io::Result<()> {
        let studies: Vec<Study> =
            self.places.iter().filter_map(|(names, place)| study(names, place)).collect();
        if !studies.is_empty() {
            let mut table = program_table(&studies, &[Phase::Main]);
            let more = table.truncate(SHOWN);
            DataFormat::Table.write(&table, Style::for_stream(&io::stdout()), out)?;
            if more > 0 {
                writeln!(out, "… {more} more: opmeter analyze {}", shown_path(self.results.folder()))?;
            }
            writeln!(out)?;
        }
        let interpreters = self.jobs.checked_div(self.programs).unwrap_or(0);
        write!(
            out,
            "{} of {} measured ({} × {}) in {:.1} s",
            self.done + self.done_before,
            self.jobs,
            counted(self.programs, "program"),
            counted(interpreters, "interpreter"),
            self.begun.elapsed().as_secs_f64()
        )?;
        if self.done_before > 0 {
            write!(out, ", {} of them before", self.done_before)?;
        }
        writeln!(out, "; results in {}", shown_path(self.results.folder()))?;
        if self.taken > 0 {
            writeln!(out, "{} left to another command that works on them at this moment", self.taken)?;
        }
        if !self.failures.is_empty() {
            writeln!(
                out,
                "\n{} failed (reason, and where the output is in the results):",
                self.failures.len()
            )?;
            for failure in self.failures.iter().take(LISTED) {
                writeln!(out, "{failure}")?;
            }
            if self.failures.len() > LISTED {
                writeln!(out, "  … {} more", self.failures.len() - LISTED)?;
            }
            writeln!(out, "--retry-failed measures them again")?;
        }
        for warning in self.note.iter().chain(warnings) {
            writeln!(out, "\nwarning: {warning}")?;
        }
        out.flush()
    }
}

/// What was measured of a job that is done; none of another.
fn study((program, interpreter): &(String, String), place: &Path) -> Option<Study> {
    let wanted = |table: &str| ["opcodes", "runs", "energy"].contains(&table);
    let recording = Recording::open_tables(place, wanted).ok()?;
    // Of times nothing is shown here.
    let times = StudyTimes { opcodes: recording.tables.opcodes.clone(), ..StudyTimes::default() };
    Some(Study::new(program.clone(), interpreter.clone(), recording, times))
}

fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
