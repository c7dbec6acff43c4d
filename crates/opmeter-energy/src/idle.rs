use std::thread;
use std::time::Duration;

use crate::{Fault, Meter};

/// Stretches that an idle time is divided into: from their scatter follows how far its power is known.
const STRETCHES: u32 = 10;

/// None is shorter than this, in seconds.
const SHORTEST: f64 = 0.2;

/// What the machine takes when the program does not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Idle {
    /// For how long that was measured, in seconds.
    pub seconds: f64,
    /// The power of each of the source's domains, or why it isn't known.
    pub power: Vec<Result<IdlePower, Fault>>,
}

/// The idle power of a domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IdlePower {
    /// The mean power, in watts.
    pub watts: f64,
    /// Its standard error, in watts; none where the time was too short to be divided.
    pub standard_error: Option<f64>,
}

impl Idle {
    /// Measures for so many seconds, in which nothing should run.
    pub fn measure(mut meter: Meter, seconds: f64) -> (Meter, Self) {
        let stretches = (seconds / meter.meaningful().max(SHORTEST)).floor().clamp(1.0, f64::from(STRETCHES));
        let length = Duration::from_secs_f64(seconds / stretches);
        let mut idle = Self { seconds: 0.0, power: Vec::new() };
        let mut measured: Vec<Vec<f64>> = vec![Vec::new(); meter.source().domains().len()];
        let mut faults = vec![None; measured.len()];
        for _ in 0..stretches as u32 {
            let running = meter.begin();
            thread::sleep(length);
            let measurement;
            (meter, measurement) = running.end();
            idle.seconds += measurement.seconds;
            for ((watts, fault), joules) in measured.iter_mut().zip(&mut faults).zip(measurement.joules) {
                match joules {
                    Ok(joules) => watts.push(joules / measurement.seconds),
                    Err(error) => *fault = Some(error),
                }
            }
        }
        let power = measured.into_iter().zip(faults);
        idle.power =
            power.map(|(watts, fault)| fault.map_or_else(|| Ok(IdlePower::of(&watts)), Err)).collect();
        (meter, idle)
    }
}

impl IdlePower {
    fn of(watts: &[f64]) -> Self {
        let count = watts.len() as f64;
        let mean = watts.iter().sum::<f64>() / count;
        let squares: f64 = watts.iter().map(|watts| (watts - mean).powi(2)).sum();
        let standard_error = (watts.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
        Self { watts: mean, standard_error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_a_mean_with_its_standard_error() {
        let power = IdlePower::of(&[4.0, 5.0, 6.0, 5.0]);
        assert_eq!(power.watts, 5.0);
        assert!((power.standard_error.unwrap() - (2.0f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(IdlePower::of(&[4.0]), IdlePower { watts: 4.0, standard_error: None });
    }
}
