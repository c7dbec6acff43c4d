//! `opmeter energy`

mod disturbance;
mod gaps;
mod input;
mod launcher;
mod meters;
mod progress;
mod series;

use std::env;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use opmeter_energy::{Idle, Meter, Sysfs};
use opmeter_recording::{Energy, EnergyDomain, Manifest, Recording, Tables};

use crate::cli::EnergyArgs;
use crate::error::Failure;
use crate::output::{Output, Part, words};
use crate::{changed_sources, launch, machine, report};

pub use meters::describe as describe_meters;

use disturbance::OtherLoad;
use input::Input;
use launcher::Launcher;
use progress::Progress;
use series::{Outcome, Series};

/// How long the idle power is measured where nothing else is asked for, in seconds.
const IDLE: f64 = 2.0;

/// Runs the command, measures its energy, writes the recording, prints the table.
pub fn run(args: &EnergyArgs) -> Result<ExitCode, Failure> {
    let sysfs = Sysfs::at(&args.sysfs);
    let input = Input::choose(args.input.as_deref(), args.runs + args.warmup == 1)?;
    let (meter, missing) = meters::choose(args, &sysfs)?;
    let output = Output::create(args.output.as_deref(), args.force, &args.command, Part::Energy)?;
    let measured = measure(args, &sysfs, &output, input, meter, missing);
    let (series, manifest) = match measured {
        Ok(measured) => measured,
        Err(failure) => {
            output.discard();
            return Err(failure);
        }
    };
    if series.rows.is_empty() {
        let interrupted = series.gaps.sentences().is_empty();
        output.discard();
        if interrupted {
            return Ok(launch::end_like(series.status));
        }
        return Err(Failure::not_done(format_args!(
            "no run could be measured, and nothing was written:\n  {}",
            series.gaps.sentences().join("\n  ")
        )));
    }
    if !args.quiet {
        let tables = Tables { energy: series.rows, ..Tables::default() };
        report::print_energy_after_run(&Recording { path: output.path, manifest, tables });
    }
    Ok(launch::end_like(series.status))
}

/// Runs the command as often as was asked for, and writes what each run took as soon as it has ended.
fn measure<'a>(
    args: &'a EnergyArgs,
    sysfs: &Sysfs,
    output: &Output,
    input: Input,
    mut meter: Meter,
    missing: Vec<String>,
) -> Result<(Series<'a>, Manifest), Failure> {
    let mut energy = Energy {
        source: meter.source().name().to_owned(),
        estimate: meter.source().declared_watts().is_some(),
        directory: env::current_dir().unwrap_or_default().display().to_string(),
        started: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        machine: machine::describe(),
        runs: args.runs,
        warmup_runs: args.warmup,
        domains: domains(&meter),
        incomplete: missing,
        warnings: disturbance::of_settings(sysfs),
        ..Energy::default()
    };
    if let Some(Recording { manifest, tables, .. }) = &output.beside {
        energy.warnings.extend(changed_sources::warning(&tables.sources, &manifest.started));
    }
    let launcher = Launcher::new(&args.command, input, args.no_output)?;
    let progress = Progress::new(args);
    let seconds = if energy.estimate { 0.0 } else { args.idle.unwrap_or(IDLE) };
    let mut idle = None;
    if seconds > 0.0 {
        progress.idle(seconds);
        let measured;
        (meter, measured) = measure_idle(meter, seconds, &mut energy);
        idle = measured;
    }
    let begun = Instant::now();
    let mut series = Series::new(launcher, idle);
    let mut outcome = Outcome::Ended;
    for run in 0..args.warmup {
        if outcome == Outcome::Ended {
            progress.warm_up(run);
            outcome = series.warm_up()?;
        }
    }
    let mut done = 0;
    let mut manifest = manifest(args, output, &energy);
    while done < args.runs && outcome == Outcome::Ended {
        progress.run(done);
        (meter, outcome) = series.run(meter, done)?;
        if outcome != Outcome::Interrupted {
            done += 1;
            manifest.energy = Some(state(&energy, &series, done));
            write(output, &mut manifest, &series, begun)?;
        }
    }
    progress.end();
    energy.warnings.extend(series.load.warning("during the runs"));
    energy.warnings.extend(series.input_warning());
    if series.failed > 0 && outcome != Outcome::Interrupted {
        energy.warnings.push(format!(
            "{} of the executions failed ({}), and are counted all the same; see to it that the command does what it \
             should",
            series.failed, series.status
        ));
    }
    manifest.energy = Some(state(&energy, &series, done));
    write(output, &mut manifest, &series, begun)?;
    Ok((series, manifest))
}

/// Measures the idle power of all domains that have a counter that moves.
fn measure_idle(meter: Meter, seconds: f64, energy: &mut Energy) -> (Meter, Option<Idle>) {
    let mut load = OtherLoad::default();
    load.begin();
    let (meter, idle) = Idle::measure(meter, seconds);
    load.end(idle.seconds);
    energy.warnings.extend(load.warning("while the idle power was measured"));
    energy.idle_seconds = idle.seconds;
    let mut is_known = true;
    for (place, (domain, power)) in energy.domains.iter_mut().zip(&idle.power).enumerate() {
        match power {
            Ok(power) => {
                domain.idle_watts = Some(power.watts);
                domain.idle_watts_se = power.standard_error;
            }
            Err(_) if meter.period(place).is_none() => {}
            Err(fault) => {
                is_known = false;
                energy.incomplete.push(format!(
                    "no net joules are given: {} {fault}, while the idle power was measured",
                    domain.domain
                ));
            }
        }
    }
    (meter, is_known.then_some(idle))
}

fn domains(meter: &Meter) -> Vec<EnergyDomain> {
    let describe = |(place, domain): (usize, &opmeter_energy::Domain)| EnergyDomain {
        domain: domain.to_string(),
        kind: domain.kind.name().to_owned(),
        socket: domain.place.socket,
        die: domain.place.die,
        update_seconds: meter.period(place),
        ..EnergyDomain::default()
    };
    meter.source().domains().iter().enumerate().map(describe).collect()
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

/// Writes what there is, once there is anything.
fn write(output: &Output, manifest: &mut Manifest, series: &Series, begun: Instant) -> Result<(), Failure> {
    if series.rows.is_empty() {
        return Ok(());
    }
    if let (false, Some(energy)) = (manifest.has_counts(), &manifest.energy) {
        manifest.exit = launch::exit_status(series.status);
        manifest.wall_seconds = begun.elapsed().as_secs_f64();
        (manifest.complete, manifest.incomplete) = (energy.complete, energy.incomplete.clone());
    }
    Recording::write_energy(&output.path, manifest, &series.rows).map_err(Failure::failed)
}
