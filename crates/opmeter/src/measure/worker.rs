//! What is done for a job.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use opmeter_corpus::{Claim, Job, JobOutcome, JobResult, Results, State, Step, WorkingFolder};
use opmeter_recording::{Energy, Machine, Recording};

use crate::error::{FAILED, Failure};
use crate::native::gauge::Gauge;
use crate::native::input::Input;
use crate::native::launcher::{Execution, Folder, Launcher, Output};
use crate::native::scratch::Scratch;
use crate::native::series::{Outcome, Series};
use crate::signal_passing::SignalPassing;
use crate::{launch, machine};

/// A metered run may take so many times as long as another, and so many seconds more.
const METERED: (f64, f64) = (10.0, 10.0);

/// Measures jobs.
pub struct Worker<'a> {
    results: &'a Results,
    gauge: &'a mut Gauge,
    passing: Rc<SignalPassing>,
    /// Our own executable, which meters.
    opmeter: PathBuf,
    machine: Machine,
    other_load: Vec<String>,
}

/// How far a job has come.
pub enum Progressed {
    /// There is more to do.
    Open,
    /// It is done.
    Done,
    /// It failed.
    Failed(Box<JobResult>),
    /// Another command works on it.
    Taken,
}

/// What stops a job.
enum Stop {
    /// It failed.
    Failed(JobOutcome),
    /// We are to end.
    Interrupted,
    /// It is not the job's fault, and others would fare the same: no room on the disk, no interpreter any more.
    Broken(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure)
    }
}

impl From<opmeter_recording::Error> for Stop {
    fn from(error: opmeter_recording::Error) -> Self {
        Self::Broken(Failure::failed(error))
    }
}

impl<'a> Worker<'a> {
    /// A worker for these results.
    ///
    /// # Errors
    /// When our own executable is not known.
    pub fn new(
        results: &'a Results,
        gauge: &'a mut Gauge,
        passing: Rc<SignalPassing>,
    ) -> Result<Self, Failure> {
        let opmeter = std::env::current_exe()
            .map_err(|error| Failure::failed(format_args!("opmeter does not find its own file: {error}")))?;
        Ok(Self { results, gauge, passing, opmeter, machine: machine::describe(), other_load: Vec::new() })
    }

    /// How long the idle power is measured before a round, in seconds.
    pub fn idle_seconds(&self) -> f64 {
        self.gauge.idle_seconds()
    }

    /// Measures the idle power, which the runs from now on are less of.
    pub fn measure_idle(&mut self) {
        self.gauge.measure_idle();
    }

    /// What may have disturbed the runs.
    pub fn warnings(&self) -> Vec<String> {
        self.gauge.energy.warnings.iter().chain(self.other_load.first()).cloned().collect()
    }

    /// Does what is due in a round: the counts in the first, one run in each of the others.
    ///
    /// # Errors
    /// When results can't be read or written, or the interpreter can't be started.
    pub fn advance(&mut self, job: &Job, round: u32) -> Result<Progressed, Failure> {
        let Some(claim) = self.results.claim(job).map_err(Failure::failed)? else {
            return Ok(Progressed::Taken);
        };
        // Another command may have done it a moment ago.
        if let State::Done(_) = self.results.state(job).map_err(Failure::failed)? {
            return Ok(Progressed::Done);
        }
        let mut done = claim.progress(&self.machine);
        if done.is_none() {
            match self.count(job, &claim) {
                Ok(()) => done = Some(0),
                Err(stop) => return self.stop(job, claim, stop),
            }
        }
        let mut done = done.unwrap_or(0);
        if done < round {
            match self.measure(job, &claim, done) {
                Ok(()) => done += 1,
                Err(stop) => return self.stop(job, claim, stop),
            }
        }
        if done < job.options.runs {
            return Ok(Progressed::Open);
        }
        let result = self.result(job, JobOutcome::Done);
        self.results.finish(job, claim, &result).map_err(Failure::failed)?;
        Ok(Progressed::Done)
    }

    fn stop(&self, job: &Job, claim: Claim, stop: Stop) -> Result<Progressed, Failure> {
        let outcome = match stop {
            Stop::Failed(outcome) => outcome,
            Stop::Interrupted => return Ok(Progressed::Open),
            Stop::Broken(failure) => return Err(failure),
        };
        let result = self.result(job, outcome);
        self.results.fail(job, claim, &result).map_err(Failure::failed)?;
        Ok(Progressed::Failed(Box::new(result)))
    }

    fn result(&self, job: &Job, outcome: JobOutcome) -> JobResult {
        let finished = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        JobResult::new(job, outcome, self.machine.clone(), env!("CARGO_PKG_VERSION"), finished)
    }

    /// Runs the program as it is, and then with the agent.
    fn count(&self, job: &Job, claim: &Claim) -> Result<(), Stop> {
        if let Err(reason) = &job.program.sha256 {
            let reason = format!("it can't be read: {reason}");
            let step = Step::Read;
            return Err(Stop::Failed(JobOutcome::Failed { step, reason, exit: None, timed_out: false }));
        }
        let launcher = self.launcher(job, claim);
        self.check(job, claim, Step::Trial, launcher.execute()?)?;
        let mut launcher = self.launcher(job, claim);
        launcher.command = self.metered(job, &claim.recording);
        let (times, seconds) = METERED;
        launcher.timeout = Some(Duration::from_secs_f64(job.timeout * times + seconds));
        let checked = launcher.execute().map_err(Stop::from);
        let checked = checked.and_then(|execution| self.check(job, claim, Step::Counts, execution));
        if checked.is_err() {
            let _ = fs::remove_dir_all(&claim.recording);
        }
        checked
    }

