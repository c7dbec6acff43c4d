use std::borrow::Cow;

use maud::{Markup, html};

use crate::number::counted;
use crate::terminal_text::{cut, cut_start, width};

/// The sign before numbers that are estimated, not measured.
pub(crate) const ESTIMATED: &str = "≈\u{202f}";

/// A table of a page. Its script lets readers sort it by any column and, where it has a filter, choose rows.
#[derive(Debug)]
pub(crate) struct Table {
    /// The element's name, its own on the page.
    pub id: String,
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// What a row is, one and many, where rows can be filtered by their text.
    pub filter: Option<(&'static str, &'static str)>,
    /// What is said below it.
    pub note: Option<String>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    name: Cow<'static, str>,
    kind: Kind,
    /// What the name means, in a sentence.
    about: &'static str,
    sorted: bool,
    estimated: bool,
    /// Whether its estimates have a sign before them.
    signed: bool,
    choice: bool,
    /// Whether what is farthest from 0 comes first, whatever its sign.
    by_size: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Text,
    Number,
    Picture,
}

impl Column {
    /// Names as they stand in a program.
    pub(crate) fn name(name: impl Into<Cow<'static, str>>) -> Column {
        Self::new(name, Kind::Name)
    }

    /// Words.
    pub(crate) fn text(name: impl Into<Cow<'static, str>>) -> Column {
        Self::new(name, Kind::Text)
    }

    /// Numbers, the unit in the name.
    pub(crate) fn number(name: impl Into<Cow<'static, str>>) -> Column {
        Self::new(name, Kind::Number)
    }

    /// Bars and other pictures, which nothing can be sorted by.
    pub(crate) fn picture(name: impl Into<Cow<'static, str>>) -> Column {
        Self::new(name, Kind::Picture)
    }

    fn new(name: impl Into<Cow<'static, str>>, kind: Kind) -> Column {
        Column {
            name: name.into(),
            kind,
            about: "",
            sorted: false,
            estimated: false,
            signed: false,
            choice: false,
            by_size: false,
        }
    }

    /// With a sentence about what it shows.
    pub(crate) fn about(self, about: &'static str) -> Column {
        Column { about, ..self }
    }

    /// The column that the rows are sorted by, most first.
    pub(crate) fn sorted(self) -> Column {
        Column { sorted: true, ..self }
    }

    /// A column of estimates, which look like ones.
    pub(crate) fn estimated(self) -> Column {
        Column { estimated: true, signed: true, ..self }
    }

    /// A column of the errors of estimates, which have a sign of their own.
    pub(crate) fn error(self) -> Column {
        Column { estimated: true, ..self }
    }

    /// A column of changes: those that are farthest from 0 come first.
    pub(crate) fn by_size(self) -> Column {
        Column { by_size: true, ..self }
    }

    /// A column of few different texts, of which readers may choose one.
    pub(crate) fn choice(self) -> Column {
        Column { choice: true, ..self }
    }

    fn class(&self) -> String {
        let kind = match self.kind {
            Kind::Name => "name",
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Picture => "picture",
        };
        if self.estimated { format!("{kind} estimate") } else { kind.to_owned() }
    }
}

/// A cell of a table. Texts have to be fit to be shown: see `terminal_text::visible`.
#[derive(Debug)]
pub(crate) enum Cell {
    /// A text or a number.
    Text(String),
    /// A place on the page, and what leads there.
    Link(String, String),
    /// Anything else.
    Markup(Markup),
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<Markup> for Cell {
    fn from(markup: Markup) -> Cell {
        Cell::Markup(markup)
    }
}

impl Table {
    /// The columns that are shown, by place: of names only those that have any.
    fn shown(&self) -> Vec<usize> {
        let is_empty = |cell: &Cell| matches!(cell, Cell::Text(text) if text.is_empty());
        let has_any =
            |place: usize| self.rows.iter().any(|row| row.get(place).is_some_and(|cell| !is_empty(cell)));
        (0..self.columns.len())
            .filter(|place| self.columns[*place].kind != Kind::Name || has_any(*place))
            .collect()
    }

