//! `opmeter export --table events`

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use opmeter_recording::Recording;
use opmeter_report::export::{EventFormat, write_events};

use crate::error::Failure;
use crate::export::{Sync, to_file};
use crate::message;
use crate::report::written;

/// Writes the events of a recording to a file, or to the standard output. A bar shows how far it has come, where
/// there is somebody to look at it.
pub fn run(recording: &Recording, format: EventFormat, output: Option<&Path>) -> Result<ExitCode, Failure> {
    let bar = bar(output.is_some());
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let torn = match output {
        Some(path) => to_file(path, Sync::No, |out| write_events(recording, format, out, progress))?,
        None => {
            let mut torn = Vec::new();
            written(write_events(recording, format, io::stdout(), progress).map(|found| torn = found))?;
            torn
        }
    };
    bar.finish_and_clear();
    for torn in torn {
        message::tell(format_args!(
            "the events of process {} are damaged at byte {} of their file; those before are written",
            torn.process, torn.offset
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn bar(to_file: bool) -> ProgressBar {
    // Rows on the terminal are enough to see.
    let shown = to_file || !io::stdout().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} events, {eta} left");
    let bar = ProgressBar::with_draw_target(None, target);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
