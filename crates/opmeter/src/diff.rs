//! `opmeter diff`

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use opmeter_analysis::{ChangedBy, Comparison, Files, Side};
use opmeter_recording::{Phase, Recording};
use opmeter_report::{DataFormat, DiffPage, Page, Style};

use crate::analyze::DataFormatArg;
use crate::diff_page;
use crate::error::{Failure, WRONG};
use crate::export::{Sync, to_file};
use crate::message;
use crate::phase_arg::PhaseArg;
use crate::report::{open, without_counts, written};
use crate::selection::{Selection, SelectionArgs, require_instructions};
use crate::terms_arg::{TermsArg, terms};
use crate::verdict::Verdict;

/// Rows of each table of the summary.
const TOP_OF_SUMMARY: usize = 10;
/// Rows of a table that was asked for.
const TOP: usize = 30;

/// The tables that are compared.
const TABLES: &[&str] = &["opcodes", "instructions", "lines", "sources", "source_texts"];

/// Arguments of `diff`.
#[derive(Args)]
pub struct DiffArgs {
    /// The recording before
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The recording after
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// What there is a row for [default: a summary: lines, then opcodes, or families of them across versions of CPython]
    #[arg(long, value_enum)]
    pub by: Option<View>,
    /// Count in the names that were executed, or in those that the compiler emitted
    #[arg(long, value_enum, default_value_t = TermsArg::Base)]
    pub terms: TermsArg,
    /// Phases to compare
    #[arg(long, value_enum, value_delimiter = ',', default_value = "main")]
    pub phase: Vec<PhaseArg>,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Show the files of the standard library and of installed packages each by itself
    #[arg(long)]
    pub all_files: bool,
    /// Show only what changed most [default: 10 of each table of the summary, 30 of one that is asked for, all in a file
    /// format]
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// End with status 1 where the executions of what is selected grew by more than so many percent; 0 allows none
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub fail_above: Option<f64>,
    /// The format
    #[arg(long, value_enum, default_value_t = DataFormatArg::Table)]
    pub format: DataFormatArg,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write a page for a browser instead, a single file with all tables and the sources side by side; `-` is standard
    /// output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// What there is a row for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Opcodes
    Opcode,
    /// Families of opcodes
    Family,
    /// Functions
    Function,
    /// Files
    File,
    /// Lines of the source
    Line,
}

