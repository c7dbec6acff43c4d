//! What is to be measured, and how.

use std::path::{Path, PathBuf};

use opmeter_corpus::{Config, EnergyWish, HashSeed, Interpreter, Job, Options, Results, Switch, programs};

use super::args::MeasureArgs;
use crate::error::Failure;
use crate::native::gauge::{Gauge, GaugeArgs};

/// Where the results go if nothing is said, from the folder on.
const RESULTS: &str = "opmeter-results";

/// Runs without the agent.
const RUNS: u32 = 5;

/// How long a run may take, in seconds.
const TIMEOUT: f64 = 120.0;

/// The share of a metered run in which times are taken.
const TIME_SHARE: f64 = 0.25;

/// All that is to be measured.
pub struct Plan {
    /// Programs times interpreters, those of a program one after the other.
    pub jobs: Vec<Job>,
    /// How many programs these are.
    pub programs: usize,
    /// How they are measured.
    pub options: Options,
    /// Where the results go.
    pub results: Results,
    /// What runs are measured with.
    pub gauge: Gauge,
    /// What is to be known of the gauge.
    pub note: Option<String>,
}

impl Plan {
    /// What the arguments ask for, and the folder's configuration where they don't say.
    ///
    /// # Errors
    /// When the folder, the configuration, an interpreter or what was asked for of energy can't be used.
    pub fn new(args: &MeasureArgs) -> Result<Self, Failure> {
        let folder = std::fs::canonicalize(&args.folder).map_err(|error| {
            Failure::not_done(format_args!(
                "{} can't be opened: {error}; check the path",
                args.folder.display()
            ))
        })?;
        let config = Config::read(&folder).map_err(Failure::wrong)?;
        let options = options(args, &config)?;
        let place = match (&args.output, &config.results) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => folder.join(path),
            (None, None) => folder.join(RESULTS),
        };
        let left_out = [absolute(&place), folder.join(RESULTS)];
        let found = programs(&folder, &config, &left_out).map_err(Failure::wrong)?;
        if found.is_empty() {
            return Err(Failure::not_done(format_args!(
                "there is no program in {}; programs are its files *.py, or those that `programs` in its {} names",
                folder.display(),
                Config::FILE
            )));
        }
        let interpreters = interpreters(args, &config, &folder)?;
        let taken = found.into_iter().enumerate().filter(|(place, _)| args.shard.takes(*place));
        let taken: Vec<_> = taken.map(|(_, program)| program).collect();
        let usual = args.timeout.or(config.timeout).unwrap_or(TIMEOUT);
        let jobs = taken.iter().flat_map(|program| {
            interpreters.iter().map(|interpreter| Job {
                timeout: args.timeout.or(program.timeout).unwrap_or(usual),
                program: program.clone(),
                interpreter: interpreter.clone(),
                options: options.clone(),
            })
        });
        let jobs = jobs.collect();
        let (gauge, note) = gauge(args, &config, &options)?;
        let results = Results::open(&place).map_err(|error| {
            Failure::failed(format_args!("{error}; choose another place for the results with -o"))
        })?;
        Ok(Self { jobs, programs: taken.len(), options, results, gauge, note })
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn options(args: &MeasureArgs, config: &Config) -> Result<Options, Failure> {
    let time = args.time.or(match config.time {
        Some(Switch::Share(share)) if !args.events => Some(share),
        Some(Switch::OnOff(true)) if !args.events => Some(TIME_SHARE),
        _ => None,
    });
    let events = args.events || args.time.is_none() && config.events.unwrap_or(false);
    if events && time.is_some() {
        return Err(Failure::wrong("times and events can't be taken in one run; leave one of them out"));
    }
    Ok(Options {
        runs: args.runs.or(config.runs).unwrap_or(RUNS),
        warmup: args.warmup.or(config.warmup).unwrap_or(0),
        time,
        events,
        max_events: args.max_events.filter(|_| events),
        pairs: args.pairs || config.pairs.unwrap_or(false),
        energy: wish(args, config),
        hash_seed: config.hash_seed.unwrap_or(HashSeed::Number(0)),
    })
}

/// What is asked for of energy.
fn wish(args: &MeasureArgs, config: &Config) -> EnergyWish {
    let GaugeArgs { watts, source, .. } = &args.gauge;
    match (source, watts.or(config.watts)) {
        _ if args.no_energy => EnergyWish::None,
        (Some(source), _) => EnergyWish::Source(source.name().to_owned()),
        (None, Some(watts)) => EnergyWish::Watts(watts),
        (None, None) if config.energy == Some(false) => EnergyWish::None,
        (None, None) => EnergyWish::Counters,
    }
}

/// The meter, and a note where it has nothing but time.
fn gauge(args: &MeasureArgs, config: &Config, options: &Options) -> Result<(Gauge, Option<String>), Failure> {
    let gauge_args = GaugeArgs {
        idle: args.gauge.idle.or(config.idle),
        watts: args.gauge.watts.or(config.watts),
        source: args.gauge.source,
        sysfs: args.gauge.sysfs.clone(),
    };
    if options.energy == EnergyWish::None {
        return Ok((Gauge::without_counters(&gauge_args), None));
    }
    match Gauge::choose(&gauge_args) {
        Ok(gauge) => Ok((gauge, None)),
        Err(_) if options.energy == EnergyWish::Counters => Ok((
            Gauge::without_counters(&gauge_args),
            Some(
                "no energy counter can be read here, so runs tell time only; see `opmeter doctor`".to_owned(),
            ),
        )),
        Err(failure) => Err(failure),
    }
}

fn interpreters(args: &MeasureArgs, config: &Config, folder: &Path) -> Result<Vec<Interpreter>, Failure> {
    let usual = ["python3".to_owned()];
    // On the command line, a path is from the present folder on.
    let (names, from) = if !args.python.is_empty() {
        (&args.python[..], Path::new("."))
    } else if !config.python.is_empty() {
        (&config.python[..], folder)
    } else {
        (&usual[..], folder)
    };
    let mut found: Vec<Interpreter> = Vec::new();
    for name in names {
        let interpreter = Interpreter::find(name, &absolute(from)).map_err(Failure::wrong)?;
        if !found.iter().any(|known| known.identity == interpreter.identity) {
            found.push(interpreter);
        }
    }
    Ok(found)
}
