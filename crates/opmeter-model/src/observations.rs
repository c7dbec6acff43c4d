use std::collections::BTreeMap;
use std::path::PathBuf;

use opmeter_analysis::{OpcodeMix, RowFilter, Terms};
use opmeter_corpus::{CollectedResult, Collection, Skipped};
use opmeter_recording::{Machine, ProcessState, Recording};

use crate::measured::Measured;
use crate::template::template_of;
use crate::{Error, Observation, Response};

/// What a model is to be fitted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What is fitted.
    pub response: Response,
    /// By which names opcodes are told apart.
    pub terms: Terms,
    /// The interpreter: a version or the beginning of one (`3.11`), its name with the version, or its path; none for
    /// the only one that there is.
    pub python: Option<String>,
}

/// Programs that a model can be fitted to: all of one interpreter.
#[derive(Debug, Clone, PartialEq)]
pub struct Observations {
    /// The interpreter's name, such as `cpython 3.11.7`.
    pub interpreter: String,
    /// What is fitted, in words: `processor time`, `net joules of package-0`.
    pub measure: String,
    /// Whether joules without the idle power are fitted.
    pub net: bool,
    /// The programs, in the order of their results' paths.
    pub programs: Vec<Observation>,
    /// Results that can't be used, with the reason.
    pub skipped: Vec<Skipped>,
    /// Results of other interpreters: their names, and how many there are.
    pub others: Vec<(String, usize)>,
    /// Each of these results.
    pub of_others: Vec<Skipped>,
    /// What makes a model doubtful: a sentence each, without a full stop.
    pub warnings: Vec<String>,
}

/// Which interpreter a result is of: its name, its build, and its executable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    name: String,
    build: String,
}

impl Observations {
    /// The results that a model of this kind can be fitted to.
    ///
    /// # Errors
    /// [`Error::SeveralInterpreters`] where they are of several and none is asked for, [`Error::NoSuchInterpreter`]
    /// where none is of the one that is.
    pub fn of(collection: &Collection, wish: &Wish) -> Result<Self, Error> {
        let mut interpreters: BTreeMap<Identity, Vec<&CollectedResult>> = BTreeMap::new();
        let mut skipped = Vec::new();
        for collected in &collection.results {
            match identity(collected) {
                Ok(identity) => interpreters.entry(identity).or_default().push(collected),
                Err(reason) => skipped.push(Skipped { path: collected.path.clone(), reason }),
            }
        }
        let (chosen, others): (Vec<_>, Vec<_>) = interpreters.into_iter().partition(|(_, results)| {
            wish.python.as_ref().is_none_or(|python| results.iter().any(|collected| collected.is_on(python)))
        });
        let listed = |found: &[(Identity, Vec<&CollectedResult>)]| -> Vec<(String, usize)> {
            let alike = |name: &str| found.iter().filter(|(other, _)| other.name == name).count() > 1;
            let named = |(identity, results): &(Identity, Vec<&CollectedResult>)| {
                let several = alike(&identity.name);
                let place = if several {
                    format!(" at {}", results.first().map_or("", |collected| collected.executable()))
                } else {
                    String::new()
                };
                (format!("{}{place}", identity.name), results.len())
            };
            found.iter().map(named).collect()
        };
        let (identity, results) = match &chosen[..] {
            [one] => one,
            [] => {
                let python = wish.python.clone().unwrap_or_else(|| "any interpreter".to_owned());
                return Err(Error::NoSuchInterpreter { python, interpreters: listed(&others) });
            }
            several => return Err(Error::SeveralInterpreters { interpreters: listed(several) }),
        };
        let mut found = Vec::new();
        for collected in results {
            match observed(collected, wish) {
                Ok(taken) => found.push((collected.path.clone(), taken)),
                Err(reason) => skipped.push(Skipped { path: collected.path.clone(), reason }),
            }
        }
        let of_others = others.iter().flat_map(|(identity, results)| {
            let reason = format!("it is of {}, another interpreter", identity.name);
            results.iter().map(move |result| Skipped { path: result.path.clone(), reason: reason.clone() })
        });
        let of_others = of_others.collect();
        Ok(Self {
            others: listed(&others),
            of_others,
            ..Self::chosen(identity.name.clone(), found, skipped, wish)
        })
    }

