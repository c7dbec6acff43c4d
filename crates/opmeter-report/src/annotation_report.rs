use std::io::{self, Write};

use opmeter_analysis::{Annotation, CodeObject, LineCount, TimeSum};

use crate::file_label::{file_label, place_label};
use crate::heading::EXECUTIONS;
use crate::number::{grouped, milliseconds, percent};
use crate::terminal_text::{cut, right, visible, width};
use crate::{Page, SourceText};

const GAP: &str = "  ";
const EXECUTIONS_NAME: &str = "executions";
const SHARE: &str = "share %";
const TIME: &str = "net ms";
const TIME_SHARE: &str = "time %";
const HITS: &str = "hits";
const LINE: &str = "line";
/// Spaces between the tabulator stops of a source.
const TABULATOR: usize = 8;

/// The widths of the columns of numbers.
struct Widths {
    executions: usize,
    /// None where no times were taken.
    time: Option<usize>,
    hits: usize,
    line: usize,
}

/// What stands before a line's text.
#[derive(Default)]
struct Numbers {
    executions: String,
    time: String,
    share: String,
    hits: String,
    line: String,
}

impl Page<'_> {
    /// Writes the source of a file or function with its counts beside each line, and with `bytecode` the
    /// instructions below each.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write_annotation(
        &self,
        annotation: &Annotation,
        source: &SourceText,
        bytecode: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.begin(out, &annotation.totals, EXECUTIONS)?;
        writeln!(out, "{}\n", self.style.heading(&self.title(annotation)))?;
        let widths = Widths::of(annotation, source, bytecode);
        let names = Numbers {
            executions: EXECUTIONS_NAME.to_owned(),
            time: TIME.to_owned(),
            share: if widths.time.is_some() { TIME_SHARE } else { SHARE }.to_owned(),
            hits: HITS.to_owned(),
            line: LINE.to_owned(),
        };
        writeln!(out, "{}", self.style.heading(&self.row(&widths, &names, "")))?;
        let part = |line: &LineCount| share(annotation, line.executions, line.time);
        let hottest = annotation.lines.values().map(part).fold(0.0, f64::max);
        for number in shown_lines(annotation, source) {
            let text = text_of(source, number);
            let Some(line) = annotation.lines.get(&number) else {
                let numbers = Numbers { line: number.to_string(), ..Numbers::default() };
                writeln!(out, "{}", self.row(&widths, &numbers, &text))?;
                continue;
            };
            let numbers = Numbers {
                executions: grouped(line.executions),
                time: milliseconds(line.time.unwrap_or_default().ns_net),
                share: percent(part(line)),
                hits: grouped(line.hits),
                line: if number == 0 { "none".to_owned() } else { number.to_string() },
            };
            let row = self.row(&widths, &numbers, &text);
            let time = widths.time.map_or(0, |time| GAP.len() + time);
            let hot = widths.executions + time + GAP.len() + SHARE.len();
            let part = if hottest > 0.0 { part(line) / hottest } else { 0.0 };
            // The numbers are all ASCII.
            writeln!(out, "{}{}", self.style.heat(part, &row[..hot]), &row[hot..])?;
            if bytecode {
                self.write_bytecode(annotation, line, &widths, out)?;
            }
        }
        let mut warnings = Vec::new();
        warnings.extend(source.warning.clone());
        self.warn(out, &warnings)?;
        self.end(out)
    }

    /// What is shown, and how much of everything it ran.
    fn title(&self, annotation: &Annotation) -> String {
        let directory = &self.manifest.directory;
        let target = &annotation.target;
        let name = match &target.function {
            None => file_label(&target.file, directory),
            Some((function, line)) => {
                format!("{} · {}", visible(function), place_label(&target.file, *line, directory))
            }
        };
        let executions = grouped(annotation.executions);
        let share = percent(annotation.totals.share(annotation.executions));
        let noun = if annotation.executions == 1 { EXECUTIONS.0 } else { EXECUTIONS.1 };
        let facts = format!(" · {executions} {noun} ({share} %)");
        cut(&name, self.columns.saturating_sub(width(&facts))) + &facts
    }

    fn row(&self, widths: &Widths, numbers: &Numbers, text: &str) -> String {
        let mut cells = vec![right(&numbers.executions, widths.executions)];
        cells.extend(widths.time.map(|time| right(&numbers.time, time)));
        cells.push(right(&numbers.share, SHARE.len()));
        cells.push(right(&numbers.hits, widths.hits));
        cells.push(right(&numbers.line, widths.line));
        let row = cells.join(GAP) + GAP;
        let text = cut(text, self.columns.saturating_sub(row.len()));
        let row = row + &text;
        let trimmed = row.trim_end();
        trimmed.to_owned()
    }

    fn write_bytecode(
        &self,
        annotation: &Annotation,
        line: &LineCount,
        widths: &Widths,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for code in &line.code {
            if line.code.len() > 1 {
                let name = format!("    {}", visible(&code.function));
                let row = self.row(widths, &Numbers::default(), &name);
                writeln!(out, "{}", self.style.faint(&row))?;
            }
            self.write_instructions(annotation, code, widths, out)?;
        }
        Ok(())
    }

    fn write_instructions(
        &self,
        annotation: &Annotation,
        code: &CodeObject,
        widths: &Widths,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for instruction in &code.instructions {
            let numbers = Numbers {
                executions: grouped(instruction.executions),
                time: milliseconds(instruction.time.unwrap_or_default().ns_net),
                share: percent(share(annotation, instruction.executions, instruction.time)),
                ..Numbers::default()
            };
            let opcode = visible(&instruction.opcode);
            let text = format!("    {:>6}  {opcode:<28}  {}", instruction.offset, instruction.argument);
            writeln!(out, "{}", self.style.faint(&self.row(widths, &numbers, &text)))?;
        }
        Ok(())
    }
}

