use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use opmeter_files::create_anew;
use opmeter_recording::{Machine, Recording};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::{Error, Job, JobResult, orphan};

/// The folder of what is in the making, in that of the results.
pub(crate) const PARTIAL: &str = ".partial";

/// The folder of the results of a folder of programs.
///
/// A job that is done has the recording `PROGRAM/INTERPRETER.opm`, with a [`JobResult`] in it; one that failed has the
/// folder `PROGRAM/INTERPRETER.failed` with a `JobResult`, `stdout.txt` and `stderr.txt`. Both come into being whole, by
/// renaming; what is in the making lies in `.partial`, by its key.
#[derive(Debug, Clone)]
pub struct Results {
    folder: PathBuf,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It is done: there is a result of the same key.
    Done(Box<JobResult>),
    /// It failed before: there is a result of the same key.
    Failed(Box<JobResult>),
    /// It is to be done, or to be done on.
    Open,
}

/// A job that this process works on, and no other.
#[derive(Debug)]
pub struct Claim {
    /// The recording in the making.
    pub recording: PathBuf,
    /// The working folder of its runs.
    pub scratch: PathBuf,
    /// What the last run printed to standard output.
    pub stdout: PathBuf,
    /// What the last run printed to standard error.
    pub stderr: PathBuf,
    lock: PathBuf,
    locked: File,
}

impl Results {
    /// The results in a folder, which is made where there is none.
    ///
    /// # Errors
    /// [`Error::Io`] where it can't be made.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let partial = folder.join(PARTIAL);
        fs::create_dir_all(&partial).map_err(|source| Error::io("create", &partial, source))?;
        let folder = fs::canonicalize(folder).map_err(|source| Error::io("open", folder, source))?;
        Ok(Self { folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the recording of a job that is done lies.
    pub fn recording(&self, job: &Job) -> PathBuf {
        self.place(job, "opm")
    }

    /// Where what a job printed lies, if it failed.
    pub fn failure(&self, job: &Job) -> PathBuf {
        self.place(job, "failed")
    }

    fn place(&self, job: &Job, extension: &str) -> PathBuf {
        self.folder.join(&job.program.place).join(format!("{}.{extension}", job.interpreter.slug()))
    }

    fn partial(&self, key: &str, extension: &str) -> PathBuf {
        self.folder.join(PARTIAL).join(format!("{key}.{extension}"))
    }

    /// How far a job has come. One that was killed between its end and its place is put there.
    ///
    /// # Errors
    /// [`Error::Io`] where it can't be put there.
    pub fn state(&self, job: &Job) -> Result<State, Error> {
        let key = job.key();
        let at = |place: &Path| JobResult::read(place).filter(|result| result.key == key).map(Box::new);
        let partial = self.partial(&key, "opm");
        if at(&partial).is_some() {
            self.put(&partial, &self.recording(job))?;
        }
        if let Some(result) = at(&self.recording(job)) {
            return Ok(State::Done(result));
        }
        Ok(at(&self.failure(job)).map_or(State::Open, State::Failed))
    }

    /// Takes on a job; none where another process has.
    ///
    /// # Errors
    /// [`Error::Io`] where the files in the making can't be.
    pub fn claim(&self, job: &Job) -> Result<Option<Claim>, Error> {
        let key = job.key();
        let lock = self.partial(&key, "lock");
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&lock);
        let file = file.map_err(|source| Error::io("create", &lock, source))?;
        // A file system may have no locks: then nobody else is known to work on it.
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Ok(None);
        }
        // Who worked on it before was killed, and what it had started may still run.
        orphan::end(&file);
        Ok(Some(Claim {
            recording: self.partial(&key, "opm"),
            scratch: self.partial(&key, "scratch"),
            stdout: self.partial(&key, "stdout"),
            stderr: self.partial(&key, "stderr"),
            lock,
            locked: file,
        }))
    }

    /// A job is done: its recording gets its place, and what was there before goes.
    ///
    /// # Errors
    /// [`Error::Io`] where that can't be written.
    pub fn finish(&self, job: &Job, claim: Claim, result: &JobResult) -> Result<(), Error> {
        write_result(&claim.recording, result)?;
        self.put(&claim.recording, &self.recording(job))?;
        let _ = fs::remove_dir_all(self.failure(job));
        claim.end();
        Ok(())
    }