impl View {
    fn changed_by(self) -> ChangedBy {
        match self {
            Self::Opcode => ChangedBy::Opcode,
            Self::Family => ChangedBy::Family,
            Self::Function => ChangedBy::Function,
            Self::File => ChangedBy::File,
            Self::Line => ChangedBy::Line,
        }
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.trim_end_matches('%').trim_end().parse();
    percent
        .ok()
        .filter(|percent: &f64| percent.is_finite() && *percent >= 0.0)
        .ok_or_else(|| "percents are a number, 0 or more, such as 0, 2.5 or 10".to_owned())
}

/// Compares two recordings. As of `diff` and `cmp`, status 1 is an answer (of `--fail-above`), and 2 is trouble.
pub fn run(args: &DiffArgs) -> Result<ExitCode, Failure> {
    compare(args).map_err(|failure| Failure { status: WRONG, ..failure })
}

fn compare(args: &DiffArgs) -> Result<ExitCode, Failure> {
    check_html(args)?;
    let by_file = args.selection.chooses_files();
    let terms = terms(Some(args.terms), TermsArg::Base, by_file)?;
    if args.by.is_none() && args.format != DataFormatArg::Table {
        return Err(Failure::wrong("this format is of one table; say with --by what there is a row for"));
    }
    let selection = args.selection.selection(&args.phase)?;
    let before = recording(args, &args.before, &selection)?;
    let after = recording(args, &args.after, &selection)?;
    selection.check_files(&[(&args.before, &before), (&args.after, &after)])?;
    let files =
        [&before, &after].map(|recording| Files::new(&recording.tables, &selection.patterns, args.all_files));
    let (one, other) = (side(&before, &files[0]), side(&after, &files[1]));
    let mut comparison = Comparison::new(one, other, &selection.filter, terms, by_file);
    let is_unexplained = comparison.is_of_the_same() && comparison.total.size() > 0;
    if comparison.has_random_hashes() && (args.fail_above.is_some() || is_unexplained) {
        comparison.remarks.push(
            "PYTHONHASHSEED was not set in both runs: where the program goes through sets of texts, counts may differ \
             from run to run; record both with PYTHONHASHSEED=0"
                .to_owned(),
        );
    }
    let verdict = args.fail_above.map(|percent| Verdict::new(&comparison, percent));
    match &args.html {
        Some(path) => diff_page::write(
            path,
            [(&args.before, &before), (&args.after, &after)],
            &comparison,
            &phases(&selection),
            verdict.as_ref(),
        )?,
        None => write(args, &selection, &comparison)?,
    }
    verdict.map_or(Ok(ExitCode::SUCCESS), Verdict::end)
}

/// Whether nothing is asked for that a page does not have.
fn check_html(args: &DiffArgs) -> Result<(), Failure> {
    if args.html.is_none() {
        return Ok(());
    }
    let without = |option: &str, why: &str| {
        Err(Failure::wrong(format_args!("--html and {option} can't go together: {why}; leave {option} out")))
    };
    if args.by.is_some() {
        return without("--by", "a page has lines, functions, files, opcodes and families");
    }
    if args.top.is_some() {
        return without("--top", "a page has all sources, and its tables can be filtered");
    }
    if args.format != DataFormatArg::Table {
        return without("--format", "a page is a format of its own");
    }
    if args.output.is_some() {
        return without("--output", "--html names the file itself");
    }
    Ok(())
}

/// The phases that are compared.
fn phases(selection: &Selection) -> Vec<Phase> {
    Phase::ALL.into_iter().filter(|phase| selection.filter.takes_phase(*phase)).collect()
}

fn side<'a>(recording: &'a Recording, files: &'a Files<'a>) -> Side<'a> {
    Side { manifest: &recording.manifest, tables: &recording.tables, files }
}

/// Opens a recording that can be compared.
fn recording(args: &DiffArgs, path: &Path, selection: &Selection) -> Result<Recording, Failure> {
    let recording = open(path, TABLES)?;
    selection.check(path, &recording)?;
    if !recording.manifest.has_counts() {
        return Err(Failure::not_done(without_counts(path)));
    }
    // What files ran, their instructions say.
    if args.selection.chooses_files() || !matches!(args.by, Some(View::Opcode | View::Family)) {
        require_instructions(path, &recording)?;
    }
    Ok(recording)
}

fn write(args: &DiffArgs, selection: &Selection, comparison: &Comparison<'_>) -> Result<(), Failure> {
    let phases = phases(selection);
    let print = |style: Style, out: &mut dyn Write| -> io::Result<()> {
        let Some(view) = args.by.filter(|_| args.format != DataFormatArg::Table) else {
            let summary = match comparison.is_across_versions() {
                true => [ChangedBy::Line, ChangedBy::Family],
                false => [ChangedBy::Line, ChangedBy::Opcode],
            };
            let views = args.by.map_or(summary.to_vec(), |view| vec![view.changed_by()]);
            let top = args.top.unwrap_or(if args.by.is_none() { TOP_OF_SUMMARY } else { TOP });
            return DiffPage { comparison, phases: &phases, top, columns: Page::COLUMNS, style }
                .write(&views, out);
        };
        let mut table = comparison.table(view.changed_by());
        if let Some(top) = args.top {
            table.truncate(top);
        }
        let format: DataFormat = args.format.format();
        format.write(&table, style, out)
    };
    // Tables for other programs have no room for remarks.
    if args.format != DataFormatArg::Table {
        for remark in &comparison.remarks {
            message::tell(remark);
        }
    }
    match &args.output {
        None => {
            let stdout = io::stdout();
            let style = Style::for_stream(&stdout);
            let mut out = BufWriter::new(stdout.lock());
            written(print(style, &mut out).and_then(|()| out.flush()))
        }
        Some(path) => to_file(path, Sync::Yes, |out| print(Style::PLAIN, out)),
    }
}
