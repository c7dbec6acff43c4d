use opmeter_analysis::Terms;

use crate::bootstrap::CONFIDENCE;
use crate::cost_fit::CostFit;
use crate::cost_intervals::cost_intervals;
use crate::cross_validation::{choose, folds, held_out};
use crate::design::Design;
use crate::held_out_error::HeldOutError;
use crate::model::{Cost, Estimate, LeftOut, Model, ModelProgram, NullResult, PredictionInterval};
use crate::quantile::quantile;
use crate::relative_fit::Drawing;
use crate::{Clock, Error, Features, NullModel, Observation, Observations, Response, Verdict, Wish};

/// The fewest programs that a model is fitted to.
pub const LEAST_PROGRAMS: usize = 10;

/// The fewest templates that they have to be of, a program of none being one by itself.
pub const LEAST_TEMPLATES: usize = 3;

/// Fits to drawn programs, for the intervals.
const DRAWS: usize = 400;

/// Where there are more templates than this, the ridge that all programs together ask for is used when one is held out:
/// it hardly has a part in it.
const CHOSEN_ANEW: usize = 40;

/// A program is long where it takes this many times the start.
const LONG: f64 = 2.0;

/// The part of held-out programs that lie within the interval of a prediction.
const PREDICTED: f64 = 0.9;

/// Costs in the units of the file are these: nanoseconds and nanojoules.
const NANO: f64 = 1e9;

