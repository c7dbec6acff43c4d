//! `opmeter record`

mod args;

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::time::{Duration, Instant, SystemTime};

use opmeter_recording::{Budget, Collected, Manifest, ProcessState, Recording, Tables, any_running};

use crate::error::{FAILED, Failure};
use crate::event_reader::EventReader;
use crate::live_folder::{LiveFolder, Wishes};
use crate::long_executions::Watch;
use crate::message;
use crate::output::{Output, Part, words};
use crate::{agent, changed_sources, launch, machine, report};

pub use args::RecordArgs;

/// How long processes that outlive the command are waited for.
const SETTLING: Duration = Duration::from_millis(300);

/// Runs the command under the meter, with what has to go on beside it.
fn run_metered(args: &RecordArgs, agent: &Path, live: &Path) -> io::Result<ExitStatus> {
    let watch = args.time.map(|_| Watch::begin(live)).transpose()?;
    let budget = Budget::new(args.max_events, args.max_size);
    let events = args.events.then(|| EventReader::begin(live, budget)).transpose()?;
    let status = launch::run(&args.command, agent, live);
    watch.into_iter().for_each(Watch::end);
    events.into_iter().for_each(EventReader::end);
    status
}

/// Runs the command, writes the recording, prints the table.
pub fn run(args: &RecordArgs) -> Result<ExitCode, Failure> {
    let agent = agent::library()?;
    let mut output = Output::create(args.output.as_deref(), args.force, &args.command, Part::Counts)?;
    let mut manifest = Manifest {
        opmeter_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: words(&args.command),
        directory: env::current_dir().unwrap_or_default().display().to_string(),
        environment: Some(python_environment()),
        started: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        machine: machine::describe(),
        energy: output.beside.as_ref().and_then(|beside| beside.manifest.energy.clone()),
        ..Manifest::default()
    };
    let wishes =
        Wishes { best_effort: args.best_effort, pairs: args.pairs, time: args.time, events: args.events };
    let live = LiveFolder::create(&output.path, wishes, &manifest);
    let live = match live.and_then(|live| output.set_manifest_aside().map(|()| live)) {
        Ok(live) => live,
        Err(error) => {
            let place = output.path.display().to_string();
            output.discard();
            return Err(Failure::failed(format_args!(
                "{place} can't be written: {error}; choose another place with -o"
            )));
        }
    };
    let begun = Instant::now();
    let status = match run_metered(args, &agent, &live.path) {
        Ok(status) => status,
        Err(error) => {
            output.discard();
            return Err(launch::not_started(&args.command, &error));
        }
    };
    manifest.wall_seconds = begun.elapsed().as_secs_f64();
    manifest.exit = launch::exit_status(status);
    let collected = settle(&live).map_err(Failure::failed)?;
    if let Some(failure) = nothing_ran(args, &collected, status) {
        output.discard();
        return match failure {
            Some(failure) => Err(failure),
            None => Ok(launch::end_like(status)),
        };
    }
    output.keep();
    manifest.complete = collected.incomplete.is_empty();
    manifest.incomplete = collected.incomplete;
    manifest.processes = collected.processes;
    let beside = output.beside.take().map(|beside| beside.tables).unwrap_or_default();
    if let Some(energy) = &mut manifest.energy {
        energy.warnings.extend(changed_sources::warning(&collected.tables.sources, &energy.started));
    }
    let tables = Tables { runs: beside.runs, energy: beside.energy, ..collected.tables };
    let recording = Recording { path: output.path, manifest, tables };
    match Recording::write(&recording.path, &recording.manifest, &recording.tables) {
        Ok(()) => live.remove(),
        // The counters stay where they are, and `report` reads them there.
        Err(error) => message::tell(format_args!("{error}; the counts are kept in {}", live.path.display())),
    }
    if !args.quiet {
        report::print_after_run(&recording, args.top);
    }
    // The system frees its memory faster, all at once.
    std::mem::forget(recording);
    Ok(launch::end_like(status))
}

/// The environment variables that steer CPython.
fn python_environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let all = env::vars_os().map(|(name, value)| (text(name), text(value)));
    all.filter(|(name, _)| name.starts_with("PYTHON")).collect()
}

/// Reads the counters, after waiting a moment for helpers that end when their parent does, as
/// `multiprocessing`'s do.
fn settle(live: &LiveFolder) -> Result<Collected, opmeter_recording::Error> {
    let deadline = Instant::now() + SETTLING;
    while any_running(&live.path) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    live.collect()
}

/// Whether there is nothing to record, and with which failure to end then: none where the command's own
/// status says more.
fn nothing_ran(
    args: &RecordArgs,
    collected: &Collected,
    status: std::process::ExitStatus,
) -> Option<Option<Failure>> {
    if collected.processes.iter().any(|process| process.state == ProcessState::Metered) {
        return None;
    }
    let refused = collected.processes.iter().find(|process| process.state == ProcessState::Refused);
    let message = if let Some(process) = refused {
        format!(
            "{} ({}) can't be metered, and was not run: {}; use --best-effort to run it unmetered",
            process.executable,
            python_name(&process.python),
            process.reason.as_deref().unwrap_or("the reason is not known")
        )
    } else if let Some((_, error)) = &collected.unrecorded {
        if !args.best_effort {
            format!(
                "the counters could not be kept ({error}), and the program was not run; make room (on the \
                 disk, or in memory: ulimit -v), choose another place with -o, or use --best-effort to run \
                 it unmetered"
            )
        } else {
            format!("the counters could not be kept ({error}); nothing was recorded")
        }
    } else if let Some(process) = collected.processes.first() {
        format!(
            "{} ({}) ran unmetered: {}; nothing was recorded",
            process.executable,
            python_name(&process.python),
            process.reason.as_deref().unwrap_or("it ended before the meter was set up")
        )
    } else {
        "no CPython ran in this command, so there is nothing to record; opmeter meters CPython 3.8 and \
         later (not PyPy, not a statically linked or set-user-ID interpreter)"
            .to_owned()
    };
    let own = args.best_effort || !status.success() && refused.is_none() && collected.unrecorded.is_none();
    if own {
        message::tell(message);
        return Some(None);
    }
    Some(Some(Failure { status: FAILED, message }))
}

fn python_name(version: &str) -> String {
    if version.is_empty() { "an unknown version".to_owned() } else { format!("CPython {version}") }
}
