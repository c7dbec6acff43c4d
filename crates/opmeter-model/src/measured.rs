use opmeter_analysis::{EnergySummary, Sample};
use opmeter_recording::Recording;

use crate::{Clock, Response};

/// What the runs of a program took, of what is to be fitted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// The mean of the runs: seconds or joules, gross.
    pub gross: f64,
    /// The mean joules without the idle power, where that was measured.
    pub net: Option<f64>,
    /// The mean wall time of the same runs, in seconds.
    pub seconds: f64,
    /// The domain; empty of times.
    pub domain: String,
    /// Whether the joules are no measurement, but a declared power times the seconds.
    pub estimate: bool,
}

impl Measured {
    /// What the runs of a recording took; or why that can't be told.
    pub(crate) fn of(recording: &Recording, response: &Response) -> Result<Self, String> {
        match response {
            Response::Time(clock) => Self::time(recording, *clock),
            Response::Energy { domain } => Self::energy(recording, domain.as_deref()),
        }
    }

    fn time(recording: &Recording, clock: Clock) -> Result<Self, String> {
        let runs = &recording.tables.runs;
        let seconds = Sample::new(runs.iter().map(|run| run.seconds).collect());
        let seconds = seconds.ok_or("it has no runs without the agent, so no times")?.mean();
        let gross = match clock {
            Clock::Wall => seconds,
            Clock::Processor => runs.iter().map(|run| run.cpu_seconds).sum::<f64>() / runs.len() as f64,
        };
        Ok(Self { gross, net: None, seconds, domain: String::new(), estimate: false })
    }

    fn energy(recording: &Recording, domain: Option<&str>) -> Result<Self, String> {
        let energy = recording.manifest.energy.clone().unwrap_or_default();
        let summary = EnergySummary::new(&energy, &recording.tables.energy);
        let summary = summary.ok_or("it has no energy")?;
        let named = |name: &str| summary.domains.iter().find(|found| found.domain == name);
        let found = match domain {
            Some(name) => named(name).ok_or_else(|| {
                let names: Vec<&str> = summary.domains.iter().map(|found| found.domain.as_str()).collect();
                format!("it has no energy of {name}, only of {}", names.join(", "))
            })?,
            None => named("package (all)")
                .or_else(|| summary.domains.iter().find(|found| found.domain.starts_with("package")))
                .or(summary.domains.first())
                .ok_or("it has no energy")?,
        };
        if !found.is_meaningful() {
            return Err(format!(
                "its runs are too short for the counter of {} (± {:.0} %)",
                found.domain,
                found.resolution * 100.0
            ));
        }
        Ok(Self {
            gross: found.joules.mean(),
            net: found.net.as_ref().map(Sample::mean),
            seconds: summary.seconds.mean(),
            domain: found.domain.clone(),
            estimate: energy.estimate,
        })
    }
}