/// Fits costs per opcode to programs.
///
/// # Errors
/// [`Error::TooFew`] where there are too few programs, or they are of too few templates.
pub fn fit(observations: &Observations, wish: &Wish, opmeter_version: &str) -> Result<Model, Error> {
    let programs = &observations.programs;
    let templates: Vec<&str> = programs.iter().map(|program| program.template.as_str()).collect();
    let by_template = folds(&templates, usize::MAX);
    if programs.len() < LEAST_PROGRAMS || by_template.len() < LEAST_TEMPLATES {
        let response = wish.response.name();
        return Err(Error::TooFew { programs: programs.len(), templates: by_template.len(), response });
    }
    let keys: Vec<String> =
        programs.iter().map(|program| format!("{} {}", program.program, program.sha256)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let by_program = folds(&keys, usize::MAX);

    let features = Features::of(programs);
    let design = Design::new(programs, &features);
    let setting = choose(&design, &templates);
    let fit = CostFit::new(&design, setting);
    let predicted = |folds: &[Vec<usize>], anew: bool| {
        held_out(&design, folds, |train, rows| {
            let of_rows: Vec<&str> = rows.iter().map(|&row| templates[row]).collect();
            let fit = CostFit::new(train, if anew { choose(train, &of_rows) } else { setting });
            let design = &design;
            move |row| fit.predict(design, row)
        })
    };
    let of_templates = predicted(&by_template, by_template.len() <= CHOSEN_ANEW);
    let of_programs = predicted(&by_program, false);
    let long: Vec<usize> = long_programs(&design);
    let null_predictions: Vec<(NullResult, Vec<f64>)> = NullModel::of(&wish.response)
        .iter()
        .map(|null| null_result(*null, &design, &by_program, &by_template, &long))
        .collect();
    let best = null_predictions
        .iter()
        .min_by(|a, b| a.0.template_error.median.total_cmp(&b.0.template_error.median));
    let of_joules = matches!(wish.response, Response::Energy { .. });
    let verdict = match best {
        Some((null, of_null)) => {
            Verdict::new(&of_templates, (&null.formula, of_null), &design.response, &by_template, of_joules)
        }
        None => return Err(Error::TooFew { programs: 0, templates: 0, response: wish.response.name() }),
    };
    let drawing = fit.drawing();
    // What an execution takes was measured where there are times; what energy it takes was not.
    let is_known = fit.is_measured && !of_joules;
    let (of_start, of_costs) = cost_intervals(&fit, &drawing, &by_template, design.len(), DRAWS, is_known);
    let fitted: Vec<f64> = (0..design.len()).map(|row| fit.predict(&design, row)).collect();
    let executions = || design.executions.iter().copied();
    Ok(Model {
        schema_version: Model::SCHEMA_VERSION,
        opmeter_version: opmeter_version.to_owned(),
        response: wish.response.name().to_owned(),
        measure: observations.measure.clone(),
        unit: wish.response.unit().to_owned(),
        cost_unit: format!("n{}", wish.response.unit()),
        clock: match wish.response {
            Response::Time(clock) => Some(clock),
            Response::Energy { .. } => None::<Clock>,
        },
        domain: match &wish.response {
            Response::Energy { domain } => domain.clone(),
            Response::Time(_) => None,
        },
        net: observations.net,
        interpreter: observations.interpreter.clone(),
        machines: observations.machines(),
        features: if wish.terms == Terms::Base { "base" } else { "executed" }.to_owned(),
        start: setting.intercept.then_some(Estimate {
            value: fit.intercept,
            low: of_start.0,
            high: of_start.1,
        }),
        costs: costs(&fit, &drawing, &of_costs, &features, &design, &fitted),
        common_cost: fit.common * NANO,
        by_measured_times: fit.is_measured,
        ridge: setting.ridge,
        confidence: CONFIDENCE,
        program_error: HeldOutError::of(&of_programs, &design.response),
        template_error: HeldOutError::of(&of_templates, &design.response),
        long_template_error: error_of(&long, &of_templates, &design),
        null_models: null_predictions.into_iter().map(|(null, _)| null).collect(),
        verdict,
        prediction: prediction_interval(&of_templates, &design.response),
        executions: (executions().fold(f64::INFINITY, f64::min), executions().fold(0.0, f64::max)),
        programs: model_programs(programs, &fitted, &of_templates),
        warnings: observations.warnings.clone(),
        skipped: observations
            .skipped
            .iter()
            .chain(&observations.of_others)
            .map(|left| LeftOut { path: left.path.display().to_string(), reason: left.reason.clone() })
            .collect(),
    })
}

/// Programs that take more than twice what a program takes to start, which the null model tells.
fn long_programs(design: &Design) -> Vec<usize> {
    let start = NullModel::StartAndPerExecution.fit(design).intercept;
    (0..design.len()).filter(|&row| design.response[row] > LONG * start).collect()
}

/// The error of some of the programs; none where there are too few, or where these are all.
fn error_of(rows: &[usize], predicted: &[f64], design: &Design) -> Option<HeldOutError> {
    let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let some = rows.len() >= LEAST_PROGRAMS && rows.len() < design.len();
    some.then(|| HeldOutError::of(&of(predicted), &of(&design.response)))
}

fn null_result(
    null: NullModel,
    design: &Design,
    by_program: &[Vec<usize>],
    by_template: &[Vec<usize>],
    long: &[usize],
) -> (NullResult, Vec<f64>) {
    let predicted = |folds| {
        held_out(design, folds, |train, _| {
            let fit = null.fit(train);
            move |row| fit.predict(design, row)
        })
    };
    let (of_programs, of_templates) = (predicted(by_program), predicted(by_template));
    let fit = null.fit(design);
    let scale = if null == NullModel::PerSecond { 1.0 } else { NANO };
    let result = NullResult {
        model: null,
        formula: null.formula().to_owned(),
        start: fit.intercept,
        slope: fit.slope * scale,
        program_error: HeldOutError::of(&of_programs, &design.response),
        template_error: HeldOutError::of(&of_templates, &design.response),
        long_template_error: error_of(long, &of_templates, design),
    };
    (result, of_templates)
}

fn costs(
    fit: &CostFit,
    drawing: &Drawing,
    intervals: &[(f64, f64)],
    features: &Features,
    design: &Design,
    fitted: &[f64],
) -> Vec<Cost> {
    let rows = design.len();
    let each = features.list.iter().enumerate().map(|(column, feature)| {
        let (cost, from) = (fit.costs[column], drawing.from_rows[column]);
        let (low, high) = intervals[column];
        let count = |row: usize| design.features[(row, column)];
        let parts = (0..rows).map(|row| cost * count(row) / fitted[row]);
        let shares = || (0..rows).map(|row| count(row) / design.executions[row]);
        Cost {
            name: feature.name.clone(),
            members: feature.members.clone(),
            cost: Estimate { value: cost * NANO, low: low * NANO, high: high * NANO },
            share: parts.sum::<f64>() / rows as f64,
            pulled_to: fit.centres[column] * NANO,
            from_programs: from,
            seen: (shares().fold(1.0, f64::min), shares().fold(0.0, f64::max)),
        }
    });
    let mut costs: Vec<Cost> = each.collect();
    costs.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.name.cmp(&b.name)));
    costs
}

/// The factors between which nine of ten measurements lie, of what was predicted.
fn prediction_interval(predicted: &[f64], measured: &[f64]) -> PredictionInterval {
    let factors: Vec<f64> = measured
        .iter()
        .zip(predicted)
        .map(|(measured, predicted)| measured / predicted)
        .filter(|f| f.is_finite())
        .collect();
    let at = |part| quantile(factors.clone(), part).unwrap_or(1.0);
    PredictionInterval {
        confidence: PREDICTED,
        low: at((1.0 - PREDICTED) / 2.0).min(1.0),
        high: at((1.0 + PREDICTED) / 2.0).max(1.0),
    }
}

fn model_programs(programs: &[Observation], fitted: &[f64], held_out: &[f64]) -> Vec<ModelProgram> {
    let each = programs.iter().zip(fitted).zip(held_out);
    each.map(|((program, fitted), held_out)| ModelProgram {
        name: program.program.clone(),
        sha256: program.sha256.clone(),
        template: program.template.clone(),
        measured: program.response,
        fitted: *fitted,
        held_out: *held_out,
    })
    .collect()
}
