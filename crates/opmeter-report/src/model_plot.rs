use std::io::{self, Write};

use opmeter_model::{Cost, Model};

use crate::svg::{Anchor, Svg};

const GREY: &str = "#bbbbbb";
const BLUE: &str = "#1f5fa8";
const BLACK: &str = "#333333";

/// The square in which predictions are drawn: its left and upper edge, and its side.
const SQUARE: (f64, f64, f64) = (80.0, 50.0, 420.0);
/// Where costs are drawn: the left and the right end, and the height of each.
const COSTS: (f64, f64, f64) = (800.0, 1160.0, 17.0);
/// The most costs that are drawn.
const TOP: usize = 40;

/// The part of the largest cost that is told from 0.
const LEAST_PART: f64 = 1e-6;

/// Writes a drawing of a model as SVG: programs of held-out templates, predicted against measured, with the line on which
/// both are the same; and the costs with their intervals.
///
/// # Errors
/// Whatever `out` gives.
pub fn write_model_plot(model: &Model, out: &mut dyn Write) -> io::Result<()> {
    let shown = &model.costs[..model.costs.len().min(TOP)];
    let height = (SQUARE.1 + SQUARE.2 + 60.0).max(SQUARE.1 + COSTS.2 * shown.len() as f64 + 60.0);
    let mut svg = Svg::new(1200.0, height);
    draw_predictions(model, &mut svg);
    draw_costs(model, shown, &mut svg);
    out.write_all(svg.finish().as_bytes())
}

/// A logarithmic axis, on the page.
struct Axis {
    least: f64,
    most: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// An axis that values lie on, in whole powers of ten.
    fn of(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let logarithms = values.filter(|value| *value > 0.0 && value.is_finite()).map(f64::log10);
        let (least, most) = logarithms.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        let (least, most) = if least <= most { (least.floor(), most.ceil()) } else { (0.0, 1.0) };
        Self { least, most: most.max(least + 1.0), start, end }
    }

    fn place(&self, value: f64) -> f64 {
        let logarithm = value.log10().clamp(self.least, self.most);
        self.start + (logarithm - self.least) / (self.most - self.least) * (self.end - self.start)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        (self.least as i32..=self.most as i32).map(|power| 10f64.powi(power))
    }
}

fn draw_predictions(model: &Model, svg: &mut Svg) {
    let (left, top, side) = SQUARE;
    let values = || model.programs.iter().flat_map(|program| [program.measured, program.held_out]);
    let across = Axis::of(values(), left, left + side);
    let up = Axis::of(values(), top + side, top);
    for power in across.powers() {
        let (x, y) = (across.place(power), up.place(power));
        svg.line((x, top), (x, top + side), GREY);
        svg.line((left, y), (left + side, y), GREY);
        svg.text((x, top + side + 18.0), Anchor::Middle, &format!("{power}"));
        svg.text((left - 8.0, y + 4.0), Anchor::End, &format!("{power}"));
    }
    svg.line((left, top + side), (left + side, top), BLACK);
    for program in &model.programs {
        let title = format!(
            "{}: measured {:.4} {unit}, predicted {:.4} {unit}",
            program.name,
            program.measured,
            program.held_out,
            unit = model.unit
        );
        svg.point((across.place(program.measured), up.place(program.held_out)), BLUE, &title);
    }
    let title = format!("{} in {}, templates held out", model.measure, model.unit);
    svg.text((left, top - 28.0), Anchor::Start, &title);
    svg.text(
        (left, top - 12.0),
        Anchor::Start,
        &format!("up: predicted, median error {:.1} %", model.template_error.median * 100.0),
    );
    svg.text((left + side / 2.0, top + side + 38.0), Anchor::Middle, "measured");
}

fn draw_costs(model: &Model, shown: &[Cost], svg: &mut Svg) {
    let (left, right, step) = COSTS;
    let top = SQUARE.1;
    let values = || shown.iter().flat_map(|cost| [cost.cost.value, cost.cost.high]);
    // What is 0 lies at the left end, as what is next to nothing beside the largest does.
    let largest = values().fold(f64::MIN_POSITIVE, f64::max);
    let axis = Axis::of(values().filter(|value| *value > largest * LEAST_PART), left, right);
    let bottom = top + step * shown.len() as f64;
    for power in axis.powers() {
        svg.line((axis.place(power), top), (axis.place(power), bottom), GREY);
        let or_less = if axis.place(power) <= left { "≤ " } else { "" };
        svg.text((axis.place(power), bottom + 18.0), Anchor::Middle, &format!("{or_less}{power}"));
    }
    for (place, cost) in shown.iter().enumerate() {
        let y = top + step * (place as f64 + 0.5);
        svg.text((left - 10.0, y + 4.0), Anchor::End, &cost.name);
        svg.line((axis.place(cost.cost.low), y), (axis.place(cost.cost.high), y), BLUE);
        let title = format!(
            "{}: {:.2} {unit} ({:.2} to {:.2})",
            cost.members.join(", "),
            cost.cost.value,
            cost.cost.low,
            cost.cost.high,
            unit = model.cost_unit
        );
        svg.point((axis.place(cost.cost.value), y), BLUE, &title);
    }
    let title = format!("fitted {} of an execution, 95 % intervals", model.cost_unit);
    svg.text((left - 10.0, top - 28.0), Anchor::Start, &title);
    svg.text(
        (left - 10.0, top - 12.0),
        Anchor::Start,
        &format!("{} costs with the largest shares of {}", shown.len(), model.costs.len()),
    );
}
