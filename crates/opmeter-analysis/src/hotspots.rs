use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use opmeter_recording::Tables;

use crate::{CountedRow, Files, Origin, RowFilter, Shown, Totals};

/// What executions are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Lines.
    Line,
    /// Functions: code objects that are alike in file, name and first line.
    Function,
    /// Files.
    File,
}

/// A part of the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// A line of a file; 0 for what belongs to none.
    Line(Arc<str>, u32),
    /// A function: file, first line, name.
    Function(Arc<str>, u32, Arc<str>),
    /// A file.
    File(Arc<str>),
    /// All files of one origin.
    Folded(Origin),
}

/// How often a part of the source ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotspot {
    /// Which part.
    pub spot: Spot,
    /// For a line: the function that has most of its executions.
    pub function: Option<Arc<str>>,
    /// Executions of its instructions; never 0.
    pub executions: u128,
    /// For a line: how often it was entered.
    pub hits: Option<u128>,
    /// Its part of all executions that are taken, above 0 and up to 1.
    pub share: f64,
    /// The part of this and all before it, above 0 and up to 1.
    pub cumulative_share: f64,
}

/// Where in the source the executions are, added up over the rows that are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotspots {
    /// The parts of the source that ran: most executions first, by place among equals.
    pub entries: Vec<Hotspot>,
    /// What they add up to.
    pub totals: Totals,
    /// What they are.
    pub grouping: Grouping,
}

impl Hotspots {
    /// Adds up what `filter` takes of a recording, in the files that are taken.
    pub fn new(tables: &Tables, grouping: Grouping, filter: RowFilter, files: &Files<'_>) -> Hotspots {
        let mut sums: HashMap<Spot, (u128, u128)> = HashMap::new();
        let takes = |file: &str| files.takes(file);
        let totals = match grouping {
            Grouping::Line => Totals::add_up(&tables.lines, filter, takes, |row| {
                let sum = sums
                    .entry(spot(files, &row.file, || Spot::Line(row.file.clone(), row.line)))
                    .or_default();
                sum.0 += u128::from(row.executions);
                sum.1 += u128::from(row.hits);
            }),
            Grouping::Function => Totals::add_up(&tables.instructions, filter, takes, |row| {
                let function = || Spot::Function(row.file.clone(), row.first_line, row.function.clone());
                sums.entry(spot(files, &row.file, function)).or_default().0 += u128::from(row.executions);
            }),
            Grouping::File => Totals::add_up(&tables.lines, filter, takes, |row| {
                let file = || Spot::File(row.file.clone());
                sums.entry(spot(files, &row.file, file)).or_default().0 += u128::from(row.executions);
            }),
        };
        let functions = if grouping == Grouping::Line {
            functions(tables, &totals.filter, files)
        } else {
            HashMap::new()
        };
        let mut sums: Vec<(Spot, (u128, u128))> = sums.into_iter().collect();
        sums.sort_by(|(one, (most, _)), (other, (least, _))| {
            (Reverse(most), one).cmp(&(Reverse(least), other))
        });
        let mut cumulative = 0;
        let entries = sums.into_iter().map(|(spot, (executions, hits))| {
            cumulative += executions;
            let line = matches!(spot, Spot::Line(..));
            Hotspot {
                function: functions.get(&spot).cloned(),
                spot,
                executions,
                hits: line.then_some(hits),
                share: totals.share(executions),
                cumulative_share: totals.share(cumulative),
            }
        });
        Hotspots { entries: entries.collect(), grouping, totals: totals.clone() }
    }
}

fn spot(files: &Files<'_>, file: &str, itself: impl FnOnce() -> Spot) -> Spot {
    match files.shown(file) {
        Shown::Folded(origin) => Spot::Folded(origin),
        Shown::Itself | Shown::LeftOut => itself(),
    }
}

/// For each line the function with the most executions on it, the first by name among equals.
fn functions(tables: &Tables, filter: &RowFilter, files: &Files<'_>) -> HashMap<Spot, Arc<str>> {
    let mut sums: HashMap<(&Arc<str>, u32, &Arc<str>), u128> = HashMap::new();
    for row in &tables.instructions {
        if filter.takes(row) && files.shown(&row.file) == Shown::Itself {
            *sums.entry((&row.file, row.line, &row.function)).or_default() += u128::from(row.executions());
        }
    }
    let mut most: HashMap<Spot, (u128, &Arc<str>)> = HashMap::new();
    for ((file, line, function), executions) in sums {
        let found = most.entry(Spot::Line(file.clone(), line)).or_insert((executions, function));
        if (Reverse(executions), function) < (Reverse(found.0), found.1) {
            *found = (executions, function);
        }
    }
    most.into_iter().map(|(spot, (_, function))| (spot, function.clone())).collect()
}
