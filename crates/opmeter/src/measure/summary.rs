//! What became of a folder.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use opmeter_analysis::{EnergySummary, Sample};
use opmeter_corpus::{Job, JobOutcome, JobResult, Results};
use opmeter_recording::Recording;
use opmeter_report::{MeasuredProgram, Style, write_measured};

use super::plan::Plan;
use super::progress::{label, names, shown};

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
            shown(reason),
            shown(&place.to_string_lossy())
        ));
    }

    /// Whether nothing failed.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// Says that a signal ended it.
    pub fn interrupted(&self) {
        eprintln!(
            "opmeter: interrupted with {} of {} done; the same command does the rest",
            self.done + self.done_before,
            self.jobs
        );
    }

    /// Prints it. Nobody reading it is no failure.
    pub fn print(&self, warnings: &[String]) {
        let mut out = io::stdout().lock();
        let _ = self.write(&mut out, warnings);
    }

    fn write(&self, out: &mut dyn Write, warnings: &[String]) -> io::Result<()> {
        let style = Style::for_stream(&io::stdout());
        let measured: Vec<MeasuredProgram> =
            self.places.iter().filter_map(|(label, place)| measured(label, place)).collect();
        write_measured(&measured, SHOWN, style, out)?;
        if !measured.is_empty() {
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
        writeln!(out, "; results in {}", self.results.folder().display())?;
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
fn measured((program, interpreter): &(String, String), place: &Path) -> Option<MeasuredProgram> {
    let of_runs = |table: &str| ["runs", "energy"].contains(&table);
    let Recording { manifest, tables, .. } = Recording::open_tables(place, of_runs).ok()?;
    let energy = manifest.energy.unwrap_or_default();
    let summary = EnergySummary::new(&energy, &tables.energy);
    // Of all packages, where there are any: the last of a kind is their sum.
    let domains = summary.into_iter().flat_map(|summary| summary.domains);
    let joules =
        domains.max_by_key(|domain| domain.domain.starts_with("package")).map(|domain| domain.joules);
    Some(MeasuredProgram {
        program: program.clone(),
        interpreter: interpreter.clone(),
        executions: manifest.processes.iter().map(|process| u128::from(process.dispatch.executions)).sum(),
        seconds: Sample::new(tables.runs.iter().map(|run| run.seconds).collect()),
        joules,
        estimate: energy.estimate,
    })
}

fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