    /// The table, in a frame that scrolls where it is too wide.
    pub(crate) fn markup(&self) -> Markup {
        let label = format!("{}-caption", self.id);
        let shown = self.shown();
        html! {
            div.table data-filter=[self.filter.map(|(_, many)| many)]
                data-one=[self.filter.map(|(one, _)| one)] {
                h3 id=(label) { (self.caption) }
                div.scroll tabindex="0" role="region" aria-labelledby=(label) {
                    table.data id=(self.id) aria-labelledby=(label) {
                        thead { tr { @for place in &shown { (head(&self.columns[*place])) } } }
                        tbody {
                            @for row in &self.rows {
                                tr {
                                    @for place in &shown { (body(&self.columns[*place], &row[*place])) }
                                }
                            }
                        }
                    }
                }
                @if let Some(note) = &self.note { p.note { (note) } }
            }
        }
    }
}

fn head(column: &Column) -> Markup {
    let sorted = column.sorted.then_some(if column.by_size { "other" } else { "descending" });
    let about = (!column.about.is_empty()).then_some(column.about);
    let choice = column.choice.then_some("");
    let by_size = column.by_size.then_some("");
    html! {
        th.(column.class()) scope="col" aria-sort=[sorted] title=[about] data-choice=[choice]
            data-by-size=[by_size] { (column.name) }
    }
}

fn body(column: &Column, cell: &Cell) -> Markup {
    let class = column.class();
    html! {
        @match cell {
            Cell::Text(text) if column.signed && !text.is_empty() => td.(class) { (ESTIMATED) (text) },
            Cell::Text(text) => td.(class).long[is_long(text)] title=[whole(text)] { (breakable(text)) },
            Cell::Link(to, text) => {
                td.(class).long[is_long(text)] title=[whole(text)] { a href=(to) { (breakable(text)) } }
            }
            Cell::Markup(markup) => td.(class) { (markup) },
        }
    }
}

/// The columns that a name may take in a line.
const LONG: usize = 60;
/// The columns of a name that are shown, half of them its beginning, and half its end.
const LONGEST: usize = 160;

fn is_long(text: &str) -> bool {
    width(text) > LONG
}

/// The whole of a text that is not shown whole.
fn whole(text: &str) -> Option<&str> {
    (width(text) > LONGEST).then_some(text)
}

/// A text that may go on in a new line behind each slash, where a name is too long.
fn breakable(text: &str) -> Markup {
    let text = match whole(text) {
        None => text.to_owned(),
        Some(text) => {
            let (beginning, end) = (cut(text, LONGEST / 2), cut_start(text, LONGEST / 2));
            beginning + end.trim_start_matches('…')
        }
    };
    html! {
        @for (place, part) in text.split_inclusive('/').enumerate() {
            @if place > 0 { wbr; }
            (part)
        }
    }
}

/// What tells readers which numbers are estimates.
pub(crate) fn legend_of_estimates() -> Markup {
    html! {
        p.note {
            span.estimate { (ESTIMATED) "italic" }
            " numbers are estimates: what all executions took by themselves, from those that were timed, with what "
            "measuring cost taken off. ± is the standard error. Upright numbers are counted or measured."
        }
    }
}

/// What a table leaves out: so many rows, with so much in them.
pub(crate) fn rest(rows: usize, (one, many): (&str, &str), contents: &str) -> Option<String> {
    (rows > 0).then(|| {
        let rows = counted(rows, &format!("more {one}"), &format!("more {many}"));
        format!("… {rows}{}{contents}", if contents.is_empty() { "" } else { ", " })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_length_have_a_beginning_and_an_end() {
        let long = format!("/start/{}/end.py:17", "y".repeat(5000));
        let cell = body(&Column::name("line"), &Cell::Text(long.clone())).into_string();
        assert!(
            cell.contains("class=\"name long\"") && cell.contains(&format!("title=\"{long}\"")),
            "{cell}"
        );
        let text = cell.split_once('>').unwrap().1.replace("<wbr>", "").replace("</td>", "");
        assert!(
            text.starts_with("/start/y") && text.ends_with("y/end.py:17") && text.contains("y…y"),
            "{text}"
        );
        assert!(width(&text) <= LONGEST, "{text}");
        let short = body(&Column::name("line"), &Cell::Text("a/b.py:1".to_owned())).into_string();
        assert_eq!(short, "<td class=\"name\">a/<wbr>b.py:1</td>");
    }

    #[test]
    fn texts_are_escaped_and_estimates_marked() {
        let table = Table {
            id: "t".to_owned(),
            caption: "<b>".to_owned(),
            columns: vec![Column::name("opcode"), Column::number("net ms").estimated().sorted()],
            rows: vec![
                vec!["<img src=x onerror=alert(1)>".into(), "1.5".into()],
                vec![Cell::Link("#\"x".to_owned(), "</td>".to_owned()), "".into()],
                vec!["a/b".into(), "".into()],
            ],
            filter: None,
            note: None,
        };
        let markup = table.markup().into_string();
        assert!(markup.contains("&lt;img src=x onerror=alert(1)&gt;"), "{markup}");
        assert!(markup.contains("href=\"#&quot;x\">&lt;/<wbr>td&gt;"), "{markup}");
        assert!(markup.contains("<td class=\"number estimate\">≈\u{202f}1.5</td>"), "{markup}");
        assert!(markup.contains("<td class=\"number estimate\"></td>"), "{markup}");
        assert!(markup.contains("a/<wbr>b"), "{markup}");
        assert!(markup.contains("aria-sort=\"descending\""), "{markup}");
    }
}
