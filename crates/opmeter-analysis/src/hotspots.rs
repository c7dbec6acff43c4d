use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use opmeter_recording::Tables;

use crate::{CountedRow, Files, Origin, RowFilter, Shown, TimeSum, Totals};

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
    /// How long its executions took, where times were taken.
    pub time: Option<TimeSum>,
}

/// Where in the source the executions are, added up over the rows that are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotspots {
    /// The parts of the source that ran: most time first where times were taken, most executions first
    /// otherwise and among equals, then by place.
    pub entries: Vec<Hotspot>,
    /// What they add up to.
    pub totals: Totals,
    /// What they are.
    pub grouping: Grouping,
}

/// What the rows of one part of the source add up to.
#[derive(Default)]
struct Sum {
    executions: u128,
    hits: u128,
    time: Option<TimeSum>,
}

impl Sum {
    fn add(&mut self, row: &impl CountedRow) {
        self.executions += u128::from(row.executions());
        if let Some(time) = row.time() {
            self.time.get_or_insert_default().add(time);
        }
    }

    /// What comes first is least.
    fn rank(&self) -> impl Ord {
        (Reverse(self.time.map(|time| time.cycles_net)), Reverse(self.executions))
    }
}

impl Hotspots {
    /// Adds up what `filter` takes of a recording, in the files that are taken.
    pub fn new(tables: &Tables, grouping: Grouping, filter: RowFilter, files: &Files<'_>) -> Hotspots {
        let mut sums: HashMap<Spot, Sum> = HashMap::new();
        let takes = |file: &str| files.takes(file);
        let totals = match grouping {
            Grouping::Line => Totals::add_up(&tables.lines, filter, takes, |row| {
                let sum = sums
                    .entry(spot(files, &row.file, || Spot::Line(row.file.clone(), row.line)))
                    .or_default();
                sum.add(row);
                sum.hits += u128::from(row.hits);
            }),
            Grouping::Function => Totals::add_up(&tables.instructions, filter, takes, |row| {
                let function = || Spot::Function(row.file.clone(), row.first_line, row.function.clone());
                sums.entry(spot(files, &row.file, function)).or_default().add(row);
            }),
            Grouping::File => Totals::add_up(&tables.lines, filter, takes, |row| {
                let file = || Spot::File(row.file.clone());
                sums.entry(spot(files, &row.file, file)).or_default().add(row);
            }),
        };
        let functions = if grouping == Grouping::Line {
            functions(tables, &totals.filter, files)
        } else {
            HashMap::new()
        };
        let mut sums: Vec<(Spot, Sum)> = sums.into_iter().collect();
        sums.sort_by(|(one, most), (other, least)| (most.rank(), one).cmp(&(least.rank(), other)));
        let mut cumulative = 0;
        let entries = sums.into_iter().map(|(spot, Sum { executions, hits, time })| {
            cumulative += executions;
            let line = matches!(spot, Spot::Line(..));
            Hotspot {
                function: functions.get(&spot).cloned(),
                spot,
                executions,
                hits: line.then_some(hits),
                share: totals.share(executions),
                cumulative_share: totals.share(cumulative),
                time,
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
