//! `opmeter annotate`

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use opmeter_analysis::{Annotation, Files, Target};
use opmeter_report::{SourceText, Style};

use crate::error::Failure;
use crate::phase_arg::PhaseArg;
use crate::report::{open, page, written};
use crate::selection::{SelectionArgs, require_instructions};

/// Arguments of `annotate`.
#[derive(Args)]
pub struct AnnotateArgs {
    /// The recording
    #[arg(value_name = "REC")]
    pub recording: PathBuf,
    /// A file (its name, path or the end of it) or a function [default: the file that ran most]
    #[arg(value_name = "FILE|FUNCTION")]
    pub name: Option<String>,
    /// Show the instructions below each line
    #[arg(long)]
    pub bytecode: bool,
    /// Phases to show
    #[arg(long, value_enum, value_delimiter = ',', default_value = "main")]
    pub phase: Vec<PhaseArg>,
    #[command(flatten)]
    pub selection: SelectionArgs,
}

/// Prints a file or a function with its counts.
pub fn run(args: &AnnotateArgs) -> Result<ExitCode, Failure> {
    let selection = args.selection.selection(&args.phase)?;
    let recording = open(&args.recording, &["instructions", "lines", "sources", "source_texts"])?;
    selection.check(&args.recording, &recording)?;
    require_instructions(&args.recording, &recording)?;
    selection.check_files(&[(&args.recording, &recording)])?;
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
