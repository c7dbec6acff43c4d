//! `opmeter analyze`

mod args;
mod choice;
mod reading;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use opmeter_analysis::{
    DataTable, Study, Terms, family_table, interpreter_table, machines, matrix_table, opcode_table,
    program_table,
};
use opmeter_corpus::Collection;
use opmeter_recording::Phase;
use opmeter_report::Style;

use crate::error::Failure;
use crate::export::{Sync, to_file};
use crate::report::written;
use crate::terms_arg::TermsArg;
use crate::{left_out, message};

pub use args::{AnalyzeArgs, DataFormatArg, View};
use choice::chosen;
use reading::Read;

/// What is missing of results is told of so many.
const TOLD: usize = 20;

/// Writes a table over all results of the folders. What is left out, and what is missing of what is not, is told on
/// standard error, with its reason.
pub fn run(args: &AnalyzeArgs) -> Result<ExitCode, Failure> {
    let by_family = args.is_by_family()?;
    let phases: Vec<Phase> = args.phase.iter().flat_map(|phase| phase.phases()).copied().collect();
    let Collection { results, skipped } = Collection::of(&args.folders).map_err(Failure::not_done)?;
    left_out::tell(&skipped, args.left_out);
    let Read { studies, skipped, gaps } = Read::of(chosen(results, args)?, by_family);
    left_out::tell(&skipped, args.left_out);
    tell_gaps(&gaps, args.left_out);
    if studies.is_empty() {
        return Err(Failure::not_done(
            "there is no result to analyze; `opmeter measure FOLDER` makes some, and so does `opmeter record`",
        ));
    }
    tell_machines(&studies);
    let mut table = table(args, &studies, &phases);
    tell_missing(args, &studies, &phases, table.rows());
    if let Some(column) = &args.sort {
        table.sort_by(column).map_err(|error| Failure::wrong(format_args!("{column}: {error}")))?;
    }
    let gone = args.top.map_or(0, |top| table.truncate(top));
    let format = args.format.format();
    match &args.output {
        Some(path) => to_file(path, Sync::Yes, |out| format.write(&table, Style::PLAIN, out))?,
        None => {
            let stdout = io::stdout();
            let style = Style::for_stream(&stdout);
            let mut out = BufWriter::new(stdout.lock());
            written(format.write(&table, style, &mut out).and_then(|()| out.flush()))?;
        }
    }
    if gone > 0 && args.format == DataFormatArg::Table {
        message::tell(format_args!("{gone} more rows"));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(args: &AnalyzeArgs, studies: &[Study], phases: &[Phase]) -> DataTable {
    let terms = match args.terms {
        TermsArg::Executed => Terms::AsExecuted,
        TermsArg::Base => Terms::Base,
    };
    match args.by {
        View::Program => program_table(studies, phases),
        View::Opcode => opcode_table(studies, terms, phases, args.family),
        View::Family => family_table(studies, phases, args.family),
        View::Matrix => matrix_table(studies, terms, phases, args.family),
        View::Interpreter => interpreter_table(studies, phases),
    }
}

/// Tells what is missing of results that are used.
fn tell_gaps(gaps: &[String], all: bool) {
    let told = if all { gaps.len() } else { TOLD };
    gaps.iter().take(told).for_each(message::tell);
    if gaps.len() > told {
        let more = gaps.len() - told;
        message::tell(format_args!("{more} more like these; --left-out names all"));
    }
}

/// Tells that results are of several machines.
fn tell_machines(studies: &[Study]) {
    let machines = machines(studies);
    if machines.len() > 1 {
        message::tell(format_args!(
            "these results are of {} machines, whose times and joules are not alike: {}; choose one with \
             --machine",
            machines.len(),
            machines.join(", ")
        ));
    }
}

/// Tells what the table has nothing of, so that it has few rows or none.
fn tell_missing(args: &AnalyzeArgs, studies: &[Study], phases: &[Phase], rows: usize) {
    if args.by == View::Interpreter {
        let nameless = studies.iter().filter(|study| study.interpreter.is_empty()).count();
        if nameless > 0 {
            message::tell(format_args!(
                "{nameless} of {} results do not say of which interpreter they are, and are not compared: nothing was \
                 counted",
                studies.len()
            ));
        }
    } else if rows == 0 && studies.iter().all(|study| !study.is_counted) {
        message::tell("no result has counts, so there are no opcodes; add them with `opmeter record -o`");
    } else if rows == 0 {
        let names: Vec<&str> = phases.iter().map(|phase| phase.name()).collect();
        let family = args.family.map_or(String::new(), |family| format!(" of the family {family}"));
        message::tell(format_args!("no opcode{family} was executed in phase {}", names.join(", ")));
    }
}
