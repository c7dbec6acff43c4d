use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use opmeter_analysis::{AlignedLine, AlignedSource, Comparison, Edit, Place, Ran, Spot};
use serde::Serialize;

use super::data::{Count, write_data};
use crate::file_label::{file_label, place_label};
use crate::terminal_text::{visible, visible_line};

/// The sources of a comparison as the page shows them: those that changed most first.
#[derive(Debug)]
pub(crate) struct AlignedFiles<'a> {
    comparison: &'a Comparison<'a>,
    sources: Vec<&'a AlignedSource>,
    /// The places of the files, by the name before and by the name after.
    places: [HashMap<&'a str, usize>; 2],
}

/// What the script has to know before it opens a source.
#[derive(Serialize)]
struct Index {
    /// The executions by which the line grew or shrank that did so most.
    most: Count,
    /// Whether there are net times.
    timed: bool,
    files: Vec<FileIndex>,
}

#[derive(Serialize)]
struct FileIndex {
    label: String,
    /// The name before, where it is another one.
    was: Option<String>,
    before: Count,
    after: Count,
    functions: Functions,
}

/// The functions of a file whose executions changed, in the order of the rows, a list for each property.
#[derive(Default, Serialize)]
struct Functions {
    name: Vec<String>,
    /// The row of the first line.
    line: Vec<usize>,
    before: Vec<Count>,
    after: Vec<Count>,
}

/// A source: a row for each line of either side, as lists.
#[derive(Serialize)]
struct AlignedData {
    /// The line before and after; 0 where it is not in this file on that side.
    before: Vec<u32>,
    after: Vec<u32>,
    /// What became of each: the first letter of its name.
    edit: String,
    /// Whether there is any text; what stands on each row, after, or before where it is gone; joined by line feeds.
    has_text: bool,
    text: String,
    /// The rows where another text stood before, and these texts, joined by line feeds.
    other_row: Vec<usize>,
    other_text: String,
    /// The rows that have instructions, and their executions before and after.
    code: Vec<usize>,
    executions_before: Vec<Count>,
    executions_after: Vec<Count>,
    /// Where there are times: by how many net cycles each of these takes longer, and the standard error of that; nothing
    /// where that is not known.
    net: Vec<Option<i64>>,
    net_error: Vec<Option<u64>>,
    /// And what an execution took that was timed, in raw cycles, before and after.
    raw_before: Vec<Option<f64>>,
    raw_after: Vec<Option<f64>>,
    /// The rows whose other side is in another file: what that place is called, and where it is on the page.
    elsewhere: Vec<usize>,
    elsewhere_label: Vec<String>,
    elsewhere_to: Vec<Option<String>>,
}

const BEFORE: usize = 0;
const AFTER: usize = 1;

impl<'a> AlignedFiles<'a> {
    pub(crate) fn new(comparison: &'a Comparison<'a>) -> Self {
        let mut sources: Vec<&AlignedSource> = comparison.sources.iter().collect();
        let changed =
            |source: &AlignedSource| source.lines.iter().map(|line| line.row.change.size()).sum::<u128>();
        sources.sort_by_cached_key(|source| Reverse(changed(source)));
        let mut places = [HashMap::new(), HashMap::new()];
        for (place, source) in sources.iter().enumerate() {
            for (side, name) in [&source.before, &source.after].into_iter().enumerate() {
                places[side].extend(name.as_deref().map(|name| (name, place)));
            }
        }
        AlignedFiles { comparison, sources, places }
    }

    /// Whether no source is shown.
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Where something is shown on the page, if it is: where it is after, or was before.
    pub(crate) fn link(&self, [before, after]: [Option<&Spot>; 2]) -> Option<String> {
        let (side, spot) = after.map(|spot| (AFTER, spot)).or(before.map(|spot| (BEFORE, spot)))?;
        let place = |file: &str| self.places[side].get(file);
        match spot {
            Spot::Line(file, line) | Spot::Function(file, line, _) => {
                Some(format!("#{}-{}-{line}", ["before", "after"][side], place(file)?))
            }
            Spot::File(file) => Some(format!("#file-0-{}", place(file)?)),
            Spot::Folded(_) => None,
        }
    }

