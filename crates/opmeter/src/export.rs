//! `opmeter export`

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opmeter_recording::OpcodeRow;
use opmeter_report::export::Format;

use crate::cli::{ExportArgs, FormatArg, Table};
use crate::error::Failure;
use crate::report::{open, written};

/// Writes a table of a recording.
pub fn run(args: &ExportArgs) -> Result<ExitCode, Failure> {
    let recording = open(&args.recording)?;
    let format = match args.format {
        FormatArg::Csv => Format::Csv,
        FormatArg::Parquet => Format::Parquet,
        FormatArg::Json => Format::Json,
    };
    let Table::Opcodes = args.table;
    match &args.output {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            let result = write(format, &recording.tables.opcodes, &mut out);
            written(result.and_then(|()| out.flush()))?;
        }
        Some(path) => to_file(path, format, &recording.tables.opcodes).map_err(|error| {
            Failure::not_done(format_args!("{} could not be written: {error}", path.display()))
        })?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file whole or not at all.
fn to_file(path: &Path, format: Format, rows: &[OpcodeRow]) -> io::Result<()> {
    // A pipe or a device is written to as it is.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        write(format, rows, &mut out)?;
        return out.flush();
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = PathBuf::from(draft);
    let result = (|| {
        let mut out = BufWriter::new(File::create(&draft)?);
        write(format, rows, &mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&draft, path)
    })();
    if result.is_err() {
        let _ = fs::remove_file(&draft);
    }
    result
}

fn write(format: Format, rows: &[OpcodeRow], out: &mut dyn Write) -> io::Result<()> {
    format.write(rows, out)
}