    /// A job failed: that gets its place, with what the program printed, and what was measured before goes.
    ///
    /// # Errors
    /// [`Error::Io`] where that can't be written.
    pub fn fail(&self, job: &Job, claim: Claim, result: &JobResult) -> Result<(), Error> {
        let folder = self.partial(&result.key, "failed");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|source| Error::io("create", &folder, source))?;
        for (from, name) in [(&claim.stdout, "stdout.txt"), (&claim.stderr, "stderr.txt")] {
            let to = folder.join(name);
            copy_end(from, &to).map_err(|source| Error::io("write", &to, source))?;
        }
        write_result(&folder, result)?;
        self.put(&folder, &self.failure(job))?;
        let _ = fs::remove_dir_all(self.recording(job));
        let _ = fs::remove_dir_all(&claim.recording);
        claim.end();
        Ok(())
    }

    /// Gives a folder that is whole its place.
    fn put(&self, from: &Path, to: &Path) -> Result<(), Error> {
        let parent = to.parent().unwrap_or(to);
        fs::create_dir_all(parent).map_err(|source| Error::io("create", parent, source))?;
        let mut aside = from.as_os_str().to_owned();
        aside.push(".replaced");
        let aside = PathBuf::from(aside);
        let _ = fs::remove_dir_all(&aside);
        match fs::rename(to, &aside) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(Error::io("replace", to, source));
            }
            _ => {}
        }
        fs::rename(from, to).map_err(|source| Error::io("write", to, source))?;
        let _ = fs::remove_dir_all(&aside);
        Ok(())
    }
}

impl Claim {
    /// How many runs without the agent the recording in the making has; none where it has no counts yet. One that was
    /// interrupted while it was made is removed, and one of another machine, whose times are others.
    pub fn progress(&self, machine: &Machine) -> Option<u32> {
        let runs = |table: &str| table == "runs";
        let recording = Recording::open_tables(&self.recording, runs).ok();
        let counted = recording
            .filter(|Recording { manifest, .. }| manifest.has_counts() && manifest.machine == *machine);
        if counted.is_none() {
            let _ = fs::remove_dir_all(&self.recording);
        }
        counted.map(|recording| recording.tables.runs.len() as u32)
    }

    /// What is to be told the leader of each process group that is started for the job: should we be killed, whoever
    /// takes on the job next ends it.
    pub fn started(&self) -> Box<dyn Fn(u32)> {
        let lock = self.locked.try_clone();
        Box::new(move |leader| lock.iter().for_each(|lock| orphan::note(lock, leader)))
    }

    /// Takes away what only runs need.
    fn end(self) {
        let _ = fs::remove_dir_all(&self.scratch);
        for path in [&self.stdout, &self.stderr, &self.lock] {
            let _ = fs::remove_file(path);
        }
    }
}

/// The most bytes of what a program printed that are kept: the last ones.
const KEPT: u64 = 1 << 16;

/// Copies the end of a file; an empty one where it is not there.
fn copy_end(from: &Path, to: &Path) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let mut end = Vec::new();
    if let Ok(mut file) = File::open(from) {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(KEPT)))?;
        file.take(KEPT).read_to_end(&mut end)?;
    }
    fs::write(to, end)
}