impl Widths {
    fn of(annotation: &Annotation, source: &SourceText, bytecode: bool) -> Widths {
        let lines = || annotation.lines.values();
        let instructions = lines()
            .flat_map(|line| &line.code)
            .flat_map(|code| &code.instructions)
            .filter(|_| bytecode)
            .map(|instruction| instruction.executions);
        let widest = |most: Option<u128>, name: &str| grouped(most.unwrap_or(0)).len().max(name.len());
        let last = shown_lines(annotation, source).last().copied().unwrap_or(0);
        Widths {
            executions: widest(
                lines().map(|line| line.executions).chain(instructions).max(),
                EXECUTIONS_NAME,
            ),
            time: annotation.totals.time.map(|_| {
                let most = lines().filter_map(|line| line.time).map(|time| time.ns_net).max();
                milliseconds(most.unwrap_or(0)).len().max(TIME.len())
            }),
            hits: widest(lines().map(|line| line.hits).max(), HITS),
            line: last.to_string().len().max(LINE.len()),
        }
    }
}

/// The part of all time, where times were taken, or else of all executions.
fn share(annotation: &Annotation, executions: u128, time: Option<TimeSum>) -> f64 {
    match annotation.totals.time {
        Some(all) => time.unwrap_or_default().share_of(&all),
        None => annotation.totals.share(executions),
    }
}

/// The numbers of the lines to show: all of the text, or only those with counts where there is no text.
fn shown_lines(annotation: &Annotation, source: &SourceText) -> Vec<u32> {
    let mut numbers: Vec<u32> = annotation.lines.keys().copied().collect();
    if let Some(lines) = &source.lines {
        let end = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let (first, last) =
            annotation.range.as_ref().map_or((1, end), |range| (*range.start(), *range.end()));
        numbers.extend(first..=last.min(end));
        numbers.sort_unstable();
        numbers.dedup();
    }
    numbers
}

/// A line's text, fit to be shown; empty where there is none.
fn text_of(source: &SourceText, number: u32) -> String {
    let place = (number as usize).checked_sub(1);
    let line = source.lines.as_ref().zip(place).and_then(|(lines, place)| lines.get(place));
    let mut text = String::new();
    for c in line.map(String::as_str).unwrap_or_default().chars() {
        match c {
            '\t' => text.push_str(&" ".repeat(TABULATOR - width(&text) % TABULATOR)),
            // A page break: white space in a source.
            '\u{c}' => {}
            c => text.push_str(&visible(c.encode_utf8(&mut [0; 4]))),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Style;

    #[test]
    fn sources_are_shown_without_what_steers_a_terminal() {
        let lines = Some(vec!["\tx = '\u{1b}[31m'\u{c}".to_owned(), "a\tb".to_owned()]);
        let source = SourceText { lines, warning: None };
        assert_eq!(text_of(&source, 1), "        x = '\\u{1b}[31m'");
        assert_eq!(text_of(&source, 2), "a       b");
        assert_eq!(text_of(&source, 3), "");
        assert_eq!(text_of(&source, 0), "");
    }

    #[test]
    fn the_hottest_lines_have_colours() {
        let style = Style { colour: true };
        assert_ne!(style.heat(1.0, "1"), style.heat(0.01, "1"));
        assert_eq!(Style::PLAIN.heat(1.0, "1"), "1");
    }
}
