//! `opmeter report`

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use opmeter_analysis::{MixFilter, OpcodeMix, Terms};
use opmeter_recording::{Error, Phase, Recording};
use opmeter_report::{OpcodeReport, Style};

use crate::cli::{ReportArgs, TermsArg};
use crate::error::Failure;
use crate::live_folder::LiveFolder;

/// Prints each recording's table.
pub fn run(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let phases: Vec<Phase> = args.phase.iter().flat_map(|phase| phase.phases()).copied().collect();
    let terms = match args.terms {
        TermsArg::Executed => Terms::AsExecuted,
        TermsArg::Base => Terms::Base,
    };
    let stdout = io::stdout();
    let style = Style::for_stream(&stdout);
    let mut out = BufWriter::new(stdout.lock());
    for (place, path) in args.recordings.iter().enumerate() {
        let recording = open(path)?;
        if let Some(missing) = args
            .process
            .iter()
            .flatten()
            .find(|process| recording.manifest.processes.iter().all(|known| known.process != **process))
        {
            return Err(Failure::not_done(format_args!(
                "{} has no process {missing}; it has {}",
                path.display(),
                recording.manifest.processes.len()
            )));
        }
        let filter = MixFilter { phases: Some(phases.clone()), processes: args.process.clone() };
        let space = if place > 0 { writeln!(out) } else { Ok(()) };
        let printed = space.and_then(|()| print(&recording, filter, terms, args.top, style, &mut out));
        written(printed)?;
    }
    written(out.flush())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the table that follows a run, to standard error. Nobody reading it is no failure.
pub fn print_after_run(recording: &Recording, top: usize) {
    let stderr = io::stderr();
    let style = Style::for_stream(&stderr);
    let mut out = BufWriter::new(stderr.lock());
    let mut filter = MixFilter { phases: Some(vec![Phase::Main]), processes: None };
    // An embedded interpreter runs no program of its own, and a failed start never gets to one.
    if !recording.tables.opcodes.iter().any(|row| filter.takes(row)) {
        filter.phases = None;
    }
    let _ = writeln!(out)
        .and_then(|()| print(recording, filter, Terms::AsExecuted, Some(top), style, &mut out))
        .and_then(|()| writeln!(out, "\nrecorded in {}", recording.path.display()))
        .and_then(|()| out.flush());
}

/// Opens a recording, or what there is of one that was interrupted.
///
/// # Errors
/// When there is none, or it can't be read.
pub fn open(path: &Path) -> Result<Recording, Failure> {
    match (Recording::open(path), LiveFolder::of(path)) {
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
            Err(Failure::not_done(format_args!("the output could not be written: {error}")))
        }
        _ => Ok(()),
    }
}

fn print(
    recording: &Recording,
    filter: MixFilter,
    terms: Terms,
    top: Option<usize>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mix = OpcodeMix::new(&recording.tables.opcodes, filter, terms);
    let columns = OpcodeReport::COLUMNS;
    OpcodeReport { manifest: &recording.manifest, mix: &mix, top, columns, style }.write(out)
}
