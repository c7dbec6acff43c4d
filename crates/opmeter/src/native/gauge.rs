//! The energy meter of a series of runs, and what is known of it.

use std::env;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use opmeter_energy::{Domain, Idle, Meter, NoCounters, Sysfs};
use opmeter_recording::{Energy, EnergyDomain};

use super::disturbance::{self, OtherLoad};
use super::meters;
use super::series::{Outcome, Series};
use super::source_arg::SourceArg;
use crate::error::Failure;
use crate::machine;

/// How long the idle power is measured where nothing else is asked for, in seconds.
const IDLE: f64 = 2.0;

/// Arguments that choose an energy meter.
#[derive(Args)]
pub struct GaugeArgs {
    /// Measure for so long before the runs what the machine takes when idle; 0 for not at all [default: 2]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, conflicts_with = "watts")]
    pub idle: Option<f64>,
    /// Estimate the energy from a constant power instead, on a machine without counters
    #[arg(long, value_name = "WATTS", value_parser = watts)]
    pub watts: Option<f64>,
    /// The counters to read [default: the first of them that can be]
    #[arg(long, value_enum, conflicts_with = "watts")]
    pub source: Option<SourceArg>,
    /// Where the kernel's tree of counters is, such as the host's in a container
    #[arg(long, value_name = "ROOT", default_value = "/sys")]
    pub sysfs: PathBuf,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
    seconds.ok_or_else(|| "a time is a number of seconds, from 0 to a day".to_owned())
}

fn watts(text: &str) -> Result<f64, String> {
    let watts = text.parse().ok().filter(|watts: &f64| *watts > 0.0 && watts.is_finite());
    watts.ok_or_else(|| "a power is a number of watts above 0".to_owned())
}

/// An energy meter.
pub struct Gauge {
    /// There is one but while it is in use.
    meter: Option<Meter>,
    idle: Option<Idle>,
    idle_seconds: f64,
    /// How energy is measured with it; the runs are not in it yet.
    pub energy: Energy,
}

impl Gauge {
    /// The meter that the arguments ask for.
    ///
    /// # Errors
    /// When there is none that can be read, with what was tried and how to allow it.
    pub fn choose(args: &GaugeArgs) -> Result<Self, Failure> {
        let sysfs = Sysfs::at(&args.sysfs);
        let (meter, missing) = meters::choose(args, &sysfs)?;
        let estimate = meter.source().declared_watts().is_some();
        let energy = Energy {
            source: meter.source().name().to_owned(),
            estimate,
            domains: domains(&meter),
            incomplete: missing,
            ..Self::facts(&sysfs)
        };
        let idle_seconds = if estimate { 0.0 } else { args.idle.unwrap_or(IDLE) };
        Ok(Self { meter: Some(meter), idle: None, idle_seconds, energy })
    }

    /// A meter that measures time alone.
    pub fn without_counters(args: &GaugeArgs) -> Self {
        let meter = Meter::new(Box::new(NoCounters));
        let energy = Self::facts(&Sysfs::at(&args.sysfs));
        Self { meter: Some(meter), idle: None, idle_seconds: 0.0, energy }
    }

    fn facts(sysfs: &Sysfs) -> Energy {
        Energy {
            directory: env::current_dir().unwrap_or_default().display().to_string(),
            started: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            machine: machine::describe(),
            warnings: disturbance::of_settings(sysfs),
            ..Energy::default()
        }
    }

    /// Whether it measures more than time.
    pub fn has_counters(&self) -> bool {
        !self.energy.domains.is_empty()
    }

    /// How long the idle power is to be measured, in seconds; 0 where it is not.
    pub fn idle_seconds(&self) -> f64 {
        self.idle_seconds
    }

    /// Measures the idle power of all domains that have a counter that moves.
    pub fn measure_idle(&mut self) {
        if self.idle_seconds == 0.0 {
            return;
        }
        let Some(meter) = self.meter.take() else { return };
        let mut load = OtherLoad::default();
        load.begin();
        let (meter, idle) = Idle::measure(meter, self.idle_seconds);
        load.end(idle.seconds);
        let energy = &mut self.energy;
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
        self.meter = Some(meter);
        self.idle = is_known.then_some(idle);
    }

    /// Runs a command as run `run` of its series, and measures it.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn run(&mut self, series: &mut Series, run: u32) -> Result<Outcome, Failure> {
        // It is gone only where an earlier run ended in a panic.
        let meter = self.meter.take().ok_or_else(|| Failure::failed("the energy meter is gone"))?;
        let (meter, outcome) = series.run(meter, run, self.idle.as_ref());
        self.meter = Some(meter);
        outcome
    }
}

fn domains(meter: &Meter) -> Vec<EnergyDomain> {
    let describe = |(place, domain): (usize, &Domain)| EnergyDomain {
        domain: domain.to_string(),
        kind: domain.kind.name().to_owned(),
        socket: domain.place.socket,
        die: domain.place.die,
        update_seconds: meter.period(place),
        ..EnergyDomain::default()
    };
    meter.source().domains().iter().enumerate().map(describe).collect()
}