/// Writes a result into a folder, whole or not at all.
fn write_result(folder: &Path, result: &JobResult) -> Result<(), Error> {
    let path = folder.join(JobResult::FILE);
    let draft = folder.join(".result.json.part");
    let write = || {
        let mut file = create_anew(&draft, 0o666)?;
        serde_json::to_writer_pretty(&mut file, result)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    };
    write().map_err(|source| Error::io("write", &path, source))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use opmeter_recording::{Manifest, RunRow, Tables};

    use super::*;
    use crate::job::tests::job;
    use crate::{JobOutcome, Step};

    fn result(job: &Job, outcome: JobOutcome) -> JobResult {
        JobResult::new(job, outcome, Machine::default(), "0.1.0", "2026-01-01T00:00:00Z".to_owned())
    }

    fn failure(timed_out: bool) -> JobOutcome {
        JobOutcome::Failed { step: Step::Trial, reason: "no".to_owned(), exit: None, timed_out }
    }

    /// Takes on a job that nobody works on. (A process that another test is just starting may hold its lock for a
    /// moment: it has a copy of all our files until it executes its program.)
    fn take(results: &Results, job: &Job) -> Claim {
        loop {
            match results.claim(job).unwrap() {
                Some(claim) => return claim,
                None => std::thread::sleep(std::time::Duration::from_millis(1)),
            }
        }
    }

    /// A recording with counts and so many runs.
    fn record(claim: &Claim, runs: u32) {
        let runs =
            (0..runs).map(|run| RunRow { run, seconds: 1.0, cpu_seconds: 1.0, repetitions: 1 }).collect();
        Recording::write(&claim.recording, &Manifest::default(), &Tables { runs, ..Tables::default() })
            .unwrap();
    }

    #[test]
    fn a_job_is_done_on_where_it_was_left_and_done_once() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(folder.path()).unwrap();
        let job = job();
        assert_eq!(results.state(&job).unwrap(), State::Open);
        let claim = take(&results, &job);
        assert!(results.claim(&job).unwrap().is_none(), "it is taken");
        assert_eq!(claim.progress(&Machine::default()), None);
        record(&claim, 0);
        assert_eq!(claim.progress(&Machine::default()), Some(0));
        record(&claim, 3);
        drop(claim);
        let claim = take(&results, &job);
        assert_eq!(claim.progress(&Machine::default()), Some(3));
        drop(claim);
        // Times of two machines are never mixed.
        let claim = take(&results, &job);
        assert_eq!(claim.progress(&Machine { hostname: "other".into(), ..Machine::default() }), None);
        record(&claim, 3);
        let done = result(&job, JobOutcome::Done);
        results.finish(&job, claim, &done).unwrap();
        assert_eq!(results.state(&job).unwrap(), State::Done(Box::new(done)));
        assert!(results.recording(&job).ends_with("a.py/cpython-3.11.7-123456.opm"));
        assert_eq!(fs::read_dir(results.folder().join(PARTIAL)).unwrap().count(), 0);
        // Another content is another job, whose result takes the place.
        let mut changed = job.clone();
        changed.program.sha256 = Ok("11".to_owned());
        assert_eq!(results.state(&changed).unwrap(), State::Open);
        let claim = take(&results, &changed);
        fs::write(&claim.stderr, "x".repeat(100_000) + "end").unwrap();
        results.fail(&changed, claim, &result(&changed, failure(false))).unwrap();
        assert!(matches!(results.state(&changed).unwrap(), State::Failed(_)));
        assert_eq!(results.state(&job).unwrap(), State::Open, "what it had is of another program now");
        let kept = fs::read_to_string(results.failure(&changed).join("stderr.txt")).unwrap();
        assert!(kept.len() == KEPT as usize && kept.ends_with("xend"));
        assert_eq!(fs::read(results.failure(&changed).join("stdout.txt")).unwrap(), b"");
        assert_eq!(fs::read_dir(results.folder().join(PARTIAL)).unwrap().count(), 0);
    }

    #[test]
    fn half_a_recording_is_begun_anew_and_a_whole_one_gets_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(folder.path()).unwrap();
        let job = job();
        let claim = take(&results, &job);
        fs::create_dir_all(claim.recording.join("live")).unwrap();
        assert_eq!(claim.progress(&Machine::default()), None);
        assert!(!claim.recording.exists());
        // Killed after the result was written, before it had its place.
        record(&claim, 5);
        write_result(&claim.recording, &result(&job, JobOutcome::Done)).unwrap();
        drop(claim);
        assert!(matches!(results.state(&job).unwrap(), State::Done(_)));
        assert!(results.recording(&job).join("manifest.json").exists());
        // A result that is cut short is none.
        fs::write(results.recording(&job).join(JobResult::FILE), "{\"schema_version\": 1,").unwrap();
        assert_eq!(results.state(&job).unwrap(), State::Open);
    }

    #[test]
    fn what_a_killed_command_left_running_is_ended() {
        use std::os::unix::process::CommandExt;
        use std::process::Command;
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(folder.path()).unwrap();
        let claim = take(&results, &job());
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        claim.started()(child.id());
        drop(claim);
        let _claim = take(&results, &job());
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }

    #[test]
    fn who_has_more_time_may_try_again() {
        let job = job();
        let longer = Job { timeout: 120.0, ..job.clone() };
        let timed_out = result(&job, failure(true));
        assert!(timed_out.may_end_now(&longer) && !timed_out.may_end_now(&job));
        assert!(!result(&job, failure(false)).may_end_now(&longer));
        let read = serde_json::to_string(&timed_out).unwrap();
        assert_eq!(serde_json::from_str::<JobResult>(&read).unwrap(), timed_out);
    }
}
