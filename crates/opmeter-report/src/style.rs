use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;

use anstyle::{AnsiColor, Effects};

/// How a report looks on its stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether escape codes for colours are written; without them the report is plain text.
    pub colour: bool,
}

impl Style {
    /// Plain text.
    pub const PLAIN: Style = Style { colour: false };

    /// The style for a stream. Colours are off where `NO_COLOR` is set to anything; else on where
    /// `CLICOLOR_FORCE` is set to anything but `0`; else off where `TERM` is `dumb`; else on where the
    /// stream is a terminal.
    pub fn for_stream(stream: &impl IsTerminal) -> Style {
        Style::decide(stream.is_terminal(), |name| env::var_os(name))
    }

    fn decide(is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Style {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let colour = if set("NO_COLOR").is_some() {
            false
        } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            true
        } else {
            is_terminal && set("TERM").is_none_or(|value| value != "dumb")
        };
        Style { colour }
    }

    /// The names of columns and other headings.
    pub(crate) fn heading(self, text: &str) -> String {
        self.paint(anstyle::Style::new().bold(), text)
    }

    /// What matters less.
    pub(crate) fn faint(self, text: &str) -> String {
        self.paint(anstyle::Style::new().effects(Effects::DIMMED), text)
    }

    /// The bars of a table.
    pub(crate) fn bar(self, text: &str) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    /// A count, by the part (0 to 1) that it is of the highest: from what never ran to the hottest.
    pub(crate) fn heat(self, part: f64, text: &str) -> String {
        let style = match part {
            part if part >= 0.5 => AnsiColor::Red.on_default().bold(),
            part if part >= 0.1 => AnsiColor::Red.on_default(),
            part if part >= 0.01 => AnsiColor::Yellow.on_default(),
            part if part > 0.0 => return text.to_owned(),
            _ => return self.faint(text),
        };
        self.paint(style, text)
    }

    /// The word before a warning.
    pub(crate) fn warning(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    fn paint(self, style: anstyle::Style, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(is_terminal: bool, variables: &[(&str, &str)]) -> bool {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        Style::decide(is_terminal, variable).colour
    }

    #[test]
    fn a_terminal_has_colours_and_a_file_has_none() {
        assert!(colour(true, &[("TERM", "xterm")]));
        assert!(colour(true, &[]));
        assert!(!colour(false, &[("TERM", "xterm")]));
        assert!(!colour(true, &[("TERM", "dumb")]));
    }

    #[test]
    fn variables_decide_before_the_stream() {
        assert!(!colour(true, &[("NO_COLOR", "1")]));
        assert!(colour(true, &[("NO_COLOR", "")]));
        assert!(colour(false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]));
        assert!(!colour(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!colour(false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "0")]));
    }

    #[test]
    fn plain_text_has_no_escape_codes() {
        assert_eq!(Style::PLAIN.heading("opcode"), "opcode");
        assert_eq!(Style { colour: true }.heading("opcode"), "\u{1b}[1mopcode\u{1b}[0m");
    }
}
