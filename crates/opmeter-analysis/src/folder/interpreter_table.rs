use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::study::Study;
use crate::Sample;

/// Interpreters, by version, each compared with the first over the programs that both ran on one machine: the geometric
/// means of the ratios of executions, seconds and joules. 1 for the first itself.
pub fn interpreter_table(studies: &[Study], phases: &[Phase]) -> DataTable {
    let mut names: Vec<&str> = studies.iter().map(|study| study.interpreter.as_str()).collect();
    names.sort_by_key(|name| version(name));
    names.dedup();
    fn of<'a>(studies: &'a [Study], name: &'a str) -> impl Iterator<Item = &'a Study> {
        studies.iter().filter(move |study| study.interpreter == name)
    }
    let base = names.first().copied().unwrap_or_default();
    let pairs: Vec<Vec<(&Study, &Study)>> = names
        .iter()
        .map(|name| {
            let pairs = of(studies, name).flat_map(|study| {
                of(studies, base)
                    .filter(|other| other.program == study.program && other.machine == study.machine)
                    .map(move |other| (study, other))
            });
            pairs.collect()
        })
        .collect();
    let ratios = |value: &dyn Fn(&Study) -> Option<f64>| -> Vec<Option<f64>> {
        pairs
            .iter()
            .map(|pairs| {
                let ratios = pairs.iter().filter_map(|(study, other)| Some(value(study)? / value(other)?));
                geometric_mean(ratios)
            })
            .collect()
    };
    DataTable::new(
        "interpreters",
        vec![
            DataColumn::text("interpreter", names.iter().map(|name| (*name).to_owned())),
            DataColumn::whole("programs", names.iter().map(|name| of(studies, name).count() as u64)),
            DataColumn::whole("compared", pairs.iter().map(|pairs| pairs.len() as u64)),
            DataColumn::real("executions_ratio", ratios(&|study| Some(study.executions(phases) as f64))),
            DataColumn::real("seconds_ratio", ratios(&|study| study.seconds().as_ref().map(Sample::mean))),
            DataColumn::real(
                "joules_ratio",
                ratios(&|study| study.energy().map(|(joules, _)| joules.mean())),
            ),
        ],
    )
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
