//! `opmeter report`

mod args;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opmeter_analysis::{
    Check, EnergySummary, EventCounts, Files, Grouping, Hotspots, OpcodeMix, PairMix, RowFilter,
    Specialization, Terms,
};
use opmeter_recording::{Error, Phase, Recording};
use opmeter_report::{Page, Style};

use crate::error::Failure;
use crate::live_folder::LiveFolder;
use crate::message;
use crate::report_page;
use crate::selection::{Selection, require_instructions};
use crate::terms_arg::{TermsArg, terms};

use args::By;
pub use args::ReportArgs;

/// Rows of a table where there may be thousands and nothing else is asked for.
const TOP: usize = 30;

/// The tables of a recording.
pub const ALL: &[&str] =
    &["opcodes", "instructions", "lines", "pairs", "specialization", "event_sites", "sources"];

/// The tables that a report is made of.
fn tables_of(by: By, of_files: bool) -> &'static [&'static str] {
    match by {
        // Which opcodes files ran, their instructions say.
        By::Opcode if of_files => &["instructions", "lines", "sources"],
        By::Opcode => &["opcodes", "energy"],
        By::Energy => &["energy"],
        By::Pair => &["pairs"],
        By::Line | By::Function => &["instructions", "lines", "sources"],
        By::File => &["lines", "sources"],
        By::Specialization => &["specialization", "lines", "sources"],
    }
}

/// Prints each recording's report.
pub fn run(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let selection = args.selection.selection(&args.phase)?;
    let terms = terms(args.terms, TermsArg::Executed, args.selection.chooses_files())?;
    if let Some(path) = &args.html {
        return report_page::write(args, &selection, terms, path);
    }
    if args.selection.chooses_files() {
        check_of_files(args.by)?;
        check_files(args, &selection)?;
    }
    let stdout = io::stdout();
    let style = Style::for_stream(&stdout);
    let mut out = BufWriter::new(stdout.lock());
    let mut unlike = Vec::new();
    for (place, path) in args.recordings.iter().enumerate() {
        let recording =
            open(path, if args.check { ALL } else { tables_of(args.by, args.selection.chooses_files()) })?;
        selection.check(path, &recording)?;
        if place > 0 {
            written(writeln!(out))?;
        }
        if !args.check {
            print(args, path, &recording, (&selection, terms), style, &mut out)?;
        } else if !print_check(args, path, &recording, style, &mut out)? {
            unlike.push(path.display().to_string());
        }
    }
    written(out.flush())?;
    if unlike.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::not_done(format_args!("the tables of {} do not add up", unlike.join(", "))))
}

/// Checks that what is asked for can be told of single files.
fn check_of_files(by: By) -> Result<(), Failure> {
    let (what, of) = match by {
        By::Pair => ("pairs are", "a process"),
        By::Energy => ("energy is", "the whole command"),
        By::Opcode | By::Line | By::Function | By::File | By::Specialization => return Ok(()),
    };
    Err(Failure::wrong(format_args!(
        "{what} not known by file, only of {of}; leave --include and --exclude out, or use --by opcode, line, function, \
         file or specialization"
    )))
}

/// Checks that the patterns fit files of the recordings.
fn check_files(args: &ReportArgs, selection: &Selection) -> Result<(), Failure> {
    let recordings: Vec<Recording> =
        args.recordings.iter().map(|path| open(path, &["lines", "sources"])).collect::<Result<_, _>>()?;
    let named: Vec<(&Path, &Recording)> =
        args.recordings.iter().map(PathBuf::as_path).zip(&recordings).collect();
    selection.check_files(&named)
}

/// Prints the table that follows a run, to standard error. Nobody reading it is no failure.
pub fn print_after_run(recording: &Recording, top: usize) {
    let stderr = io::stderr();
    let style = Style::for_stream(&stderr);
    let mut out = BufWriter::new(stderr.lock());
    let mut filter = RowFilter { phases: Some(vec![Phase::Main]), processes: None };
    // An embedded interpreter runs no program of its own, and a failed start never gets to one.
    if !recording.tables.opcodes.iter().any(|row| filter.takes(row)) {
        filter.phases = None;
    }
    let mix = OpcodeMix::new(&recording.tables.opcodes, filter, Terms::AsExecuted);
    let page = page(recording, Some(top), style);
    let _ = writeln!(out)
        .and_then(|()| page.write_opcodes(&mix, &mut out))
        .and_then(|()| writeln!(out, "\nrecorded in {}", message::shown_path(&recording.path)))
        .and_then(|()| out.flush());
}

/// Prints the table that follows a measurement of energy, to standard error, and where it is recorded, if all of it is.
/// Nobody reading it is no failure.
pub fn print_energy_after_run(recording: &Recording, is_recorded: bool) {
    let stderr = io::stderr();
    let style = Style::for_stream(&stderr);
    let mut out = BufWriter::new(stderr.lock());
    let _ = writeln!(out)
        .and_then(|()| write_energy(recording, true, style, &mut out))
        .and_then(|()| match is_recorded {
            true => writeln!(out, "\nrecorded in {}", message::shown_path(&recording.path)),
            false => Ok(()),
        })
        .and_then(|()| out.flush());
}

/// Writes what the command cost; with a heading, where nothing stands above that has one.
fn write_energy(recording: &Recording, alone: bool, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let energy = recording.manifest.energy.clone().unwrap_or_default();
    let Some(summary) = EnergySummary::new(&energy, &recording.tables.energy) else {
        return writeln!(out, "No energy was measured.");
    };
    let page = page(recording, None, style);
    if alone {
        page.write_energy(&energy, &summary, out)
    } else {
        page.write_energy_below(&energy, &summary, out)
    }
}

