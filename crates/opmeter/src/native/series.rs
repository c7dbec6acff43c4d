//! The runs of a command whose energy is measured.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Instant;

use opmeter_energy::{Fault, Idle, Measurement, Meter};
use opmeter_recording::{EnergyRow, NetEnergy, RunRow};

use super::children_cpu;
use super::disturbance::OtherLoad;
use super::gaps::Gaps;
use super::launcher::{Execution, Launcher};
use crate::error::Failure;

/// A command that is too short for the counters is run again within a run for so long at most, in seconds.
const LONGEST_REPETITION: f64 = 10.0;

/// The runs of a command, and what was measured in them so far.
pub struct Series {
    launcher: Launcher,
    /// How long runs took.
    pub runs: Vec<RunRow>,
    /// What they cost.
    pub energy: Vec<EnergyRow>,
    /// What was not.
    pub gaps: Gaps,
    /// Load by others.
    pub load: OtherLoad,
    /// How the first execution that failed ended, or else the last one.
    pub status: ExitStatus,
    /// Executions that failed.
    pub failed: u32,
    executions: u32,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end.
    Ended,
    /// A signal disturbed or ended it: it does not count, and no other should follow.
    Interrupted,
    /// It took longer than it may, and was ended: it does not count.
    TimedOut,
    /// It ran to its end, and no counter can be read any more.
    Blind,
}

impl Series {
    /// A series without runs.
    pub fn new(launcher: Launcher) -> Self {
        Self {
            launcher,
            runs: Vec::new(),
            energy: Vec::new(),
            gaps: Gaps::default(),
            load: OtherLoad::default(),
            status: ExitStatus::default(),
            failed: 0,
            executions: 0,
        }
    }

    /// Runs the command without measuring it.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn warm_up(&mut self) -> Result<Outcome, Failure> {
        let execution = self.launcher.execute()?;
        Ok(self.note(execution))
    }

    /// Runs the command as run `run`, as often as its counters need, and measures it; gives the meter back, and what
    /// became of the run: a failure where the command could not be started. `idle` is what the machine takes when the
    /// command does not run, where that is known of all domains.
    pub fn run(&mut self, meter: Meter, run: u32, idle: Option<&Idle>) -> (Meter, Result<Outcome, Failure>) {
        let needed = meter.meaningful().min(LONGEST_REPETITION);
        self.load.begin();
        let running = meter.begin();
        let (begun, cpu) = (Instant::now(), children_cpu::seconds());
        let mut repetitions = 0;
        let outcome = loop {
            let execution = match self.launcher.execute() {
                Ok(execution) => execution,
                Err(failure) => break Err(failure),
            };
            repetitions += 1;
            let outcome = self.note(execution);
            let enough = begun.elapsed().as_secs_f64() >= needed || self.launcher.input.is_used_up();
            if outcome != Outcome::Ended || enough {
                break Ok(outcome);
            }
        };
        let cpu = children_cpu::seconds() - cpu;
        let (meter, measurement) = running.end();
        self.load.end(measurement.seconds);
        if !matches!(outcome, Ok(Outcome::Ended)) {
            return (meter, outcome);
        }
        let is_lost = |joules: &Result<f64, Fault>| joules.as_ref().is_err_and(|fault| !fault.may_pass());
        let blind = !measurement.joules.is_empty() && measurement.joules.iter().all(is_lost);
        self.runs.push(RunRow {
            run,
            seconds: measurement.seconds / f64::from(repetitions),
            cpu_seconds: cpu / f64::from(repetitions),
            repetitions,
        });
        self.add(&meter, run, repetitions, measurement, idle);
        (meter, if blind { Ok(Outcome::Blind) } else { outcome })
    }

    /// How often the command was executed.
    pub fn executions(&self) -> u32 {
        self.executions
    }

    /// What to say of what the runs read.
    pub fn input_warning(&self) -> Option<String> {
        self.launcher.input.warning()
    }

    fn note(&mut self, Execution { status, timed_out }: Execution) -> Outcome {
        if self.failed == 0 {
            self.status = status;
        }
        self.executions += 1;
        self.failed += u32::from(!status.success());
        if timed_out && !self.launcher.was_signalled() {
            return Outcome::TimedOut;
        }
        let interrupted = status.signal().is_some() || self.launcher.was_signalled();
        if interrupted {
            self.status = status;
        }
        if interrupted { Outcome::Interrupted } else { Outcome::Ended }
    }

    fn add(
        &mut self,
        meter: &Meter,
        run: u32,
        repetitions: u32,
        measurement: Measurement,
        idle: Option<&Idle>,
    ) {
        let each = f64::from(repetitions);
        let seconds = measurement.seconds / each;
        let source = meter.source();
        for (place, joules) in measurement.joules.into_iter().enumerate() {
            let domain = source.domains()[place].to_string();
            if source.declared_watts().is_none() && meter.period(place).is_none() {
                // It was said before the first run that it stands still.
                continue;
            }
            let joules = match joules {
                Ok(joules) => joules / each,
                Err(fault) => {
                    self.gaps.add(domain, run, fault);
                    continue;
                }
            };
            let watts = joules / seconds;
            let power = idle.and_then(|idle| idle.power[place].as_ref().ok());
            self.energy.push(EnergyRow {
                run,
                source: source.name().into(),
                domain: domain.into(),
                joules,
                seconds,
                watts,
                repetitions,
                joules_resolution: meter.period(place).unwrap_or(0.0) * watts / each,
                net: power.map(|power| NetEnergy {
                    idle_watts: power.watts,
                    joules_net: (joules - power.watts * seconds).max(0.0),
                }),
            });
        }
    }
}
