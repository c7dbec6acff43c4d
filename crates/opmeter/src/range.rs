//! `opmeter range`

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::HumanCount;
use opmeter_report::{RangeRow, Style, write_ranges};
use opmeter_synthesis::{Error, LowerEnd, Range, Template, UpperEnd};

use crate::error::{Failure, NOT_DONE};
use crate::interruption;
use crate::launch;
use crate::message;
use crate::range_search::{SearchArgs, TARGET, Workbench, seconds};
use crate::report::written;

/// A largest n whose run takes less than this part of the target is explained.
const CLOSE: f64 = 0.9;

/// Arguments of `range`.
#[derive(Args)]
pub struct RangeArgs {
    /// The templates: Python files with a function of n that returns a program's source
    #[arg(value_name = "TEMPLATE.py", required = true)]
    pub templates: Vec<PathBuf>,
    /// How long a program may run, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = TARGET, value_parser = seconds)]
    pub target: f64,
    #[command(flatten)]
    pub search: SearchArgs,
}

/// Searches the range of each template. Status 0 where all were found, 1 where one was not.
pub fn run(args: &RangeArgs) -> Result<ExitCode, Failure> {
    let signal = interruption::watch();
    let workbench = Workbench::new(&args.search, args.target, signal)?;
    let mut rows = Vec::new();
    let mut all_found = true;
    for path in &args.templates {
        match search(&workbench, path) {
            Ok((template, range)) => {
                all_found &= range.is_found();
                rows.push(row(&template, &range, args.target));
            }
            Err(Error::Interrupted { signal }) => return Ok(launch::end_by(signal)),
            Err(error) => {
                message::tell_lines(error);
                all_found = false;
            }
        }
    }
    let stdout = io::stdout();
    let style = Style::for_stream(&stdout);
    let mut out = BufWriter::new(stdout.lock());
    written(write_ranges(&rows, &mut out, style).and_then(|()| out.flush()))?;
    Ok(if all_found { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}

fn search(workbench: &Workbench, path: &Path) -> Result<(Template, Range), Error> {
    let template = Template::open(path)?;
    let (range, _) = workbench.search(workbench.generator(&template)?)?;
    Ok((template, range))
}

fn row(template: &Template, range: &Range, target: f64) -> RangeRow {
    let stopped_by = match range.upper {
        UpperEnd::NotSearched => range.lower.name(),
        _ => range.upper.name(),
    };
    RangeRow {
        template: template.name.clone(),
        smallest: range.smallest,
        largest: range.largest,
        seconds: range.seconds,
        target,
        stopped_by: stopped_by.to_owned(),
        remarks: remarks(range, target),
    }
}

/// Why the ends are where they are, a sentence each.
fn remarks(range: &Range, target: f64) -> Vec<String> {
    let mut remarks = Vec::new();
    match &range.lower {
        LowerEnd::RunsAtOne => {}
        LowerEnd::FailsBelow { n, error } => {
            remarks.push(format!("fails at n = {}: {error}", HumanCount(*n)))
        }
        LowerEnd::FailsEverywhere { highest, error } => remarks.push(format!(
            "fails at every n that was tried, from 1 to {}; n = 1: {error}",
            HumanCount(*highest)
        )),
    }
    let took = |seconds: Option<f64>| match seconds {
        Some(seconds) => format!("takes {seconds:.3} s"),
        None => "was ended".to_owned(),
    };
    let close = range.seconds.is_some_and(|seconds| seconds >= target * CLOSE);
    match (&range.upper, range.over) {
        (UpperEnd::FailsAbove { n, error }, _) => {
            remarks.push(format!("fails at n = {}: {error}", HumanCount(*n)));
        }
        (UpperEnd::NeverSlow, _) => remarks.push(format!(
            "never slow: n = {}, the highest that was tried, {}; let more of the program depend on n, or \
             choose a lower --target",
            HumanCount(range.largest.unwrap_or_default()),
            took(range.seconds)
        )),
        (UpperEnd::TooSlow, Some(over)) => remarks.push(format!(
            "too slow already at the smallest n = {}, which {}; choose a greater --target",
            HumanCount(over.n),
            took(over.seconds)
        )),
        (UpperEnd::Undecided, _) => remarks.push(
            "the largest n was not settled: times of the same n differ too much; try again when the machine \
             has less to do"
                .to_owned(),
        ),
        (UpperEnd::ReachedTarget, Some(over)) if !close => remarks.push(format!(
            "there is no n closer to the target: n = {} {}",
            HumanCount(over.n),
            took(over.seconds)
        )),
        _ => {}
    }
    remarks.extend(range.notes.iter().cloned());
    remarks
}