    fn chosen(
        interpreter: String,
        found: Vec<(PathBuf, (Observation, Measured))>,
        mut skipped: Vec<Skipped>,
        wish: &Wish,
    ) -> Self {
        let with_net = found.iter().filter(|(_, (_, measured))| measured.net.is_some()).count();
        let is_net = with_net == found.len() && with_net > 0;
        let mut warnings = Vec::new();
        if with_net > 0 && !is_net {
            warnings.push(format!(
                "the idle power was measured for {with_net} of {} programs only, so that gross joules are fitted",
                found.len()
            ));
        }
        let estimates = found.iter().filter(|(_, (_, measured))| measured.estimate).count();
        if estimates > 0 {
            warnings.push(format!(
                "the joules of {estimates} of {} programs are estimates from a declared power: a model of them says \
                 no more than one of seconds",
                found.len()
            ));
        }
        let mut domains: Vec<&str> = found.iter().map(|(_, (_, measured))| &*measured.domain).collect();
        domains.sort_unstable();
        domains.dedup();
        if domains.len() > 1 {
            warnings.push(format!(
                "the joules are of different domains ({}); choose one with --domain",
                domains.join(", ")
            ));
        }
        let measure = match &wish.response {
            Response::Time(crate::Clock::Processor) => "processor time".to_owned(),
            Response::Time(crate::Clock::Wall) => "wall time".to_owned(),
            Response::Energy { .. } => {
                let kind = match (estimates > 0, is_net) {
                    (true, _) => "estimated",
                    (false, true) => "net",
                    (false, false) => "gross",
                };
                format!("{kind} joules of {}", domains.join(", "))
            }
        };
        let mut programs = Vec::new();
        for (path, (mut observation, measured)) in found {
            observation.response = measured.net.filter(|_| is_net).unwrap_or(measured.gross);
            if observation.response > 0.0 && observation.response.is_finite() {
                programs.push(observation);
            } else {
                let unit = wish.response.unit();
                skipped.push(Skipped { path, reason: format!("its runs took 0 {unit} on the mean") });
            }
        }
        let machines = machines(&programs);
        if machines.len() > 1 {
            let names: Vec<String> = machines.iter().map(machine_name).collect();
            warnings.push(format!(
                "the results are of {} machines, whose costs differ: {}; fit each by itself",
                machines.len(),
                names.join(", ")
            ));
        }
        let (others, of_others) = Default::default();
        Self { interpreter, measure, net: is_net, programs, skipped, others, of_others, warnings }
    }

    /// The machines of the programs, each once.
    pub fn machines(&self) -> Vec<Machine> {
        machines(&self.programs)
    }
}

fn machines(programs: &[Observation]) -> Vec<Machine> {
    let mut machines: Vec<Machine> = Vec::new();
    let same = |a: &Machine, b: &Machine| a.hostname == b.hostname && a.cpu == b.cpu;
    for observation in programs {
        if !machines.iter().any(|machine| same(machine, &observation.machine)) {
            machines.push(observation.machine.clone());
        }
    }
    machines
}

fn machine_name(machine: &Machine) -> String {
    format!("{} ({})", machine.hostname, machine.cpu)
}

fn metered_build(collected: &CollectedResult) -> Option<&str> {
    let mut metered =
        collected.manifest.processes.iter().filter(|process| process.state == ProcessState::Metered);
    metered.next().map(|process| process.build.as_str())
}

fn identity(collected: &CollectedResult) -> Result<Identity, String> {
    let name = collected.interpreter();
    if name.is_empty() {
        return Err("it does not say which interpreter it is of".to_owned());
    }
    let mut builds: Vec<&str> = Vec::new();
    for process in collected.manifest.processes.iter().filter(|process| !process.build.is_empty()) {
        if !builds.contains(&process.build.as_str()) {
            builds.push(&process.build);
        }
    }
    if builds.len() > 1 {
        return Err("its processes ran on several interpreters".to_owned());
    }
    Ok(Identity { name, build: metered_build(collected).unwrap_or_default().to_owned() })
}

/// What a result says of its program, and what its runs took; or why it can't be used.
fn observed(collected: &CollectedResult, wish: &Wish) -> Result<(Observation, Measured), String> {
    let (observation, measured) = counted(collected, wish)?;
    Ok((observation, measured?))
}

/// What a result says of its program; or why it can't be used. What its runs took is told beside, if it is known.
pub(crate) fn counted(
    collected: &CollectedResult,
    wish: &Wish,
) -> Result<(Observation, Result<Measured, String>), String> {
    let manifest = &collected.manifest;
    if !manifest.has_counts() {
        return Err("it has no counts".to_owned());
    }
    if !manifest.complete {
        let missing = manifest.incomplete.first().cloned();
        let missing = missing.unwrap_or_else(|| "it does not say what is missing".to_owned());
        return Err(format!("its counts are not complete: {missing}"));
    }
    let wanted = |table: &str| ["opcodes", "runs", "energy"].contains(&table);
    let recording = Recording::open_tables(&collected.path, wanted).map_err(|error| error.to_string())?;
    let mix = OpcodeMix::new(&recording.tables.opcodes, RowFilter::default(), wish.terms);
    if mix.totals.executions == 0 {
        return Err("it executed nothing".to_owned());
    }
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    let mut nanoseconds: BTreeMap<String, f64> = BTreeMap::new();
    for entry in &mix.entries {
        *counts.entry(entry.opcode.clone()).or_default() += entry.executions as f64;
        if let Some(time) = &entry.time {
            *nanoseconds.entry(entry.opcode.clone()).or_default() += time.ns_net as f64;
        }
    }
    let measured = Measured::of(&recording, &wish.response);
    let program = collected.program();
    let result = collected.result.as_ref();
    let observation = Observation {
        template: template_of(&program),
        program,
        sha256: result.map(|result| result.sha256.clone()).unwrap_or_default(),
        machine: result.map_or_else(|| manifest.machine.clone(), |result| result.machine.clone()),
        counts,
        nanoseconds,
        executions: mix.totals.executions as f64,
        response: measured.as_ref().map_or(f64::NAN, |measured| measured.gross),
        seconds: measured.as_ref().map_or(f64::NAN, |measured| measured.seconds),
    };
    Ok((observation, measured))
}
