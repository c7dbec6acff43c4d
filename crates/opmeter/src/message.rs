//! What the command says on its standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use opmeter_recording::is_reading_table;
use opmeter_report::visible;

/// Says something on a line: what names in it would do to a terminal is shown as escapes, ends of lines as well.
pub fn tell(message: impl Display) {
    line(format_args!("opmeter: {}", visible(&message.to_string())));
}

/// Says something that may have several lines.
pub fn tell_lines(message: impl Display) {
    line(format_args!("opmeter: {}", shown(&message.to_string())));
}

/// Writes a line to standard error. Nobody reading it is no failure, and no reason to stop.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A path as it may be shown on a terminal.
pub fn shown_path(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

/// A text of several lines as it may be shown on a terminal. All but the first are indented, so that none looks like the
/// beginning of another message.
pub fn shown(text: &str) -> String {
    let lines = text.split('\n').enumerate().map(|(place, line)| {
        let indent = if place == 0 || line.is_empty() || line.starts_with("  ") { "" } else { "  " };
        indent.to_owned() + &visible(line)
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// Keeps panics from being told that become errors: those of the Parquet reader, where a table is damaged.
pub fn tell_damage_once() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !is_reading_table() {
            tell(panic);
        }
    }));
}
