use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Longest text of an error, in characters.
const LONGEST: usize = 200;

/// What went wrong in a process, in a line: the last line that it wrote to standard error, or else how it ended.
pub(crate) fn last_line(status: ExitStatus, stderr: &str) -> String {
    let ended = match (status.signal(), status.code()) {
        (Some(signal), _) => format!("ended by signal {signal}{}", signal_name(signal)),
        (_, code) => format!("exit status {}", code.unwrap_or_default()),
    };
    match stderr.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(_) if status.signal().is_some() => ended,
        Some(line) => one_line(line),
        None => ended,
    }
}

/// A text fit to be shown in a line: without control characters, and not too long.
pub(crate) fn one_line(text: &str) -> String {
    let text: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        6 => " (abort)",
        9 => " (killed; out of memory?)",
        11 => " (segmentation fault)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_its_last_line_or_how_it_ended() {
        let status = ExitStatus::from_raw(1 << 8);
        let traceback = "Traceback:\n  File\nValueError: n is \x1b[1mwrong\n\n";
        assert_eq!(last_line(status, traceback), "ValueError: n is  [1mwrong");
        assert_eq!(last_line(ExitStatus::from_raw(3 << 8), " \n"), "exit status 3");
        let killed = ExitStatus::from_raw(11);
        assert_eq!(last_line(killed, "half a li"), "ended by signal 11 (segmentation fault)");
        assert_eq!(one_line(&"ä".repeat(300)).chars().count(), 201);
    }
}
