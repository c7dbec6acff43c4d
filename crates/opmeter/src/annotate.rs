//! `opmeter annotate`

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use opmeter_analysis::{Annotation, Files, Target};
use opmeter_report::{SourceText, Style};

use crate::cli::AnnotateArgs;
use crate::error::Failure;
use crate::report::{open, page, written};
use crate::selection::require_instructions;

/// Prints a file or a function with its counts.
pub fn run(args: &AnnotateArgs) -> Result<ExitCode, Failure> {
    let selection = args.selection.selection(&args.phase)?;
    let recording = open(&args.recording, &["instructions", "lines", "sources", "source_texts"])?;
    selection.check(&args.recording, &recording)?;
    require_instructions(&args.recording, &recording)?;
    let tables = &recording.tables;
    let files = Files::new(tables, &selection.patterns, false);
    let target =
        Target::find(tables, &files, &selection.filter, args.name.as_deref()).map_err(Failure::not_done)?;
    let source = SourceText::of(tables, &target.file);
    let annotation = Annotation::new(tables, selection.filter, target);
    let stdout = io::stdout();
    let page = page(&recording, None, Style::for_stream(&stdout));
    let mut out = BufWriter::new(stdout.lock());
    let printed = page.write_annotation(&annotation, &source, args.bytecode, &mut out);
    written(printed.and_then(|()| out.flush()))?;
    Ok(ExitCode::SUCCESS)
}
