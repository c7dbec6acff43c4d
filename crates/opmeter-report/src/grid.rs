use std::io::{self, Write};

use crate::Style;
use crate::number::{counted, grouped, percent};
use crate::terminal_text::{cut_start, left, right, width};

/// What stands between columns.
pub(crate) const GAP: &str = "  ";
/// The bars' narrowest column.
pub(crate) const LEAST_BAR: usize = 4;
/// The bars' widest and narrowest column.
const BAR: (usize, usize) = (20, LEAST_BAR);

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    cells: Cells,
    faint: bool,
}

#[derive(Debug, Clone, Copy)]
enum Cells {
    /// Aligned to the right, and never cut.
    Number,
    /// Aligned to the left, and cut to this width at the narrowest.
    Name { narrowest: usize, at_start: bool },
}

impl Column {
    /// A column of numbers.
    pub(crate) const fn number(name: &'static str) -> Column {
        Column { name, cells: Cells::Number, faint: false }
    }

    /// A column of names, which are cut at their end where there is no room, down to `narrowest`. The
    /// table has none where all its cells are empty.
    pub(crate) const fn name(name: &'static str, narrowest: usize) -> Column {
        Column { name, cells: Cells::Name { narrowest, at_start: false }, faint: false }
    }

    /// A column of places, which are cut at their start: the end of a path says most.
    pub(crate) const fn place(name: &'static str, narrowest: usize) -> Column {
        Column { name, cells: Cells::Name { narrowest, at_start: true }, faint: false }
    }

    /// The column with its cells in the colour of what matters less.
    pub(crate) const fn faint(self) -> Column {
        Column { faint: true, ..self }
    }

    /// What stands above it.
    pub(crate) const fn heading(&self) -> &'static str {
        self.name
    }

    fn shown(&self, cell: &str, columns: usize) -> String {
        match self.cells {
            Cells::Number => right(cell, columns),
            Cells::Name { at_start: false, .. } => left(cell, columns),
            Cells::Name { at_start: true, .. } => left(&cut_start(cell, columns), columns),
        }
    }
}

/// A row of a table: a cell for each column, fit to be shown, and the length of its bar, from 0 to 1.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cells: Vec<String>,
    pub(crate) bar: f64,
}

/// A table that fits a terminal.
#[derive(Debug)]
pub(crate) struct Grid {
    /// Its columns; where names have to be cut, the widest are cut first.
    pub(crate) columns: Vec<Column>,
    /// Whether rows end with a bar, if there is room.
    pub(crate) bars: bool,
}

impl Grid {
    /// Writes the names of the columns and the rows, in at most `room` columns of the terminal.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        rows: &[Row],
        room: usize,
        style: Style,
    ) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let natural = self.columns.iter().enumerate().map(|(place, column)| {
            let widest = rows.iter().map(|row| width(&row.cells[place])).max().unwrap_or(0);
            let absent = widest == 0 && matches!(column.cells, Cells::Name { .. });
            (!absent).then_some(widest.max(column.name.len()))
        });
        let (widths, bar) = self.fitted(natural.collect(), room);
        let line = |cell: &dyn Fn(usize) -> String, paint: bool| {
            let shown = self.columns.iter().enumerate().filter_map(|(place, column)| {
                let text = column.shown(&cell(place), widths[place]?);
                Some(if paint && column.faint { style.faint(&text) } else { text })
            });
            shown.collect::<Vec<String>>().join(GAP)
        };
        let names = line(&|place| self.columns[place].name.to_owned(), false);
        writeln!(out, "{}", style.heading(names.trim_end()))?;
        for row in rows {
            let mut line = line(&|place| row.cells[place].clone(), true);
            let bar = bar_of(row.bar, bar);
            if bar.is_empty() {
                line.truncate(line.trim_end().len());
            } else {
                line = line + GAP + &style.bar(&bar);
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// Fits columns of these natural widths, and the bars', into a terminal's.
    fn fitted(&self, mut widths: Vec<Option<usize>>, room: usize) -> (Vec<Option<usize>>, usize) {
        let count = widths.iter().flatten().count();
        let gaps = GAP.len() * if self.bars { count } else { count.saturating_sub(1) };
        let all: usize = widths.iter().flatten().sum::<usize>() + gaps;
        let least = if self.bars { BAR.1 } else { 0 };
        let mut excess = (all + least).saturating_sub(room);
        while excess > 0 {
            let names =
                widths.iter_mut().zip(&self.columns).filter_map(|(width, column)| match column.cells {
                    Cells::Name { narrowest, .. } => width.as_mut().filter(|width| **width > narrowest),
                    Cells::Number => None,
                });
            let Some(widest) = names.reduce(|one, other| if *other > *one { other } else { one }) else {
                break;
            };
            *widest -= 1;
            excess -= 1;
        }
        let all: usize = widths.iter().flatten().sum::<usize>() + gaps;
        let bar = if self.bars { room.saturating_sub(all).min(BAR.0) } else { 0 };
        (widths, if bar < BAR.1 { 0 } else { bar })
    }
}

/// Writes a line about the rows that a table leaves out, if there are any: how many there are (of `one`,
/// or `many`), and the part that their executions are of all.
pub(crate) fn write_rest(
    out: &mut dyn Write,
    (rows, one, many): (usize, &str, &str),
    executions: u128,
    all: u128,
    style: Style,
) -> io::Result<()> {
    if rows == 0 {
        return Ok(());
    }
    let share = executions as f64 / all as f64;
    let noun = if executions == 1 { "execution" } else { "executions" };
    let rows = counted(rows, &format!("more {one}"), &format!("more {many}"));
    let line = format!("… {rows}, {} {noun} ({} %)", grouped(executions), percent(share));
    writeln!(out, "{}", style.faint(&line))
}

/// A bar of `part` (0 to 1) of `columns`, to an eighth of a column.
fn bar_of(part: f64, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part * (columns * 8) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_eighths_of_a_column() {
        assert_eq!(bar_of(1.0, 4), "████");
        assert_eq!(bar_of(0.5, 5), "██▌");
        assert_eq!(bar_of(0.0, 5), "");
        assert_eq!(bar_of(1.0, 0), "");
    }

    #[test]
    fn columns_fit_a_terminal() {
        let columns = vec![Column::name("one", 24), Column::name("two", 14), Column::number("count")];
        let grid = Grid { columns, bars: true };
        for (one, two, count) in [(10, None, 10), (37, Some(17), 40), (45, Some(25), 52), (60, Some(40), 10)]
        {
            let (widths, bar) = grid.fitted(vec![Some(one), two, Some(count)], 100);
            let all: usize = widths.iter().flatten().map(|width| width + GAP.len()).sum();
            assert!(all + bar <= 100, "{widths:?}");
            assert!(bar == 0 || bar >= BAR.1, "{widths:?}");
        }
        // Names are cut only when the bar can give no more, and the widest first.
        let fitted = grid.fitted(vec![Some(37), Some(17), Some(37)], 100);
        assert_eq!(fitted, (vec![Some(36), Some(17), Some(37)], BAR.1));
        let fitted = grid.fitted(vec![Some(30), Some(5000), Some(10)], 100);
        assert_eq!(fitted, (vec![Some(30), Some(50), Some(10)], BAR.1));
    }
}