    /// Runs the program as it is, and adds what that took to its recording.
    fn measure(&mut self, job: &Job, claim: &Claim, run: u32) -> Result<(), Stop> {
        let mut series = Series::new(self.launcher(job, claim));
        if run == 0 {
            for _ in 0..job.options.warmup {
                let outcome = series.warm_up()?;
                self.check_series(job, claim, &series, outcome)?;
            }
        }
        let outcome = self.gauge.run(&mut series, run)?;
        self.check_series(job, claim, &series, outcome)?;
        if self.other_load.is_empty() {
            self.other_load.extend(series.load.warning("during a run"));
        }
        let of_runs = |table: &str| ["runs", "energy"].contains(&table);
        let mut recording = Recording::open_tables(&claim.recording, of_runs)?;
        recording.tables.runs.extend(series.runs);
        recording.tables.energy.extend(series.energy);
        if self.gauge.has_counters() {
            let before = recording.manifest.energy.take();
            recording.manifest.energy = Some(self.energy(job, before, series.gaps.sentences()));
        }
        Recording::write_runs(&claim.recording, &recording.manifest, &recording.tables)?;
        Ok(())
    }

    /// How the energy of a job is measured, and what of it is missing so far.
    fn energy(&self, job: &Job, before: Option<Energy>, gaps: Vec<String>) -> Energy {
        let mut energy =
            Energy { runs: job.options.runs, warmup_runs: job.options.warmup, ..self.gauge.energy.clone() };
        let missing = before.into_iter().flat_map(|before| before.incomplete).chain(gaps);
        for sentence in missing {
            if !energy.incomplete.contains(&sentence) {
                energy.incomplete.push(sentence);
            }
        }
        energy.complete = energy.incomplete.is_empty();
        energy
    }

    fn launcher(&self, job: &Job, claim: &Claim) -> Launcher {
        let program = &job.program;
        let input = program.stdin.as_ref().map_or(Input::Nothing, |(path, _)| Input::File(path.clone()));
        let output = Output::Files(claim.stdout.clone(), claim.stderr.clone());
        let mut launcher = Launcher::new(command(job), input, output, &self.passing);
        let folder = program.path.parent().unwrap_or(Path::new("/"));
        launcher.folder = match program.working_folder {
            WorkingFolder::Program => Folder::At(folder.to_owned()),
            WorkingFolder::Scratch => {
                Folder::New(Scratch::new(claim.scratch.clone(), beside(folder, self.results)))
            }
        };
        launcher.environment = vec![("PYTHONHASHSEED".into(), job.options.hash_seed.text().into())];
        launcher.timeout = Some(Duration::from_secs_f64(job.timeout));
        launcher.started = Some(claim.started());
        launcher
    }

    /// The command that meters a job's.
    fn metered(&self, job: &Job, recording: &Path) -> Vec<OsString> {
        let options = &job.options;
        let mut words: Vec<OsString> = vec![self.opmeter.clone().into(), "record".into(), "--quiet".into()];
        words.extend(["-o".into(), recording.into()]);
        words.extend(options.time.map(|share| format!("--time={share}").into()));
        words.extend(options.events.then(|| "--events".into()));
        words.extend(options.max_events.map(|events| format!("--max-events={events}").into()));
        words.extend(options.pairs.then(|| "--pairs".into()));
        words.push("--".into());
        words.extend(command(job));
        words
    }

    fn check_series(&self, job: &Job, claim: &Claim, series: &Series, outcome: Outcome) -> Result<(), Stop> {
        let timed_out = outcome == Outcome::TimedOut;
        // Where all is to fail, nothing may succeed.
        let uneven = series.failed > 0 && series.failed < series.executions();
        let status = if job.program.status != 0 && uneven { ExitStatus::default() } else { series.status };
        self.check(job, claim, Step::Runs, Execution { status, timed_out })
    }

    /// Whether an execution came to the end that it should.
    fn check(&self, job: &Job, claim: &Claim, step: Step, execution: Execution) -> Result<(), Stop> {
        if self.passing.passed().is_some() {
            return Err(Stop::Interrupted);
        }
        let Execution { status, timed_out } = execution;
        if !timed_out && status.code() == Some(job.program.status) {
            return Ok(());
        }
        let said = last_line(&claim.stderr);
        let reason = match (timed_out, step, &said) {
            (true, ..) => format!("it took longer than {} s, and was ended", job.timeout),
            (_, Step::Counts, Some(line)) if status.code() == Some(FAILED.into()) => {
                let line = line.strip_prefix("opmeter: ").unwrap_or(line);
                // What `record` advises for a run by itself is of no use here.
                let line = line.split("; use --best-effort").next().unwrap_or(line);
                format!("it can't be metered: {line}")
            }
            (_, _, Some(line)) => format!("{status}: {line}"),
            (_, _, None) => format!("{status}, without a message"),
        };
        let exit = (!timed_out).then(|| launch::exit_status(status));
        Err(Stop::Failed(JobOutcome::Failed { step, reason, exit, timed_out }))
    }
}

/// The command of a job.
fn command(job: &Job) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![job.interpreter.path.clone().into(), job.program.path.clone().into()];
    words.extend(job.program.arguments.iter().map(OsString::from));
    words
}

/// What lies beside a program and it may want to read: neither programs nor results.
fn beside(folder: &Path, results: &Results) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_wanted = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_own = name.ends_with(".py") || name.ends_with(".opm") || name == "__pycache__";
        !is_own && path != results.folder()
    };
    entries.map(|entry| entry.path()).filter(is_wanted).collect()
}

/// The last line with anything on it, if there is one.
fn last_line(path: &Path) -> Option<String> {
    let text = fs::read(path).unwrap_or_default();
    let end = &text[text.len().saturating_sub(4096)..];
    let text = String::from_utf8_lossy(end);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().chars().take(300).collect())
}
