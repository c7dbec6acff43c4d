use std::io::{self, Write};

use opmeter_analysis::Sample;

use crate::Style;
use crate::grid::{Column, Grid, Row};
use crate::number::{counted, grouped, significant};
use crate::terminal_text::visible;

/// The most columns of the terminal that a line takes.
const COLUMNS: usize = 100;

/// What was measured of a program on an interpreter.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredProgram {
    /// The program's name.
    pub program: String,
    /// The interpreter's name.
    pub interpreter: String,
    /// Instructions that it executed, all processes and phases.
    pub executions: u128,
    /// Seconds of its runs without the agent, if there were any.
    pub seconds: Option<Sample>,
    /// Joules of these runs, if they were measured: of all packages, or of what else there is.
    pub joules: Option<Sample>,
    /// Whether the joules are an estimate.
    pub estimate: bool,
}

/// Writes a table of programs, at most `top` of them: executions, the time of a run with the half width of its 95 %
/// interval, and its joules where they were measured.
///
/// # Errors
/// Whatever `out` gives.
pub fn write_measured(
    programs: &[MeasuredProgram],
    top: usize,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let has_joules = programs.iter().any(|program| program.joules.is_some());
    let mut columns = vec![
        Column::name("program", 16),
        Column::name("interpreter", 10).faint(),
        Column::number("executions"),
        Column::number("time s"),
        Column::number("± %"),
    ];
    columns.extend(has_joules.then(|| Column::number("J")));
    let longest = programs.iter().filter_map(mean_seconds).fold(0.0, f64::max);
    let rows = programs.iter().take(top).map(|program| {
        let mut cells = vec![
            visible(&program.program),
            visible(&program.interpreter),
            grouped(program.executions),
            mean_seconds(program).map_or(String::new(), |seconds| significant(seconds, seconds)),
            program.seconds.as_ref().and_then(half_width).map_or(String::new(), |part| format!("{part:.1}")),
        ];
        let sign = if program.estimate { "~" } else { "" };
        let joules = program.joules.as_ref().map(Sample::mean);
        let joules = joules.map_or(String::new(), |joules| format!("{sign}{}", significant(joules, joules)));
        cells.extend(has_joules.then_some(joules));
        let bar = mean_seconds(program).map_or(0.0, |seconds| seconds / longest.max(f64::MIN_POSITIVE));
        Row { cells, bar }
    });
    let rows: Vec<Row> = rows.collect();
    Grid { columns, bars: longest > 0.0 }.write(out, &rows, COLUMNS, style)?;
    if programs.len() > top {
        let more = counted(programs.len() - top, "more result", "more results");
        writeln!(out, "{}", style.faint(&format!("… {more}")))?;
    }
    Ok(())
}

fn mean_seconds(program: &MeasuredProgram) -> Option<f64> {
    program.seconds.as_ref().map(Sample::mean)
}

/// The half width of the interval, in percent of the mean.
fn half_width(sample: &Sample) -> Option<f64> {
    Some(sample.half_width(0.0)? / sample.mean() * 100.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn program(name: &str, seconds: &[f64], joules: &[f64]) -> MeasuredProgram {
        MeasuredProgram {
            program: name.to_owned(),
            interpreter: "cpython 3.11.7".to_owned(),
            executions: 1_234_567,
            seconds: Sample::new(seconds.to_vec()),
            joules: Sample::new(joules.to_vec()),
            estimate: false,
        }
    }

    fn written(programs: &[MeasuredProgram], top: usize) -> String {
        let mut out = Vec::new();
        write_measured(programs, top, Style::PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn programs_have_a_line_each() {
        let programs = [
            program("a.py", &[1.0, 1.1, 0.9], &[]),
            program("b\u{1b}.py", &[0.25], &[]),
            program("c", &[], &[]),
        ];
        let text = written(&programs, 2);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "program     interpreter     executions  time s   ± %");
        assert_eq!(lines[1], "a.py        cpython 3.11.7   1,234,567   1.000  24.8  ████████████████████");
        assert_eq!(lines[2], "b\\u{1b}.py  cpython 3.11.7   1,234,567  0.2500        █████");
        assert_eq!(lines[3], "… 1 more result");
    }

    #[test]
    fn joules_stand_there_if_any_program_has_some_and_estimates_look_like_such() {
        let estimate = MeasuredProgram { estimate: true, ..program("b.py", &[1.0], &[15.0]) };
        let text = written(&[program("a.py", &[2.0], &[]), estimate], 9);
        assert!(text.lines().next().unwrap().ends_with("  J") && text.contains("~15.00"), "{text}");
    }
}
