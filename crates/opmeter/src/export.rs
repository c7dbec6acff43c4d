//! `opmeter export`

mod args;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use opmeter_analysis::{CountedRow, Files};
use opmeter_files::create_anew;
use opmeter_recording::{EventSiteRow, Recording, Tables};
use opmeter_report::export::{EventFormat, Format, Profile, write_callgrind, write_lcov};

use crate::error::Failure;
use crate::export_events;
use crate::report::{open, without_counts, without_energy, written};
use crate::selection::{Selection, require_instructions};

pub use args::ExportArgs;
use args::{FormatArg, Table};

/// What is written.
#[derive(Clone, Copy)]
enum Content {
    Table(Table, Format),
    Events(EventFormat),
    Callgrind,
    Lcov,
}

impl Content {
    /// Checks that it can be told of single files.
    fn check_of_files(self) -> Result<(), Failure> {
        let (what, of) = match self {
            Self::Table(Table::Opcodes, _) => ("opcodes as executed are", "a process"),
            Self::Table(Table::Pairs, _) => ("pairs are", "a process"),
            Self::Table(Table::Distributions, _) => ("distributions are", "a process"),
            Self::Table(Table::Runs, _) => ("runs are", "the whole command"),
            Self::Table(Table::Energy, _) => ("energy is", "the whole command"),
            Self::Table(..) | Self::Events(_) | Self::Callgrind | Self::Lcov => return Ok(()),
        };
        Err(Failure::wrong(format_args!(
            "{what} not known by file, only of {of}; leave --include and --exclude out, or take --table instructions, which \
             has the opcode of each instruction as the compiler emitted it"
        )))
    }

    /// The tables that it is made of, and chosen by.
    fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Callgrind | Self::Lcov | Self::Table(Table::Instructions, _) => {
                &["instructions", "lines", "sources"]
            }
            Self::Table(Table::Opcodes, _) => &["opcodes"],
            Self::Table(Table::Pairs, _) => &["pairs"],
            Self::Table(Table::Distributions, _) => &["distributions"],
            Self::Table(Table::EventSites, _) | Self::Events(_) => &["event_sites", "lines", "sources"],
            Self::Table(Table::Events, _) => &[],
            Self::Table(Table::Energy, _) => &["energy"],
            Self::Table(Table::Runs, _) => &["runs"],
            Self::Table(Table::Lines | Table::Sources, _) => &["lines", "sources"],
            Self::Table(Table::SourceTexts, _) => &["lines", "sources", "source_texts"],
            Self::Table(Table::Specialization, _) => &["specialization", "lines", "sources"],
        }
    }
}

