//! `opmeter analyze`

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use glob::Pattern;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use opmeter_analysis::{
    DataTable, Study, StudyTimes, Terms, family_table, interpreter_table, machines, matrix_table,
    opcode_table, program_table,
};
use opmeter_corpus::{CollectedResult, Collection, Skipped};
use opmeter_opcodes::Family;
use opmeter_recording::{Phase, Recording};
use opmeter_report::{DataFormat, Style};

use crate::analysis_cache::AnalysisCache;
use crate::error::Failure;
use crate::export::{Sync, to_file};
use crate::message;
use crate::phase_arg::PhaseArg;
use crate::report::written;
use crate::terms_arg::TermsArg;

/// What is skipped is listed up to so many.
const LISTED: usize = 20;

/// Arguments of `analyze`.
#[derive(Args)]
pub struct AnalyzeArgs {
    /// Folders of results, as of `opmeter measure`, or recordings
    #[arg(value_name = "FOLDER", required = true)]
    pub folders: Vec<PathBuf>,
    /// What there is a row for
    #[arg(long, value_enum, default_value_t = View::Program)]
    pub by: View,
    /// Count in the names that were executed, or in those that the compiler emitted
    #[arg(long, value_enum, default_value_t = TermsArg::Base)]
    pub terms: TermsArg,
    /// Phases to take
    #[arg(long, value_enum, value_delimiter = ',', default_value = "main")]
    pub phase: Vec<PhaseArg>,
    /// Only programs whose names fit
    #[arg(long, value_name = "PATTERN")]
    pub program: Option<String>,
    /// Only results of an interpreter: a version such as 3.11, or its path
    #[arg(long, value_name = "PY")]
    pub python: Option<String>,
    /// Only results of this machine, by its name
    #[arg(long, value_name = "HOSTNAME")]
    pub machine: Option<String>,
    /// Only opcodes of this family, such as calls (with --by opcode)
    #[arg(long, value_name = "FAMILY", value_parser = family)]
    pub family: Option<Family>,
    /// Sort by a column: texts from A, numbers from the highest
    #[arg(long, value_name = "COLUMN")]
    pub sort: Option<String>,
    /// Only so many rows
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// The format
    #[arg(long, value_enum, default_value_t = DataFormatArg::Table)]
    pub format: DataFormatArg,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn family(text: &str) -> Result<Family, String> {
    let named = Family::ALL.into_iter().find(|family| family.name() == text.to_lowercase());
    named.ok_or_else(|| {
        let names: Vec<&str> = Family::ALL.into_iter().map(Family::name).collect();
        format!("families are {}", names.join(", "))
    })
}

/// What there is a row for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Programs: executions, time, energy
    Program,
    /// Opcodes over all programs
    Opcode,
    /// Families of opcodes over all programs
    Family,
    /// Each opcode of each program
    Matrix,
    /// Interpreters, compared over the programs that they ran
    Interpreter,
}

/// A format for tables.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataFormatArg {
    /// For the terminal
    Table,
    /// Comma-separated values
    Csv,
    /// An array of objects
    Json,
    /// Apache Parquet
    Parquet,
    /// A table for Markdown
    Markdown,
}

impl DataFormatArg {
    /// The format.
    pub fn format(self) -> DataFormat {
        match self {
            Self::Table => DataFormat::Table,
            Self::Csv => DataFormat::Csv,
            Self::Json => DataFormat::Json,
            Self::Parquet => DataFormat::Parquet,
            Self::Markdown => DataFormat::Markdown,
        }
    }
}

/// Writes a table over all results of the folders. What is left out is told on standard error, with its reason.
pub fn run(args: &AnalyzeArgs) -> Result<ExitCode, Failure> {
    let phases: Vec<Phase> = args.phase.iter().flat_map(|phase| phase.phases()).copied().collect();
    let (studies, skipped) = studies(args)?;
    tell(&skipped);
    if studies.is_empty() {
        return Err(Failure::not_done(
            "there is no result to analyze that was asked for; `opmeter measure FOLDER` makes some",
        ));
    }
    let machines = machines(&studies);
    if machines.len() > 1 {
        message::tell(format_args!(
            "these results are of {} machines, whose times and joules are not alike: {}; choose one with \
             --machine",
            machines.len(),
            machines.join(", ")
        ));
    }
    let mut table = table(args, &studies, &phases);
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
        View::Family => family_table(studies, phases),
        View::Matrix => matrix_table(studies, terms, phases),
        View::Interpreter => interpreter_table(studies, phases),
    }
}

