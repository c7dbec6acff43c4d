use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::study::Study;
use crate::Sample;

/// Programs, in their order: executions in these phases, the time of a run without the agent with the half width of its
/// 95 % interval, executions a second, joules and watts.
pub fn program_table(studies: &[Study], phases: &[Phase]) -> DataTable {
    let seconds: Vec<Option<Sample>> = studies.iter().map(Study::seconds).collect();
    let energy: Vec<Option<(Sample, Sample)>> = studies.iter().map(Study::energy).collect();
    let executions: Vec<Option<u64>> = studies.iter().map(|study| study.executions(phases)).collect();
    let mean = |sample: &Option<Sample>| sample.as_ref().map(Sample::mean);
    let rate = executions.iter().zip(&seconds).map(|(executions, seconds)| {
        let seconds = mean(seconds).filter(|seconds| *seconds > 0.0)?;
        Some((*executions)? as f64 / seconds / 1e6)
    });
    DataTable::new(
        "programs",
        vec![
            DataColumn::text("program", studies.iter().map(|study| study.program.clone())),
            DataColumn::text("interpreter", studies.iter().map(|study| study.interpreter.clone())),
            DataColumn::known("executions", executions.iter().copied()),
            DataColumn::real("seconds", seconds.iter().map(mean)),
            DataColumn::real(
                "interval_percent",
                seconds.iter().map(|sample| {
                    let sample = sample.as_ref()?;
                    Some(sample.half_width(0.0)? / sample.mean() * 100.0)
                }),
            ),
            DataColumn::real("cpu_seconds", studies.iter().map(|study| mean(&study.cpu_seconds()))),
            DataColumn::real("million_executions_per_second", rate),
            DataColumn::real(
                "joules",
                energy.iter().map(|one| one.as_ref().map(|(joules, _)| joules.mean())),
            ),
            DataColumn::real("watts", energy.iter().map(|one| one.as_ref().map(|(_, watts)| watts.mean()))),
            DataColumn::text("energy", studies.iter().map(Study::energy_source)),
            DataColumn::text("machine", studies.iter().map(|study| study.machine.hostname.clone())),
        ],
    )
}