/// Writes a recording, or a table of it.
pub fn run(args: &ExportArgs) -> Result<ExitCode, Failure> {
    let content = content(args)?;
    if args.selection.chooses_files() {
        content.check_of_files()?;
    }
    let selection = args.selection.selection(&args.phase)?;
    let mut recording = open(&args.recording, content.tables())?;
    selection.check(&args.recording, &recording)?;
    require(content, &args.recording, &recording)?;
    selection.check_files(&[(&args.recording, &recording)])?;
    recording.tables = selected(recording.tables, &selection);
    if let Content::Events(format) = content {
        return export_events::run(&recording, format, args.output.as_deref());
    }
    match &args.output {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            let result = write(content, &recording, &mut out);
            written(result.and_then(|()| out.flush()))?;
        }
        Some(path) => to_file(path, Sync::Yes, |out| write(content, &recording, out))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What the arguments ask for.
fn content(args: &ExportArgs) -> Result<Content, Failure> {
    let format = match args.format {
        FormatArg::Csv => Format::Csv,
        FormatArg::Parquet => Format::Parquet,
        FormatArg::Json => Format::Json,
        FormatArg::Callgrind if args.table.is_none() => return Ok(Content::Callgrind),
        FormatArg::Lcov if args.table.is_none() => return Ok(Content::Lcov),
        FormatArg::Callgrind | FormatArg::Lcov => {
            return Err(Failure::wrong(
                "callgrind and lcov are formats of a whole recording, not of a table; leave --table out",
            ));
        }
    };
    match (args.table, format) {
        (Some(Table::Events), Format::Csv) => Ok(Content::Events(EventFormat::Csv)),
        (Some(Table::Events), Format::Parquet) => Ok(Content::Events(EventFormat::Parquet)),
        (Some(Table::Events), Format::Json) => Err(Failure::wrong(
            "events can be written as csv or parquet; there are too many of them for json",
        )),
        (Some(table), format) => Ok(Content::Table(table, format)),
        (None, format) => {
            Err(Failure::wrong(format_args!("{format} is a format of a table; say which one with --table")))
        }
    }
}

/// Checks that the recording has what is asked for.
fn require(content: Content, path: &Path, recording: &Recording) -> Result<(), Failure> {
    match content {
        Content::Table(Table::Energy, _) if !recording.manifest.has_energy() => {
            return Err(Failure::not_done(without_energy(path)));
        }
        Content::Table(Table::Runs, _) if recording.tables.runs.is_empty() => {
            return Err(Failure::not_done(format_args!(
                "{0} has no runs without the agent; add them with `opmeter energy -o {0} -- COMMAND`",
                path.display()
            )));
        }
        Content::Table(Table::Energy | Table::Runs, _) => return Ok(()),
        _ => {}
    }
    if !recording.manifest.has_counts() {
        return Err(Failure::not_done(without_counts(path)));
    }
    match content {
        Content::Table(Table::Opcodes, _) => Ok(()),
        Content::Table(Table::Pairs, _) if recording.tables.pairs.is_empty() => {
            Err(Failure::not_done(format_args!(
                "{} has no pairs of opcodes; record again with `opmeter record --pairs`",
                path.display()
            )))
        }
        Content::Table(Table::Distributions, _) if recording.tables.distributions.is_empty() => {
            Err(Failure::not_done(format_args!(
                "{} has no times; record again with `opmeter record --time`",
                path.display()
            )))
        }
        Content::Table(Table::EventSites, _) | Content::Events(_)
            if recording.manifest.processes.iter().all(|process| process.events.is_none()) =>
        {
            Err(Failure::not_done(format_args!(
                "{} has no events; record again with `opmeter record --events`",
                path.display()
            )))
        }
        Content::Table(Table::Pairs | Table::Distributions | Table::EventSites, _) | Content::Events(_) => {
            Ok(())
        }
        Content::Table(Table::SourceTexts, _) if recording.tables.source_texts.is_empty() => {
            Err(Failure::not_done(format_args!(
                "{} has no texts of sources: none but the standard library's ran, or it is from an Opmeter that did not \
                 keep them",
                path.display()
            )))
        }
        _ => require_instructions(path, recording),
    }
}

/// The rows of the tables that are selected.
fn selected(mut tables: Tables, selection: &Selection) -> Tables {
    let taken: HashMap<Arc<str>, bool> = {
        let files = Files::new(&tables, &selection.patterns, true);
        let names = tables.lines.iter().map(|row| &row.file);
        let names = names.chain(tables.sources.iter().map(|source| &source.file));
        names.map(|file| (file.clone(), files.takes(file))).collect()
    };
    // A file of no line has no instructions either.
    let takes_file = |file: &str| taken.get(file).copied().unwrap_or(true);
    fn keep<R: CountedRow>(rows: &mut Vec<R>, selection: &Selection, takes_file: impl Fn(&str) -> bool) {
        rows.retain(|row| selection.filter.takes(row) && row.file().is_none_or(&takes_file));
    }
    keep(&mut tables.opcodes, selection, takes_file);
    keep(&mut tables.instructions, selection, takes_file);
    keep(&mut tables.lines, selection, takes_file);
    keep(&mut tables.pairs, selection, takes_file);
    keep(&mut tables.distributions, selection, takes_file);
    keep(&mut tables.specialization, selection, takes_file);
    let takes = |row: &EventSiteRow| {
        selection.filter.takes_phase(row.phase)
            && selection.filter.takes_process(row.process)
            && takes_file(&row.file)
    };
    tables.event_sites.retain(takes);
    tables.sources.retain(|source| takes_file(&source.file));
    tables.source_texts.retain(|source| takes_file(&source.file));
    tables
}

/// Whether a file is on the disk when it is done. Where it is long that takes long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// It is.
    Yes,
    /// The system writes it when it likes.
    No,
}

/// Writes a file whole or not at all.
///
/// # Errors
/// When it can't be written.
pub fn to_file<R>(
    path: &Path,
    sync: Sync,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<R>,
) -> Result<R, Failure> {
    whole_file(path, sync, write).map_err(|error| Failure::not_written(path.display(), &error))
}

fn whole_file<R>(
    path: &Path,
    sync: Sync,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<R>,
) -> io::Result<R> {
    // A pipe or a device is written to as it is.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        let result = write(&mut out)?;
        return out.flush().map(|()| result);
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = PathBuf::from(draft);
    let result = (|| {
        let mut out = BufWriter::new(create_anew(&draft, 0o666)?);
        let result = write(&mut out)?;
        out.flush()?;
        if sync == Sync::Yes {
            out.get_ref().sync_all()?;
        }
        fs::rename(&draft, path).map(|()| result)
    })();
    if result.is_err() {
        let _ = fs::remove_file(&draft);
    }
    result
}

fn write(content: Content, recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
    let tables = &recording.tables;
    let profile = Profile {
        command: &recording.manifest.command,
        instructions: &tables.instructions,
        lines: &tables.lines,
        sources: &tables.sources,
    };
    match content {
        Content::Callgrind => write_callgrind(&profile, out),
        Content::Lcov => write_lcov(&profile, out),
        Content::Table(Table::Opcodes, format) => format.write(&tables.opcodes, out),
        Content::Table(Table::Pairs, format) => format.write(&tables.pairs, out),
        Content::Table(Table::Distributions, format) => format.write(&tables.distributions, out),
        Content::Table(Table::EventSites, format) => format.write(&tables.event_sites, out),
        // They have a way of their own.
        Content::Table(Table::Events, _) | Content::Events(_) => Ok(()),
        Content::Table(Table::Instructions, format) => format.write(&tables.instructions, out),
        Content::Table(Table::Lines, format) => format.write(&tables.lines, out),
        Content::Table(Table::Specialization, format) => format.write(&tables.specialization, out),
        Content::Table(Table::Sources, format) => format.write(&tables.sources, out),
        Content::Table(Table::SourceTexts, format) => format.write(&tables.source_texts, out),
        Content::Table(Table::Runs, format) => format.write(&tables.runs, out),
        Content::Table(Table::Energy, format) => format.write(&tables.energy, out),
    }
}