/// The results that are asked for, and what can't be used.
fn studies(args: &AnalyzeArgs) -> Result<(Vec<Study>, Vec<Skipped>), Failure> {
    let pattern = args.program.as_deref().map(Pattern::new).transpose();
    let pattern = pattern.map_err(|error| Failure::wrong(format_args!("--program: {}", error.msg)))?;
    let Collection { results, mut skipped } = Collection::of(&args.folders).map_err(Failure::not_done)?;
    let wanted = |result: &CollectedResult| {
        pattern.as_ref().is_none_or(|pattern| pattern.matches(&result.program()))
            && args.python.as_ref().is_none_or(|python| result.is_on(python))
            && args.machine.as_ref().is_none_or(|name| result.manifest.machine.hostname == *name)
    };
    let results: Vec<CollectedResult> = results.into_iter().filter(wanted).collect();
    let cache = AnalysisCache::open();
    let results = results.into_iter().map(|result| {
        let kept = Kept::of(&result, &cache);
        (result, kept)
    });
    let results: Vec<(CollectedResult, Kept)> = results.collect();
    let bar = bar(results.iter().map(|(result, kept)| 1 + kept.events_to_read(result)).sum());
    let mut studies = Vec::new();
    for (result, kept) in results {
        match study(&result, kept, &cache, &bar) {
            Ok(study) => studies.push(study),
            Err(reason) => skipped.push(Skipped { path: result.path, reason }),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((studies, skipped))
}

/// What the cache has of a result.
struct Kept {
    /// Under which key, if it is of those that are kept.
    key: Option<String>,
    times: Option<StudyTimes>,
}

impl Kept {
    fn of(result: &CollectedResult, cache: &AnalysisCache) -> Self {
        // Nothing else takes long to read.
        let are_of_events = StudyTimes::are_of_events(&result.manifest);
        let key = if are_of_events { AnalysisCache::key(&result.path).ok() } else { None };
        let times = key.as_ref().and_then(|key| cache.get(key));
        Self { key, times }
    }

    fn events_to_read(&self, result: &CollectedResult) -> u64 {
        if self.times.is_some() {
            return 0;
        }
        result.manifest.processes.iter().filter_map(|process| process.events.as_ref()).map(|e| e.events).sum()
    }
}

/// A bar with a step for each result, and each event, that is to be read, where there is somebody to look at it.
fn bar(steps: u64) -> ProgressBar {
    let terminal = io::stderr().is_terminal();
    let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} % read, {eta} left");
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    style.into_iter().fold(bar, ProgressBar::with_style)
}

/// What a result tells; its times are kept where they had to be made of events.
fn study(
    result: &CollectedResult,
    Kept { key, times }: Kept,
    cache: &AnalysisCache,
    bar: &ProgressBar,
) -> Result<Study, String> {
    let needed = |table: &str| match table {
        "runs" | "energy" => true,
        table => times.is_none() && StudyTimes::TABLES.contains(&table),
    };
    let recording = Recording::open_tables(&result.path, needed).map_err(|error| error.to_string())?;
    let times = match times {
        Some(times) => times,
        None => {
            let times = StudyTimes::of(&recording, &|events| bar.inc(events))
                .map_err(|error| format!("its events can't be read: {error}; record it again"))?;
            key.iter().for_each(|key| cache.put(key, &times));
            times
        }
    };
    Ok(Study::new(result.program(), result.interpreter(), recording, times))
}

/// Tells what is left out.
fn tell(skipped: &[Skipped]) {
    for Skipped { path, reason } in skipped.iter().take(LISTED) {
        message::tell_lines(format_args!("left out: {}: {reason}", path.display()));
    }
    if skipped.len() > LISTED {
        message::tell(format_args!("left out: {} more", skipped.len() - LISTED));
    }
}
