use crate::terminal_text::visible;

/// A file as a report shows it: below the folder that the command ran in, without that folder.
pub(crate) fn file_label(file: &str, directory: &str) -> String {
    let directory = directory.trim_end_matches('/');
    let below = file.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/'));
    match below {
        Some(below) if !directory.is_empty() && !below.is_empty() => visible(below),
        _ if file.is_empty() => "(interpreter)".to_owned(),
        _ => visible(file),
    }
}

/// A line of a file as a report shows it; line 0 is none.
pub(crate) fn place_label(file: &str, line: u32, directory: &str) -> String {
    let file = file_label(file, directory);
    if line == 0 { format!("{file} (no line)") } else { format!("{file}:{line}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_the_folder_are_shown_without_it() {
        assert_eq!(file_label("/home/me/a/b.py", "/home/me"), "a/b.py");
        assert_eq!(file_label("/home/me/b.py", "/home/me/"), "b.py");
        assert_eq!(file_label("/home/meme/b.py", "/home/me"), "/home/meme/b.py");
        assert_eq!(file_label("/b.py", ""), "/b.py");
        assert_eq!(file_label("/b.py", "/"), "/b.py");
        assert_eq!(file_label("", "/"), "(interpreter)");
        assert_eq!(place_label("a\n.py", 3, "/"), "a\\n.py:3");
        assert_eq!(place_label("a.py", 0, "/"), "a.py (no line)");
    }
}
