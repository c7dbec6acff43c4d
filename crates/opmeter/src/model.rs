//! `opmeter model`

mod args;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use opmeter_corpus::{Collection, Skipped};
use opmeter_model::{Model, Observations, Prediction, Wish, fit};
use opmeter_report::{Style, write_model, write_model_plot, write_predictions};

use crate::error::Failure;
use crate::report::written;
use crate::{left_out, message};

pub use args::ModelArgs;
use args::{FitArgs, ModelCommand, PredictArgs};

/// Fits a model, or predicts by one.
pub fn run(args: &ModelArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        ModelCommand::Fit(args) => run_fit(args),
        ModelCommand::Predict(args) => run_predict(args),
    }
}

/// Fits costs to the results in folders. What is left out is told on standard error.
fn run_fit(args: &FitArgs) -> Result<ExitCode, Failure> {
    let wish = Wish { response: args.response()?, terms: args.features.terms(), python: args.python.clone() };
    let mut collection = Collection::of(&args.folders).map_err(Failure::not_done)?;
    left_out::tell(&collection.skipped, args.left_out);
    let mut observations = Observations::of(&collection, &wish).map_err(Failure::not_done)?;
    left_out::tell(&observations.skipped, args.left_out);
    for (interpreter, results) in &observations.others {
        let noun = if *results == 1 { "result" } else { "results" };
        message::tell(format_args!("left out: {results} {noun} of {interpreter}, another interpreter"));
    }
    observations.skipped.append(&mut collection.skipped);
    let model = fit(&observations, &wish, env!("CARGO_PKG_VERSION")).map_err(Failure::not_done)?;
    if let Some(path) = &args.output {
        model.write(path).map_err(Failure::not_done)?;
    }
    if let Some(path) = &args.plot {
        plot(&model, path)?;
    }
    print(|style, out| {
        write_model(&model, args.top, style, out)?;
        for path in args.output.iter().chain(&args.plot) {
            writeln!(out, "\nwritten to {}", message::shown_path(path))?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Predicts what recordings' programs take. What can't be used is told, and status 1 where nothing can: as of `fit` and
/// `analyze`.
fn run_predict(args: &PredictArgs) -> Result<ExitCode, Failure> {
    let model = Model::read(&args.model).map_err(Failure::not_done)?;
    let collection = Collection::of(&args.recordings).map_err(Failure::not_done)?;
    left_out::tell(&collection.skipped, args.left_out);
    let (mut predictions, mut skipped) = (Vec::new(), Vec::new());
    for collected in &collection.results {
        match Prediction::of(&model, collected) {
            Ok(prediction) => predictions.push(prediction),
            Err(reason) => skipped.push(Skipped { path: collected.path.clone(), reason }),
        }
    }
    left_out::tell(&skipped, args.left_out);
    if predictions.is_empty() {
        return Err(Failure::not_done(
            "nothing could be predicted: no recording with counts was found; record one with `opmeter record`",
        ));
    }
    print(|style, out| write_predictions(&model, &predictions, style, out))?;
    Ok(ExitCode::SUCCESS)
}

fn plot(model: &Model, path: &Path) -> Result<(), Failure> {
    let write = || {
        let mut file = BufWriter::new(File::create(path)?);
        write_model_plot(model, &mut file)?;
        file.flush()
    };
    write().map_err(|error| Failure::not_done(format_args!("cannot write {}: {error}", path.display())))
}

fn print(write: impl Fn(Style, &mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let stdout = io::stdout();
    let style = Style::for_stream(&stdout);
    let mut out = BufWriter::new(stdout.lock());
    written(write(style, &mut out).and_then(|()| out.flush()))
}
