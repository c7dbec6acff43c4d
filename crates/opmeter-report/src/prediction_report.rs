use std::io::{self, Write};

use opmeter_model::{Model, Prediction};

use crate::grid::{Column, Grid, Row};
use crate::model_report::write_wrapped;
use crate::number::significant;
use crate::terminal_text::visible;
use crate::{Page, Style};

/// Writes predictions, with their intervals, and what was measured beside them; then what lies outside of what the model
/// was fitted to.
///
/// # Errors
/// Whatever `out` gives.
pub fn write_predictions(
    model: &Model,
    predictions: &[Prediction],
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_time = model.unit == "s";
    let columns = vec![
        Column::name("program", 16),
        Column::number(if is_time { "predicted s" } else { "predicted J" }),
        Column::number("90 % interval"),
        Column::number(if is_time { "measured s" } else { "measured J" }),
        Column::number("error %"),
        Column::name("outside", 7),
    ];
    let rows: Vec<Row> = predictions.iter().map(row).collect();
    Grid { columns, bars: false }.write(out, &rows, Page::COLUMNS, style)?;
    writeln!(out)?;
    let said = format!(
        "{} of {}, predicted by costs that were fitted to {} programs. Intervals are those of the errors of templates \
         that were held out of the fit; programs that are unlike all of these may lie further away.",
        model.measure,
        model.interpreter,
        model.programs.len()
    );
    write_wrapped(&said, "", out)?;
    if predictions.iter().any(|prediction| prediction.is_estimate && prediction.measured.is_some()) {
        write_wrapped("~: joules that were not measured, but estimated from a declared power.", "", out)?;
    }
    for prediction in predictions.iter().filter(|prediction| !prediction.outside.is_empty()) {
        writeln!(out)?;
        let said = format!("{} lies outside of what the model was fitted to:", prediction.program);
        write_wrapped(&said, "", out)?;
        for sentence in &prediction.outside {
            write_wrapped(&format!("  - {sentence}"), "    ", out)?;
        }
    }
    Ok(())
}

fn row(prediction: &Prediction) -> Row {
    let shown = |value: f64| significant(value, prediction.predicted);
    let measured = prediction.measured;
    // An estimate is never shown like a measurement.
    let mark = if prediction.is_estimate { "~" } else { "" };
    let error = measured.map(|measured| (prediction.predicted / measured - 1.0) * 100.0);
    Row {
        cells: vec![
            visible(&prediction.program),
            shown(prediction.predicted),
            format!("{} – {}", shown(prediction.low), shown(prediction.high)),
            measured.map_or_else(
                || "-".to_owned(),
                |measured| format!("{mark}{}", significant(measured, measured)),
            ),
            error.map_or_else(|| "-".to_owned(), |error| format!("{error:+.1}")),
            if prediction.outside.is_empty() { String::new() } else { "outside".to_owned() },
        ],
        bar: 0.0,
    }
}
