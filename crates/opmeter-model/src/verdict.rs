use serde::{Deserialize, Serialize};

use crate::bootstrap::Draws;
use crate::held_out_error::relative_errors;
use crate::quantile::median;

/// How often templates are drawn to see whether a difference may be chance.
const DRAWS: usize = 1000;

/// The part of the draws that has to say the same.
const SURE: f64 = 0.95;

/// Errors are not taken to be less than this where they are compared: there may be none at all where joules are those of a
/// declared power.
const LEAST_ERROR: f64 = 1e-6;

/// Whether a model is better than one that knows nothing of opcodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is, whichever of the templates are taken.
    Better,
    /// It may be, or not, by which templates there happen to be.
    Undecided,
    /// The other is.
    Worse,
}

/// What comes of comparing a model with the best null model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it is better.
    pub standing: Standing,
    /// The null model that it is compared with, in words.
    pub null_model: String,
    /// The model's median error, divided by the null model's: templates held out.
    pub ratio: f64,
    /// In how many of all draws of templates its median error is the smaller, from 0 to 1.
    pub certainty: f64,
    /// The same in a sentence.
    pub text: String,
}

impl Verdict {
    /// Compares predictions of held-out templates with those of a null model, whose formula is given.
    pub(crate) fn new(
        predicted: &[f64],
        (formula, of_null): (&str, &[f64]),
        measured: &[f64],
        folds: &[Vec<usize>],
        of_joules: bool,
    ) -> Self {
        let (own, null) = (relative_errors(predicted, measured), relative_errors(of_null, measured));
        let of = |errors: &[f64]| median(errors.to_vec()).unwrap_or(f64::NAN);
        let mut draws = Draws::new(folds, measured.len());
        let drawn = |errors: &[f64], frequencies: &[f64]| {
            let repeated = errors.iter().zip(frequencies);
            let values = repeated.flat_map(|(error, times)| std::iter::repeat_n(*error, *times as usize));
            median(values.collect()).unwrap_or(f64::NAN)
        };
        // A draw in which both are as good says nothing for either.
        let (mut better, mut worse) = (0, 0);
        for _ in 0..DRAWS {
            let frequencies = draws.frequencies();
            let (own, null) = (drawn(&own, &frequencies), drawn(&null, &frequencies));
            better += usize::from(own < null);
            worse += usize::from(own > null);
        }
        let part = |draws: usize| draws as f64 / DRAWS as f64;
        let certainty = part(better);
        let standing = match (certainty, part(worse)) {
            (better, _) if better >= SURE => Standing::Better,
            (_, worse) if worse >= SURE => Standing::Worse,
            _ => Standing::Undecided,
        };
        let (own, null) = (of(&own), of(&null));
        let ratio = own.max(LEAST_ERROR) / null.max(LEAST_ERROR);
        let times = |ratio: f64| match ratio {
            ratio if ratio < 1.01 => "by less than 1 %".to_owned(),
            ratio if ratio < 1.1 => format!("by {:.0} %", (ratio - 1.0) * 100.0),
            ratio if ratio < 100.0 => format!("{ratio:.1} times"),
            _ => "over 100 times".to_owned(),
        };
        let said = match (standing, of_joules) {
            (Standing::Better, _) => format!("better, {}", times(1.0 / ratio)),
            (Standing::Undecided, false) => "no difference that could not be chance".to_owned(),
            (Standing::Worse, false) => format!("worse, {}: use the simpler one", times(ratio)),
            (Standing::Undecided, true) => {
                "no difference that could not be chance: joules are not known to be more than watts × seconds here"
                    .to_owned()
            }
            (Standing::Worse, true) => {
                format!("worse, {}: joules are only watts × seconds here", times(ratio))
            }
        };
        let text = format!(
            "costs per opcode predict programs of templates that were held out to {:.1} % (median), {formula} to \
             {:.1} %: {said}",
            own * 100.0,
            null * 100.0
        );
        Self { standing, null_model: formula.to_owned(), ratio, certainty, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_better_by_chance_is_undecided() {
        let measured = vec![1.0; 20];
        let folds: Vec<Vec<usize>> = (0..20).map(|row| vec![row]).collect();
        let verdict =
            |own: &[f64], null: &[f64]| Verdict::new(own, ("watts × seconds", null), &measured, &folds, true);
        let spread = |size: f64| -> Vec<f64> { (0..20).map(|n| 1.0 + size * f64::from(n) / 20.0).collect() };
        let better = verdict(&spread(0.01), &spread(0.3));
        assert_eq!(better.standing, Standing::Better);
        assert!(better.text.contains("better, 30.0 times"), "{}", better.text);
        let worse = verdict(&spread(0.3), &spread(0.01));
        assert_eq!(worse.standing, Standing::Worse);
        assert!(worse.text.contains("joules are only watts × seconds here"), "{}", worse.text);
        let exact = verdict(&spread(0.3), &[1.0; 20]);
        assert!(exact.ratio.is_finite() && exact.text.contains("worse, over 100 times"), "{}", exact.text);
        // As good in every draw is neither better nor worse.
        assert_eq!(verdict(&spread(0.3), &spread(0.3)).standing, Standing::Undecided);
        let little = verdict(&spread(0.302), &spread(0.3));
        assert!(little.text.contains("worse, by less than 1 %"), "{}", little.text);
        let mut turned = spread(0.3);
        turned.reverse();
        assert_eq!(verdict(&turned, &spread(0.3)).standing, Standing::Undecided);
    }
}
