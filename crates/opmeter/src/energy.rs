//! `opmeter energy`

mod args;
mod progress;

use std::process::ExitCode;
use std::time::Instant;

use opmeter_recording::{Energy, Manifest, Recording, Tables};

use crate::error::Failure;
use crate::message;
use crate::native::gauge::Gauge;
use crate::native::input::Input;
use crate::native::launcher::{self, Launcher};
use crate::native::series::{Outcome, Series};
use crate::output::{Output, Part, words};
use crate::{changed_sources, launch, report};

pub use args::EnergyArgs;
use progress::Progress;

/// Runs the command, measures its energy, writes the recording, prints the table.
pub fn run(args: &EnergyArgs) -> Result<ExitCode, Failure> {
    let input = Input::choose(args.input.as_deref(), args.runs + args.warmup == 1)?;
    let gauge = Gauge::choose(&args.gauge)?;
    let mut output = Output::create(args.output.as_deref(), args.force, &args.command, Part::Energy)?;
    let Measured { series, manifest, written } = match measure(args, &output, input, gauge) {
        Ok(measured) => measured,
        Err(failure) => {
            output.discard();
            return Err(failure);
        }
    };
    if series.energy.is_empty() {
        let faults = series.gaps.sentences();
        output.discard();
        if faults.is_empty() {
            return Ok(launch::end_like(series.status));
        }
        return Err(Failure::not_done(format_args!(
            "no run could be measured, and nothing was written:\n  {}",
            faults.join("\n  ")
        )));
    }
    let (path, is_recorded) = (output.path.clone(), written.is_ok());
    match written {
        Ok(()) => output.keep(),
        // What was measured is shown all the same, and what was written before is kept.
        Err((failure, true)) => {
            output.keep();
            message::tell_lines(format_args!("{}; the recording has the runs before", failure.message));
        }
        Err((failure, false)) => {
            output.discard();
            message::tell_lines(format_args!("{}; nothing is recorded", failure.message));
        }
    }
    if !args.quiet {
        let tables = Tables { runs: series.runs, energy: series.energy, ..Tables::default() };
        report::print_energy_after_run(&Recording { path, manifest, tables }, is_recorded);
    }
    Ok(launch::end_like(series.status))
}

/// What was measured.
struct Measured {
    series: Series,
    manifest: Manifest,
    /// Whether all of it was written; if not, why, and whether some of it was.
    written: Result<(), (Failure, bool)>,
}

/// Runs the command as often as was asked for, and writes what each run took as soon as it has ended.
fn measure(args: &EnergyArgs, output: &Output, input: Input, mut gauge: Gauge) -> Result<Measured, Failure> {
    (gauge.energy.runs, gauge.energy.warmup_runs) = (args.runs, args.warmup);
    if let Some(Recording { manifest, tables, .. }) = &output.beside {
        gauge.energy.warnings.extend(changed_sources::warning(&tables.sources, &manifest.started));
    }
    let where_to = if args.no_output { launcher::Output::ErrorsOnly } else { launcher::Output::Own };
    let launcher = Launcher::new(args.command.clone(), input, where_to, &launcher::prepare()?);
    let progress = Progress::new(args);
    progress.idle(gauge.idle_seconds());
    gauge.measure_idle();
    let begun = Instant::now();
    let mut series = Series::new(launcher);
    let mut outcome = Outcome::Ended;
    for run in 0..args.warmup {
        if outcome == Outcome::Ended {
            progress.warm_up(run);
            outcome = series.warm_up()?;
        }
    }
    let (mut done, mut any_written) = (0, false);
    let mut manifest = manifest(args, output, &gauge.energy);
    while done < args.runs && outcome == Outcome::Ended {
        progress.run(done);
        outcome = gauge.run(&mut series, done)?;
        if outcome != Outcome::Interrupted {
            done += 1;
            describe(&mut manifest, state(&gauge.energy, &series, done), &series, begun);
            any_written |= write(output, &manifest, &series).is_ok();
        }
    }
    progress.end();
    let mut energy = gauge.energy;
    energy.warnings.extend(series.load.warning("during the runs"));
    energy.warnings.extend(series.input_warning());
    if series.failed > 0 && outcome != Outcome::Interrupted {
        energy.warnings.push(format!(
            "{} of the executions failed ({}), and are counted all the same; see to it that the command does what it \
             should",
            series.failed, series.status
        ));
    }
    describe(&mut manifest, state(&energy, &series, done), &series, begun);
    let written = write(output, &manifest, &series).map_err(|failure| (failure, any_written));
    Ok(Measured { series, manifest, written })
}

/// The manifest of the recording that the energy is added to, or that of a new one.
fn manifest(args: &EnergyArgs, output: &Output, energy: &Energy) -> Manifest {
    if let Some(beside) = &output.beside {
        return beside.manifest.clone();
    }
    Manifest {
        opmeter_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: words(&args.command),
        directory: energy.directory.clone(),
        started: energy.started.clone(),
        machine: energy.machine.clone(),
        tables: Vec::new(),
        ..Manifest::default()
    }
}

/// What is to be said of the measurement after so many runs.
fn state(energy: &Energy, series: &Series, done: u32) -> Energy {
    let mut energy = energy.clone();
    energy.incomplete.extend(series.gaps.sentences());
    if done < energy.runs {
        energy.incomplete.push(format!("measuring ended after {done} of {} runs", energy.runs));
    }
    energy.complete = energy.incomplete.is_empty();
    energy
}

/// Has the manifest say how energy was measured; of a recording that has nothing else, how that ended, too.
fn describe(manifest: &mut Manifest, energy: Energy, series: &Series, begun: Instant) {
    if !manifest.has_counts() {
        manifest.exit = launch::exit_status(series.status);
        manifest.wall_seconds = begun.elapsed().as_secs_f64();
        (manifest.complete, manifest.incomplete) = (energy.complete, energy.incomplete.clone());
    }
    manifest.energy = Some(energy);
}

/// Writes what there is, once there is anything.
fn write(output: &Output, manifest: &Manifest, series: &Series) -> Result<(), Failure> {
    if series.energy.is_empty() {
        return Ok(());
    }
    let tables = Tables { runs: series.runs.clone(), energy: series.energy.clone(), ..Tables::default() };
    Recording::write_runs(&output.path, manifest, &tables).map(drop).map_err(Failure::failed)
}
