use std::io::{self, Write};

use opmeter_model::{Cost, Estimate, HeldOutError, Model};

use crate::grid::{Column, Grid, Row};
use crate::number::{counted, significant};
use crate::terminal_text::{visible, wrapped};
use crate::{Page, Style};

/// The word before a warning.
const WARNING: &str = "warning:";

/// Writes a model: its costs with their intervals, at most `top` of them, how well it predicts programs that were held
/// out, and models that know nothing of opcodes beside it.
///
/// # Errors
/// Whatever `out` gives.
pub fn write_model(model: &Model, top: usize, style: Style, out: &mut dyn Write) -> io::Result<()> {
    heading(model, style, out)?;
    writeln!(out)?;
    write_costs(model, top, style, out)?;
    writeln!(out)?;
    write_errors(model, style, out)?;
    writeln!(out)?;
    write_wrapped(&model.verdict.text, "", out)?;
    let alike = model.costs.iter().take(top).filter(|cost| cost.members.len() > 1);
    for (place, cost) in alike.enumerate() {
        if place == 0 {
            writeln!(out)?;
        }
        let others = cost.members.iter().filter(|member| **member != cost.name);
        let others: Vec<&str> = others.map(String::as_str).collect();
        let said = match cost.name.as_str() {
            opmeter_model::OTHER => {
                format!("{}: each is less than 0.1 % of every program: {}", cost.name, others.join(", "))
            }
            name => format!("{name} can't be told from {}: one cost for each of them", others.join(", ")),
        };
        write_wrapped(&said, "    ", out)?;
    }
    for warning in &model.warnings {
        writeln!(out)?;
        let lines = wrapped(visible(warning).split_whitespace(), " ", Page::COLUMNS - WARNING.len() - 1);
        let indent = " ".repeat(WARNING.len() + 1);
        writeln!(out, "{} {}", style.warning(WARNING), lines.join(&format!("\n{indent}")))?;
    }
    Ok(())
}

fn heading(model: &Model, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut templates: Vec<&str> = model.programs.iter().map(|program| program.template.as_str()).collect();
    templates.sort_unstable();
    templates.dedup();
    let title = format!("{} per {} opcode, fitted", model.measure, model.features);
    writeln!(out, "{}", style.heading(&visible(&title)))?;
    let machines = model.machines.iter().map(|machine| format!("{} ({})", machine.hostname, machine.cpu));
    let mut facts = vec![
        visible(&model.interpreter),
        counted(model.programs.len(), "program", "programs"),
        counted(templates.len(), "template", "templates"),
        format!("ridge {}", significant(model.ridge, model.ridge)),
    ];
    facts.extend(machines.map(|machine| visible(&machine)));
    for line in wrapped(facts.iter().map(String::as_str), " · ", Page::COLUMNS) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn write_costs(model: &Model, top: usize, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let columns = vec![
        Column::name("opcode", 16),
        Column::number(if model.unit == "s" { "fitted ns each" } else { "fitted nJ each" }),
        Column::number("95 % interval"),
        Column::number("share %"),
        Column::number("by runs %"),
    ];
    let start = model.start.map(|start| {
        let scaled = |value: f64| value * 1e9;
        let start = Estimate { value: scaled(start.value), low: scaled(start.low), high: scaled(start.high) };
        let parts = model.programs.iter().map(|program| start.value / 1e9 / program.fitted);
        let share = parts.sum::<f64>() / model.programs.len() as f64;
        row("(start of a process)".to_owned(), &start, share, None)
    });
    let rows: Vec<Row> = start
        .into_iter()
        .chain(model.costs.iter().take(top).map(|cost| row(label(cost), &cost.cost, cost.share, Some(cost))))
        .collect();
    Grid { columns, bars: true }.write(out, &rows, Page::COLUMNS, style)?;
    if model.costs.len() > top {
        let rest = &model.costs[top..];
        let share: f64 = rest.iter().map(|cost| cost.share).sum();
        let more = counted(rest.len(), "more cost", "more costs");
        writeln!(out, "{}", style.faint(&format!("… {more} ({:.2} % of all)", share * 100.0)))?;
    }
    let said = if model.by_measured_times {
        "by runs: how much of a cost the runs decided; the rest is what metered runs measured, scaled"
            .to_owned()
    } else {
        let common = significant(model.common_cost, model.common_cost);
        format!(
            "by runs: how much of a cost the runs decided; the rest is a common cost, {common} {} (`opmeter measure \
             --time` tells more)",
            model.cost_unit
        )
    };
    for line in wrapped(said.split_whitespace(), " ", Page::COLUMNS) {
        writeln!(out, "{}", style.faint(&line))?;
    }
    let (known, all) = model.known_costs();
    let said = format!("{known} of the {all} costs of 1 % or more are known to within 10 %");
    writeln!(out, "{}", style.faint(&said))
}

/// A cost's name, and how many others are in it.
fn label(cost: &Cost) -> String {
    let others = cost.members.len() - usize::from(cost.members.contains(&cost.name));
    if others == 0 { cost.name.clone() } else { format!("{} +{others}", cost.name) }
}

fn row(name: String, estimate: &Estimate, share: f64, cost: Option<&Cost>) -> Row {
    let like = estimate.value.max(estimate.high / 10.0);
    let shown = |value: f64| significant(value, like);
    let cells = vec![
        visible(&name),
        shown(estimate.value),
        format!("{} – {}", shown(estimate.low), shown(estimate.high)),
        format!("{:.2}", share * 100.0),
        cost.map_or(String::new(), |cost| format!("{:.0}", cost.from_programs * 100.0)),
    ];
    Row { cells, bar: share.clamp(0.0, 1.0) }
}

fn write_errors(model: &Model, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let columns = vec![
        Column::name("error of programs held out, %", 30),
        Column::number("one by one"),
        Column::number("nine of ten"),
        Column::number("by template"),
        Column::number("nine of ten"),
        Column::number("long ones"),
    ];
    let percent = |error: f64| significant(error * 100.0, (error * 100.0).clamp(10.0, 999.0));
    let row = |name: &str, one: &HeldOutError, template: &HeldOutError, long: Option<&HeldOutError>| Row {
        cells: vec![
            name.to_owned(),
            percent(one.median),
            percent(one.percentile_90),
            percent(template.median),
            percent(template.percentile_90),
            long.map_or_else(|| "-".to_owned(), |long| percent(long.median)),
        ],
        bar: 0.0,
    };
    let own = row(
        "costs per opcode",
        &model.program_error,
        &model.template_error,
        model.long_template_error.as_ref(),
    );
    let nulls = model.null_models.iter().map(|null| {
        row(&null.formula, &null.program_error, &null.template_error, null.long_template_error.as_ref())
    });
    let rows: Vec<Row> = std::iter::once(own).chain(nulls).collect();
    Grid { columns, bars: false }.write(out, &rows, Page::COLUMNS, style)?;
    if model.long_template_error.is_some() {
        let said =
            "long ones: by template, the median of programs that take more than twice what a start does";
        writeln!(out, "{}", style.faint(said))?;
    }
    Ok(())
}

/// Writes a sentence in lines that fit.
pub(crate) fn write_wrapped(text: &str, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = visible(text);
    let options = textwrap::Options::new(Page::COLUMNS).subsequent_indent(indent);
    textwrap::wrap(&text, options).iter().try_for_each(|line| writeln!(out, "{line}"))
}
