//! `opmeter record`

mod args;
mod settling;

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::time::{Instant, SystemTime};

use opmeter_recording::{Budget, Collected, Manifest, Outliving, ProcessState, Recording, Tables};

use crate::error::{FAILED, Failure};
use crate::event_reader::EventReader;
use crate::live_folder::{LiveFolder, Wishes};
use crate::long_executions::Watch;
use crate::message;
use crate::output::{Output, Part, words};
use crate::{agent, changed_sources, launch, machine, report};

pub use args::RecordArgs;

/// What became of a command that ran under the meter.
struct Ran {
    status: ExitStatus,
    /// How long it took, in seconds.
    seconds: f64,
    /// What it has left running.
    outliving: Vec<Outliving>,
}

/// Runs the command under the meter, with what has to go on beside it until the live folder is closed.
fn run_metered(args: &RecordArgs, agent: &Path, live: &mut LiveFolder) -> io::Result<Ran> {
    let watch = args.time.map(|_| Watch::begin(&live.path)).transpose()?;
    let budget = Budget::new(args.max_events, args.max_size);
    let events = args.events.then(|| EventReader::begin(&live.path, budget)).transpose()?;
    let begun = Instant::now();
    let ran = launch::run(&args.command, agent, &live.path).map(|status| {
        let seconds = begun.elapsed().as_secs_f64();
        Ran { status, seconds, outliving: settling::settle(live) }
    });
    watch.into_iter().for_each(Watch::end);
    events.into_iter().for_each(|events| events.end(&live.path));
    ran
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
    let mut live = match live.and_then(|live| output.set_manifest_aside().map(|()| live)) {
        Ok(live) => live,
        Err(error) => {
            let place = output.path.display().to_string();
            output.discard();
            return Err(Failure::failed(format_args!(
                "{place} can't be written: {error}; choose another place with -o"
            )));
        }
    };
    let Ran { status, seconds, outliving } = match run_metered(args, &agent, &mut live) {
        Ok(ran) => ran,
        Err(error) => {
            output.discard();
            return Err(launch::not_started(&args.command, &error));
        }
    };
    manifest.wall_seconds = seconds;
    manifest.exit = launch::exit_status(status);
    let collected = live.collect(&outliving).map_err(Failure::failed)?;
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
    } else if !collected.uncounted.is_empty() {
        let names: Vec<String> = collected.uncounted.iter().map(ToString::to_string).collect();
        format!(
            "no CPython had run in this command when it ended, so there is nothing to record; it left {} running: \
             have it wait for what is to be metered",
            names.join(", ")
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
