use std::io::{self, Write};

use opmeter_analysis::{DomainEnergy, EnergySummary, Sample};
use opmeter_recording::{Energy, Manifest};

use crate::Page;
use crate::grid::{Column, Grid, Row};
use crate::number::{counted, grouped, significant};
use crate::terminal_text::{command_line, cut, visible, wrapped};

/// The sign before a number that was not measured.
const ESTIMATED: &str = "~";

/// The columns of the table.
pub(crate) const COLUMNS: [&str; 6] = ["of a run", "unit", "mean", "deviation", "minimum", "95 % interval"];

impl Page<'_> {
    /// Writes what the command cost: joules, watts and seconds of a run, by domain of the machine.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_energy(
        &self,
        energy: &Energy,
        summary: &EnergySummary,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let command = cut(&command_line(&self.manifest.command), self.columns);
        writeln!(out, "{}", self.style.heading(&command))?;
        self.write_energy_below(energy, summary, out)
    }

    /// Writes the same below a table of the same recording, without naming the command again.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_energy_below(
        &self,
        energy: &Energy,
        summary: &EnergySummary,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let facts = facts(energy, summary);
        for line in wrapped(facts.iter().map(String::as_str), " · ", self.columns) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
        let columns = vec![
            Column::name(COLUMNS[0], 12),
            Column::name(COLUMNS[1], 4),
            Column::number(COLUMNS[2]),
            Column::number(COLUMNS[3]),
            Column::number(COLUMNS[4]),
            Column::number(COLUMNS[5]),
        ];
        let executions = all_executions(self.manifest);
        let rows = rows(energy, summary, executions, ESTIMATED);
        Grid { columns, bars: false }.write(out, &rows, self.columns, self.style)?;
        if let Some(executions) = executions {
            let executions = grouped(executions);
            writeln!(
                out,
                "\nnJ each: the joules divided by all {executions} executions, those of the start too"
            )?;
        }
        if energy.estimate {
            writeln!(
                out,
                "\n{ESTIMATED} estimated: the declared power times the time; no energy was measured"
            )?;
        }
        self.warn(out, &warnings(energy, summary))
    }
}

/// All executions of a recording, if it has all.
pub(crate) fn all_executions(manifest: &Manifest) -> Option<u128> {
    let complete = manifest.complete && manifest.has_counts();
    let executions = manifest.processes.iter().map(|process| u128::from(process.dispatch.executions));
    Some(executions.sum()).filter(|executions| complete && *executions > 0)
}

/// The rows of the table: the time of a run, then what each domain took, and of each execution where all are known.
/// Before numbers that are no measurement stands `estimated`.
pub(crate) fn rows(
    energy: &Energy,
    summary: &EnergySummary,
    executions: Option<u128>,
    estimated: &str,
) -> Vec<Row> {
    let mut rows = vec![row("time", "s", &summary.seconds, 0.0, summary.seconds.mean(), "")];
    let sign = if energy.estimate { estimated } else { "" };
    for domain in &summary.domains {
        rows.extend(rows_of(domain, sign));
        rows.extend(executions.map(|executions| row_of_each(domain, executions, sign)));
    }
    rows
}

/// What is missing, and what may have disturbed the measurement: a sentence or two each.
pub(crate) fn warnings(energy: &Energy, summary: &EnergySummary) -> Vec<String> {
    let mut sentences = energy.incomplete.clone();
    sentences.extend(summary.warnings());
    sentences.extend(energy.warnings.iter().cloned());
    sentences
}

/// Where the joules come from, and of what.
pub(crate) fn facts(energy: &Energy, summary: &EnergySummary) -> Vec<String> {
    let mut facts = vec![
        if energy.estimate {
            "ESTIMATE from a declared power".to_owned()
        } else {
            format!("energy from {}", visible(&energy.source))
        },
        counted(summary.seconds.count(), "run", "runs"),
    ];
    if summary.repetitions > 1 {
        facts.push(format!("each the mean of up to {} executions", summary.repetitions));
    }
    let idle = summary.domains.iter().filter_map(|domain| Some((domain, domain.idle_watts?)));
    let idle: Vec<String> = idle
        .map(|(domain, watts)| format!("{} {} W", visible(&domain.domain), significant(watts, watts)))
        .collect();
    if !idle.is_empty() {
        facts.push(format!("idle for {:.1} s before: {}", energy.idle_seconds, idle.join(", ")));
    }
    if !energy.machine.cpu.is_empty() {
        facts.push(visible(&energy.machine.cpu));
    }
    facts
}

fn rows_of(domain: &DomainEnergy, sign: &str) -> Vec<Row> {
    let name = visible(&domain.domain);
    let (joules, watts) = (domain.joules.mean(), domain.watts.mean());
    let mut rows = vec![
        row(&name, "J", &domain.joules, 0.0, joules, sign),
        row("", "W", &domain.watts, 0.0, watts, sign),
    ];
    // To the same decimals as that from which it is taken.
    rows.extend(domain.net.iter().map(|net| row("", "J net", net, domain.net_systematic, joules, sign)));
    rows
}

/// The joules of a domain for each execution of a bytecode, in nanojoules.
fn row_of_each(domain: &DomainEnergy, executions: u128, sign: &str) -> Row {
    let each = domain.joules.mean() / executions as f64 * 1e9;
    let mut cells = vec![String::new(); 6];
    cells[1] = "nJ each".to_owned();
    cells[2] = format!("{sign}{}", significant(each, each));
    Row { cells, bar: 0.0 }
}

/// The row of a sample, to the decimals that `like` has; numbers that are no measurement have a sign before them.
fn row(name: &str, unit: &str, sample: &Sample, systematic: f64, like: f64, sign: &str) -> Row {
    let mean = sample.mean();
    let number = |value: f64| format!("{sign}{}", significant(value, like));
    let interval = sample.half_width(systematic).map_or(String::new(), |half| {
        // What is measured is never below nothing.
        format!("{} – {}", number((mean - half).max(0.0)), number(mean + half))
    });
    Row {
        cells: vec![
            name.to_owned(),
            unit.to_owned(),
            number(mean),
            sample.deviation().map_or(String::new(), number),
            number(sample.min()),
            interval,
        ],
        bar: 0.0,
    }
}