/// Opens a recording, or what there is of one that was interrupted.
///
/// Only the tables that are named are sure to be read.
///
/// # Errors
/// When there is none, or it can't be read.
pub fn open(path: &Path, tables: &[&str]) -> Result<Recording, Failure> {
    match (Recording::open_tables(path, |name| tables.contains(&name)), LiveFolder::of(path)) {
        (Err(Error::Unfinished { .. }), Some(live)) => live.recover(path).map_err(Failure::not_done),
        (result, _) => result.map_err(Failure::not_done),
    }
}

/// What became of writing to a reader: one that has seen enough is no failure.
///
/// # Errors
/// Any other failure to write.
pub fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::not_written("the output", &error))
        }
        _ => Ok(()),
    }
}

/// The page that a recording is shown on.
pub fn page(recording: &Recording, top: Option<usize>, style: Style) -> Page<'_> {
    Page { manifest: &recording.manifest, top, columns: Page::COLUMNS, style }
}

fn print(
    args: &ReportArgs,
    path: &Path,
    recording: &Recording,
    (selection, terms): (&Selection, Terms),
    style: Style,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let tables = &recording.tables;
    let filter = selection.filter.clone();
    let many = page(recording, args.top.or(Some(TOP)), style);
    let of_files = args.selection.chooses_files();
    if !recording.manifest.has_counts() && (of_files || !matches!(args.by, By::Opcode | By::Energy)) {
        return Err(Failure::not_done(without_counts(path)));
    }
    let grouping = match args.by {
        By::Energy if !recording.manifest.has_energy() => {
            return Err(Failure::not_done(without_energy(path)));
        }
        By::Energy => return written(write_energy(recording, true, style, out)),
        By::Opcode if !recording.manifest.has_counts() => {
            return written(write_energy(recording, true, style, out));
        }
        By::Opcode if of_files => {
            require_instructions(path, recording)?;
            let files = Files::new(tables, &selection.patterns, args.all_files);
            let mix = OpcodeMix::of_files(&tables.instructions, filter, &files);
            return written(page(recording, args.top, style).write_opcodes(&mix, out));
        }
        By::Opcode => {
            let mix = OpcodeMix::new(&tables.opcodes, filter, terms);
            written(page(recording, args.top, style).write_opcodes(&mix, out))?;
            if !recording.manifest.has_energy() {
                return Ok(());
            }
            return written(writeln!(out).and_then(|()| write_energy(recording, false, style, out)));
        }
        By::Pair if tables.pairs.is_empty() => {
            return Err(Failure::not_done(format_args!(
                "{} has no pairs of opcodes; record again with `opmeter record --pairs`",
                path.display()
            )));
        }
        By::Pair => {
            let mix = PairMix::new(&tables.pairs, filter, terms);
            return written(many.write_pairs(&mix, out));
        }
        By::Specialization => None,
        By::Line => Some(Grouping::Line),
        By::Function => Some(Grouping::Function),
        By::File => Some(Grouping::File),
    };
    require_instructions(path, recording)?;
    let files = Files::new(tables, &selection.patterns, args.all_files);
    if let Some(grouping) = grouping {
        return written(many.write_hotspots(&Hotspots::new(tables, grouping, filter, &files), out));
    }
    if tables.specialization.is_empty() {
        return Err(Failure::not_done(unspecialised(path, recording)));
    }
    let specialization = Specialization::new(&tables.specialization, filter, &files);
    written(many.write_specialization(&specialization, out))
}

/// Why a recording has no counts.
pub fn without_counts(path: &Path) -> String {
    format!(
        "{0} has no counts, only energy; add them with `opmeter record -o {0} -- COMMAND`, of the same command",
        path.display()
    )
}

/// Why a recording has no energy.
pub fn without_energy(path: &Path) -> String {
    format!(
        "{0} has no energy; add it with `opmeter energy -o {0} -- COMMAND`, of the same command",
        path.display()
    )
}

/// Why a recording has no counts of specialised forms.
fn unspecialised(path: &Path, recording: &Recording) -> String {
    let versions: Vec<&str> =
        recording.manifest.processes.iter().map(|process| process.python.as_str()).collect();
    let before = |version: &&str| {
        let minor = version.strip_prefix("3.").and_then(|rest| rest.split('.').next());
        minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor < 11)
    };
    let path = path.display();
    if !versions.is_empty() && versions.iter().all(before) {
        format!(
            "nothing is specialised in {path}: CPython {} does not specialise instructions, which begins \
             with 3.11",
            versions[0]
        )
    } else {
        format!("{path} has no counts of specialised forms: no instruction that has any ran")
    }
}

/// Checks a recording; whether it adds up.
fn print_check(
    args: &ReportArgs,
    path: &Path,
    recording: &Recording,
    style: Style,
    out: &mut dyn Write,
) -> Result<bool, Failure> {
    if !recording.manifest.tables.iter().any(|table| table == "instructions") {
        require_instructions(path, recording)?;
    }
    let mut check = Check::new(&recording.manifest, &recording.tables);
    let events = EventCounts::of(recording)
        .map_err(|error| Failure::not_done(format_args!("the events can't be read: {error}")))?;
    check.add_events(&recording.tables, &events);
    written(page(recording, args.top.or(Some(TOP)), style).write_check(&check, out))?;
    Ok(check.is_ok())
}
