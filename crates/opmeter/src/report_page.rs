//! `opmeter report --html`

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opmeter_analysis::{Files, Terms};
use opmeter_recording::Recording;
use opmeter_report::{Recorded, ReportPage};

use crate::error::Failure;
use crate::export::{Sync, to_file};
use crate::message;
use crate::report::{ReportArgs, open, written};
use crate::selection::{Selection, require_instructions};

/// The tables that a page is made of.
const TABLES: &[&str] =
    &["opcodes", "instructions", "lines", "pairs", "distributions", "specialization", "sources", "energy"];

/// The path that stands for standard output.
const STDOUT: &str = "-";

/// Writes a page of all recordings to `path`, and says where it is.
pub fn write(
    args: &ReportArgs,
    selection: &Selection,
    terms: Terms,
    path: &Path,
) -> Result<ExitCode, Failure> {
    let mut recordings = Vec::new();
    for path in &args.recordings {
        let recording = open(path, TABLES)?;
        selection.check(path, &recording)?;
        if args.selection.chooses_files() && recording.manifest.has_counts() {
            require_instructions(path, &recording)?;
        }
        recordings.push(recording);
    }
    let named: Vec<(&Path, &Recording)> =
        args.recordings.iter().map(PathBuf::as_path).zip(&recordings).collect();
    selection.check_files(&named)?;
    let recordings = args
        .recordings
        .iter()
        .zip(&recordings)
        .map(|(path, recording)| {
            let files = Files::new(&recording.tables, &selection.patterns, args.all_files);
            Recorded::new(&name(path, recording), recording, &selection.filter, &files, terms)
        })
        .collect();
    let page = ReportPage { recordings };
    write_page(path, |out| page.write(out))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a page to `path`, and says where it is; or to standard output.
///
/// # Errors
/// When it can't be written.
pub fn write_page(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    if path == Path::new(STDOUT) {
        let mut out = BufWriter::new(io::stdout().lock());
        return written(write(&mut out).and_then(|()| out.flush()));
    }
    to_file(path, Sync::No, |out| write(out))?;
    // Nobody reading it is no failure.
    let _ = writeln!(io::stderr(), "page written to {}", message::shown_path(path));
    Ok(())
}

/// What a recording is called: the name of its folder.
pub fn name(path: &Path, recording: &Recording) -> String {
    let folder = path.file_name().or(recording.path.file_name());
    folder.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
