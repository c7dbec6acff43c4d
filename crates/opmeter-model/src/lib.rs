//! Costs per opcode, fitted to what many programs took: seconds or joules of their runs without the agent.
//!
//! [`Observations`] are the results of one interpreter that can be used, [`fit()`] makes a [`Model`] of them: costs that
//! are not negative, with their intervals, the errors of programs that were held out, and those of models that know
//! nothing of opcodes beside them. A [`Prediction`] is what a model says of another program. How all this is done, and
//! what it is worth, is told in `docs/model.md`.

mod bootstrap;
mod cost_fit;
mod cost_intervals;
mod cross_validation;
mod design;
mod error;
mod features;
mod fit;
mod grouping;
mod held_out_error;
mod measured;
mod measured_costs;
mod model;
mod nnls;
mod null_model;
mod observation;
mod observations;
mod possible_range;
mod prediction;
mod quantile;
#[cfg(test)]
mod recovery;
mod relative_fit;
mod response;
mod template;
mod verdict;

pub use error::Error;
pub use features::{Feature, Features, OTHER};
pub use fit::{LEAST_PROGRAMS, LEAST_TEMPLATES, fit};
pub use held_out_error::HeldOutError;
pub use model::{Cost, Estimate, LeftOut, Model, ModelProgram, NullResult, PredictionInterval};
pub use null_model::NullModel;
pub use observation::Observation;
pub use observations::{Observations, Wish};
pub use prediction::Prediction;
pub use response::{Clock, Response};
pub use verdict::{Standing, Verdict};
