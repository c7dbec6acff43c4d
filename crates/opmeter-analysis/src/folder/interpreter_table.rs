use std::collections::BTreeSet;

use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::study::Study;
use crate::Sample;

/// Interpreters, by version, each compared with the first over the programs that both ran on one machine: the geometric
/// means of the ratios of executions, seconds and joules. 1 for the first itself. Studies that do not say of which
/// interpreter they are can't be compared.
///
/// Joules that were measured are compared with such, or, where there are none, estimates with estimates: `energy` says
/// which. (A ratio of estimates is one of seconds.)
pub fn interpreter_table(studies: &[Study], phases: &[Phase]) -> DataTable {
    let studies: Vec<&Study> = studies.iter().filter(|study| !study.interpreter.is_empty()).collect();
    let mut names: Vec<&str> = studies.iter().map(|study| study.interpreter.as_str()).collect();
    names.sort_by_key(|name| version(name));
    names.dedup();
    let of = |name: &str| -> Vec<&Study> {
        studies.iter().copied().filter(|study| study.interpreter == name).collect()
    };
    let bases = of(names.first().copied().unwrap_or_default());
    let rows: Vec<Compared> = names.iter().map(|name| Compared::new(&of(name), &bases)).collect();
    let ratios = |value: &dyn Fn(&Study) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|row| ratio(&row.pairs, value)).collect()
    };
    let joules = |study: &Study| study.energy().map(|(joules, _)| joules.mean());
    let of_energy: Vec<(String, Vec<Pair>)> = rows.iter().map(Compared::energy).collect();
    DataTable::new(
        "interpreters",
        vec![
            DataColumn::text("interpreter", names.iter().map(|name| (*name).to_owned())),
            DataColumn::whole("programs", rows.iter().map(|row| row.programs)),
            DataColumn::whole("compared", rows.iter().map(|row| row.pairs.len() as u64)),
            DataColumn::real(
                "executions_ratio",
                ratios(&|study| study.executions(phases).map(|executions| executions as f64)),
            ),
            DataColumn::real("seconds_ratio", ratios(&|study| study.seconds().as_ref().map(Sample::mean))),
            DataColumn::real("joules_ratio", of_energy.iter().map(|(_, pairs)| ratio(pairs, &joules))),
            DataColumn::text("energy", of_energy.iter().map(|(source, _)| source.clone())),
        ],
    )
}

/// A study, and one of the interpreter that it is compared with.
type Pair<'a> = (&'a Study, &'a Study);

/// What there is of an interpreter.
struct Compared<'a> {
    /// Different programs.
    programs: u64,
    /// Its studies, each with one of the first interpreter, of the same program on the same machine.
    pairs: Vec<Pair<'a>>,
}

impl<'a> Compared<'a> {
    fn new(studies: &[&'a Study], bases: &[&'a Study]) -> Self {
        let programs: BTreeSet<&str> = studies.iter().map(|study| study.program.as_str()).collect();
        let pairs = studies.iter().flat_map(|study| {
            let alike = |other: &&&Study| other.program == study.program && other.machine == study.machine;
            bases.iter().filter(alike).map(|other| (*study, *other))
        });
        Self { programs: programs.len() as u64, pairs: pairs.collect() }
    }

    /// The pairs whose joules can be compared, and where these come from.
    fn energy(&self) -> (String, Vec<Pair<'a>>) {
        let all = |is_estimated: bool| -> Vec<Pair<'a>> {
            let both =
                |study: &Study| study.energy().is_some() && study.is_energy_estimated() == is_estimated;
            self.pairs.iter().copied().filter(|(study, other)| both(study) && both(other)).collect()
        };
        let measured = all(false);
        let pairs = if measured.is_empty() { all(true) } else { measured };
        let sources: BTreeSet<String> = pairs.iter().map(|(study, _)| study.energy_source()).collect();
        (sources.into_iter().collect::<Vec<String>>().join(", "), pairs)
    }
}

fn ratio(pairs: &[Pair], value: &dyn Fn(&Study) -> Option<f64>) -> Option<f64> {
    geometric_mean(pairs.iter().filter_map(|(study, other)| Some(value(study)? / value(other)?)))
}

fn geometric_mean(ratios: impl Iterator<Item = f64>) -> Option<f64> {
    let logarithms: Vec<f64> =
        ratios.filter(|ratio| *ratio > 0.0 && ratio.is_finite()).map(f64::ln).collect();
    (!logarithms.is_empty()).then(|| (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
}

/// The numbers in a name, by which versions are in order; then the name.
fn version(name: &str) -> (Vec<u32>, &str) {
    let numbers = name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
    (numbers.collect(), name)
}
