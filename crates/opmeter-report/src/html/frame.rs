use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/layout.css"),
    include_str!("style/table.css"),
    include_str!("style/source.css"),
    include_str!("style/comparison.css"),
    include_str!("style/print.css"),
);

/// What steers a page; the parts share one scope, which nothing outside sees.
const SCRIPT: &str = concat!(
    "'use strict';\n(() => {\n",
    include_str!("script/page.js"),
    include_str!("script/table.js"),
    include_str!("script/file_view.js"),
    include_str!("script/source_file.js"),
    include_str!("script/source_view.js"),
    include_str!("script/aligned_file.js"),
    include_str!("script/comparison_view.js"),
    include_str!("script/source_index.js"),
    include_str!("script/start.js"),
    "})();\n",
);

/// What all pages have around their sections: the head with its security policy, the bar at the top, style and script.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// What the page is about, fit to be shown.
    pub title: &'a str,
    /// The sections: the element and the heading of each.
    pub sections: &'a [Section],
    /// The recordings' names; where there are several, one is chosen at the top.
    pub recordings: &'a [String],
}

/// A section of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its element.
    pub id: &'static str,
    /// Its heading.
    pub heading: &'static str,
}

impl Frame<'_> {
    /// Writes all that comes before the sections.
    pub(crate) fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        let head = html! {
            (DOCTYPE)
            (PreEscaped("<html lang=\"en\">"))
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("Opmeter ", env!("CARGO_PKG_VERSION")));
                meta name="referrer" content="no-referrer";
                title { (self.title) " · Opmeter" }
                style { (PreEscaped(STYLE)) }
            }
        };
        writeln!(out, "{}", head.into_string())?;
        let bar = html! {
            (PreEscaped("<body>"))
            a.skip href="#content" { "Skip to the content" }
            header.bar {
                span.brand { "Opmeter" }
                nav aria-label="Sections" {
                    @for section in self.sections { a href={ "#" (section.id) } { (section.heading) } }
                }
                div.controls {
                    @if self.recordings.len() > 1 { (self.choice()) }
                }
            }
            (PreEscaped("<main id=\"content\" tabindex=\"-1\">"))
        };
        writeln!(out, "{}", bar.into_string())
    }

    /// The choice of a recording; without the script all are shown, one after the other.
    fn choice(&self) -> Markup {
        html! {
            label.needs-script {
                "Recording "
                select id="recording" {
                    @for (place, name) in self.recordings.iter().enumerate() {
                        option value=(place) { (letter(place)) " · " (name) }
                    }
                }
            }
        }
    }

    /// Writes all that comes after the sections; `data` writes what the script reads.
    pub(crate) fn end(
        &self,
        out: &mut dyn Write,
        data: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let foot = html! {
            (PreEscaped("</main>"))
            footer {
                p {
                    "Written by Opmeter " (env!("CARGO_PKG_VERSION"))
                    ". This file holds parts of the program's source and its arguments. "
                    "It loads nothing and sends nothing."
                }
            }
        };
        writeln!(out, "{}", foot.into_string())?;
        data(out)?;
        writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

/// A section's markup: its heading, and what is in it.
pub(crate) fn section(section: Section, content: &Markup) -> Markup {
    let heading = format!("{}-heading", section.id);
    html! {
        section id=(section.id) tabindex="-1" aria-labelledby=(heading) {
            h2 id=(heading) { (section.heading) }
            (content)
        }
    }
}

/// What is of one of several recordings: its part of a section, under its name where there are several.
pub(crate) fn of_recording(names: &[String], place: usize, content: &Markup) -> Markup {
    html! {
        div.of-recording data-recording=(place) {
            @if names.len() > 1 { h3.recording { (letter(place)) " · " (names[place]) } }
            (content)
        }
    }
}

/// The letter that a recording is called by, in the order in which they are named: A, B, ... Z, A2.
pub(crate) fn letter(place: usize) -> String {
    let letter = char::from(b'A' + (place % 26) as u8);
    if place < 26 { letter.to_string() } else { format!("{letter}{}", place / 26 + 1) }
}

/// Nothing may be loaded or run but what stands here: the page's own script and style, by their hashes.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_and_style_end_where_their_elements_do() {
        for text in [SCRIPT, STYLE] {
            let text = text.to_lowercase();
            assert!(!text.contains("</script") && !text.contains("</style") && !text.contains("<!--"));
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for text in [SCRIPT, STYLE] {
            for outside in ["http:", "https:", "url(", "@import", "import(", "fetch(", "innerHTML", "eval("] {
                assert!(!text.contains(outside), "{outside}");
            }
        }
    }

    #[test]
    fn recordings_have_letters() {
        assert_eq!([0, 1, 25, 26, 53].map(letter), ["A", "B", "Z", "A2", "B3"]);
    }
}
