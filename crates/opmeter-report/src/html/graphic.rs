use maud::{Markup, html};

/// How many steps the scale of colours has above nothing.
const STEPS: f64 = 9.0;

/// A bar of a part of the cell's width, from 0 to 1. The number beside it says the same.
pub(crate) fn bar(part: f64) -> Markup {
    stacked_bar(&[(part, "bar")])
}

/// Bars one after the other, each a part of the cell's width and the class that gives it its colour.
pub(crate) fn stacked_bar(parts: &[(f64, &str)]) -> Markup {
    let mut at = 0.0;
    let parts: Vec<(f64, f64, &str)> = parts
        .iter()
        .map(|&(part, class)| {
            let part = if part.is_finite() { part.clamp(0.0, 1.0 - at) } else { 0.0 };
            at += part;
            (at - part, part, class)
        })
        .collect();
    html! {
        svg.bars aria-hidden="true" {
            @for (from, part, class) in parts {
                @if part > 0.0 {
                    rect.(class) x=(percentage(from)) width=(percentage(part)) height="100%" {}
                }
            }
        }
    }
}

/// Bars below each other, each from 0 to 1, in the colours of the recordings that they are of.
pub(crate) fn grouped_bars(parts: &[f64]) -> Markup {
    let height = 1.0 / parts.len().max(1) as f64;
    html! {
        svg.bars aria-hidden="true" {
            @for (place, part) in parts.iter().enumerate() {
                rect.(format!("recording-{}", place % 6)) y=(percentage(height * place as f64))
                    width=(percentage(*part)) height=(percentage(height * 0.85)) {}
            }
        }
    }
}

/// A bar from the middle of the cell: to the left of what shrank, to the right of what grew; from -1 to 1.
pub(crate) fn change_bar(part: f64) -> Markup {
    let size = if part.is_finite() { part.abs().min(1.0) / 2.0 } else { 0.0 };
    let (class, from) = if part < 0.0 { ("shrank", 0.5 - size) } else { ("grew", 0.5) };
    html! {
        svg.bars aria-hidden="true" {
            line.middle x1="50%" x2="50%" y1="0" y2="100%" {}
            @if size > 0.0 { rect.(class) x=(percentage(from)) width=(percentage(size)) height="100%" {} }
        }
    }
}

/// The step of the scale of colours, from 0 for nothing to 9 for the most. Square roots, since few things are hot.
pub(crate) fn heat(part: f64) -> u32 {
    if part > 0.0 { (part.min(1.0).sqrt() * STEPS).ceil() as u32 } else { 0 }
}

fn percentage(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_in_their_cell() {
        let markup = stacked_bar(&[(0.75, "a"), (0.5, "b"), (f64::NAN, "c")]).into_string();
        assert!(markup.contains(r#"class="a" x="0.00%" width="75.00%""#), "{markup}");
        assert!(markup.contains(r#"class="b" x="75.00%" width="25.00%""#), "{markup}");
        assert!(!markup.contains(r#"class="c""#), "{markup}");
    }

    #[test]
    fn changes_go_both_ways_from_the_middle() {
        let bar = |part| change_bar(part).into_string();
        assert!(bar(-0.5).contains(r#"class="shrank" x="25.00%" width="25.00%""#), "{}", bar(-0.5));
        assert!(bar(2.0).contains(r#"class="grew" x="50.00%" width="50.00%""#), "{}", bar(2.0));
        assert!(!bar(0.0).contains("rect") && !bar(f64::NAN).contains("rect"));
    }

    #[test]
    fn whatever_ran_has_a_colour() {
        assert_eq!([0.0, 1e-9, 0.25, 1.0, 2.0].map(heat), [0, 1, 5, 9, 9]);
    }
}