    /// Writes what the script reads: an index, and an element for each source.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        write_data(out, "aligned", &self.index())?;
        let mut sources = self.sources.iter().enumerate();
        sources
            .try_for_each(|(place, source)| write_data(out, &format!("aligned-{place}"), &self.data(source)))
    }

    fn is_timed(&self) -> bool {
        let total = self.comparison.total;
        total.before.time.is_some() && total.after.time.is_some()
    }

    fn directory(&self, side: usize) -> &'a str {
        [&self.comparison.before, &self.comparison.after][side].manifest.directory.as_str()
    }

    fn index(&self) -> Index {
        let sizes = self.sources.iter().flat_map(|source| &source.lines).map(|line| line.row.change.size());
        let mut functions = self.functions();
        let files = self.sources.iter().enumerate().map(|(place, source)| {
            let label =
                |name: Option<&str>, side: usize| name.map(|name| file_label(name, self.directory(side)));
            let (was, is) = (label(source.before.as_deref(), BEFORE), label(source.after.as_deref(), AFTER));
            let spots = [&source.before, &source.after].map(|name| name.clone().map(Spot::File));
            let row = self
                .comparison
                .files
                .rows
                .iter()
                .find(|row| [&row.before, &row.after] == [&spots[0], &spots[1]]);
            let change = row.map(|row| row.change).unwrap_or_default();
            FileIndex {
                label: is.clone().or(was.clone()).unwrap_or_default(),
                was: was.filter(|was| is.as_ref().is_some_and(|is| is != was)),
                before: Count(change.before.executions),
                after: Count(change.after.executions),
                functions: functions.remove(&place).unwrap_or_default(),
            }
        });
        Index { most: Count(sizes.max().unwrap_or(0)), timed: self.is_timed(), files: files.collect() }
    }

    /// The functions whose executions changed, by file.
    fn functions(&self) -> HashMap<usize, Functions> {
        let mut by_file: HashMap<usize, Vec<(usize, String, _)>> = HashMap::new();
        // From a file, a side and a line to the row.
        let mut rows: HashMap<(usize, usize, u32), usize> = HashMap::new();
        for (place, source) in self.sources.iter().enumerate() {
            for (row, line) in source.lines.iter().enumerate() {
                for (side, number) in lines_here(source, line).into_iter().enumerate() {
                    rows.insert((place, side, number), row);
                }
            }
        }
        for changed in self.comparison.functions.changed() {
            let sides = [(AFTER, &changed.after), (BEFORE, &changed.before)];
            let Some((side, Spot::Function(file, line, name))) =
                sides.into_iter().find_map(|(side, spot)| Some((side, spot.as_ref()?)))
            else {
                continue;
            };
            let Some(place) = self.places[side].get(&**file) else { continue };
            if let Some(row) = rows.get(&(*place, side, *line)) {
                by_file.entry(*place).or_default().push((*row, visible(name), changed.change));
            }
        }
        let lists = |(file, mut functions): (usize, Vec<(usize, String, opmeter_analysis::Change)>)| {
            functions.sort_by_key(|(row, ..)| *row);
            let mut lists = Functions::default();
            for (row, name, change) in functions {
                lists.name.push(name);
                lists.line.push(row);
                lists.before.push(Count(change.before.executions));
                lists.after.push(Count(change.after.executions));
            }
            (file, lists)
        };
        by_file.into_iter().map(lists).collect()
    }

    fn data(&self, source: &AlignedSource) -> AlignedData {
        let timed = self.is_timed();
        let shown = |text: &Option<Arc<str>>| text.as_deref().map(visible_line);
        let mut data = AlignedData {
            before: Vec::new(),
            after: Vec::new(),
            edit: String::new(),
            has_text: source.lines.iter().any(|line| line.text_before.is_some() || line.text_after.is_some()),
            text: String::new(),
            other_row: Vec::new(),
            other_text: String::new(),
            code: Vec::new(),
            executions_before: Vec::new(),
            executions_after: Vec::new(),
            net: Vec::new(),
            net_error: Vec::new(),
            raw_before: Vec::new(),
            raw_after: Vec::new(),
            elsewhere: Vec::new(),
            elsewhere_label: Vec::new(),
            elsewhere_to: Vec::new(),
        };
        let (mut texts, mut others) = (Vec::new(), Vec::new());
        for (row, line) in source.lines.iter().enumerate() {
            let [before, after] = lines_here(source, line);
            data.before.push(before);
            data.after.push(after);
            data.edit.push(letter(line));
            let (was, is) = (shown(&line.text_before), shown(&line.text_after));
            if let (Some(was), Some(is)) = (&was, &is)
                && was != is
            {
                data.other_row.push(row);
                others.push(was.clone());
            }
            texts.push(is.or(was).unwrap_or_default());
            if line.has_code {
                let change = &line.row.change;
                data.code.push(row);
                data.executions_before.push(Count(change.before.executions));
                data.executions_after.push(Count(change.after.executions));
                if timed {
                    let net = change.net_cycles();
                    data.net.push(net.map(|(net, _)| i64::try_from(net).unwrap_or(i64::MAX)));
                    data.net_error.push(net.map(|(_, error)| error.round() as u64));
                    data.raw_before.push(raw_each(change.before));
                    data.raw_after.push(raw_each(change.after));
                }
            }
            let away = [(before, &line.row.before, BEFORE), (after, &line.row.after, AFTER)]
                .into_iter()
                .find(|(here, place, _)| *here == 0 && place.is_some());
            if let Some((_, Some(Place { spot, .. }), side)) = away {
                data.elsewhere.push(row);
                data.elsewhere_label.push(self.label(spot, side));
                let mut spots = [None, None];
                spots[side] = Some(spot);
                data.elsewhere_to.push(self.link(spots));
            }
        }
        data.text = texts.join("\n");
        data.other_text = others.join("\n");
        data
    }

    fn label(&self, spot: &Spot, side: usize) -> String {
        match spot {
            Spot::Line(file, line) => place_label(file, *line, self.directory(side)),
            _ => String::new(),
        }
    }
}

/// What an execution that was timed took, what measuring cost included, in cycles, to a tenth.
fn raw_each(ran: Ran) -> Option<f64> {
    let time = ran.time.filter(|time| time.timed_executions > 0)?;
    Some((time.cycles_raw as f64 / time.timed_executions as f64 * 10.0).round() / 10.0)
}

/// The line's numbers before and after in this file; 0 where it is not there.
fn lines_here(source: &AlignedSource, line: &AlignedLine) -> [u32; 2] {
    let here = |name: &Option<Arc<str>>, place: &Option<Place>| match place {
        Some(Place { spot: Spot::Line(file, line), .. }) if name.as_ref() == Some(file) => *line,
        _ => 0,
    };
    [here(&source.before, &line.row.before), here(&source.after, &line.row.after)]
}

/// What became of a line: of blank lines it means nothing that they moved.
fn letter(line: &AlignedLine) -> char {
    let is_blank = line.text_after.as_deref().is_some_and(|text| text.trim().is_empty());
    match line.row.edit {
        Edit::Moved if is_blank => 's',
        Edit::Same => 's',
        Edit::Moved => 'm',
        Edit::Changed => 'c',
        Edit::Added => 'a',
        Edit::Removed => 'r',
    }
}
