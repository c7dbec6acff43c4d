use std::path::Path;

use opmeter_files::{LONGEST_TEXT, read_whole};
use opmeter_recording::{SourceRow, Tables, sha256_of_bytes};

/// The text of a source file that code came from, if it is still there as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The lines, from line 1 on; none where the text can't stand beside counts.
    pub lines: Option<Vec<String>>,
    /// What is wrong with the text, if anything is.
    pub warning: Option<String>,
}

impl SourceText {
    /// The text of a file of a recording: the one that the recording has kept, or what still is in the file if that is
    /// the same as it was.
    pub fn of(tables: &Tables, file: &str) -> SourceText {
        let source = tables.sources.iter().find(|source| &*source.file == file);
        let Some(kept) = tables.source_texts.iter().find(|kept| &*kept.file == file) else {
            return SourceText::read(source);
        };
        let warning = source.filter(|source| source.changed != 0).map(written_to);
        SourceText { lines: Some(lines(&kept.text)), warning }
    }

    /// Reads the file of a row of the sources table, and compares it with what it was.
    pub fn read(source: Option<&SourceRow>) -> SourceText {
        let Some(source) = source.filter(|source| !source.path.is_empty()) else {
            return SourceText::absent(
                "no source file was found for this code when it was recorded; it is shown without its text"
                    .to_owned(),
            );
        };
        let path = &source.path;
        let content = match read_whole(Path::new(path), LONGEST_TEXT) {
            Ok(content) => content,
            Err(error) => {
                return SourceText::absent(format!(
                    "{path} can't be read ({error}); it is shown without its text: put the file back to see it"
                ));
            }
        };
        if source.sha256.is_empty() {
            return SourceText {
                lines: Some(lines(&String::from_utf8_lossy(&content))),
                warning: Some(format!(
                    "{path} only ran while the interpreter started, and was not looked at then: it may not \
                     be what ran"
                )),
            };
        }
        if sha256_of_bytes(&content) != source.sha256.to_ascii_lowercase() {
            return SourceText::absent(format!(
                "{path} has changed since it was recorded; it is shown without its text, which would not \
                 fit: put the old file back, or record again"
            ));
        }
        let warning = (source.changed != 0).then(|| written_to(source));
        SourceText { lines: Some(lines(&String::from_utf8_lossy(&content))), warning }
    }

    fn absent(warning: String) -> SourceText {
        SourceText { lines: None, warning: Some(warning) }
    }
}

fn written_to(source: &SourceRow) -> String {
    format!("{} was written to after its process had started, so that it may not be what ran", source.path)
}

/// The lines of a Python source: ended by a line feed, a carriage return or both.
fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    text.strip_suffix('\n').unwrap_or(&text).split('\n').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use opmeter_recording::SourceTextRow;

    use super::*;

    /// The SHA-256 of `a\n`.
    const A: &str = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";

    fn read(content: Option<&str>, changed: u8) -> SourceText {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let path = path.to_str().unwrap().to_owned();
        let row = SourceRow { file: "a.py".into(), path, size: 2, sha256: A.to_owned(), changed };
        SourceText::read(Some(&row))
    }

    #[test]
    fn a_file_that_is_as_it_was_is_read() {
        let text = read(Some("a\n"), 0);
        assert_eq!(text, SourceText { lines: Some(vec!["a".to_owned()]), warning: None });
    }

    #[test]
    fn a_file_that_is_gone_or_has_changed_has_no_text() {
        for (text, says) in [
            (read(None, 0), "can't be read"),
            (read(Some("b\n"), 0), "has changed since"),
            (SourceText::read(None), "no source file was found"),
        ] {
            assert_eq!(text.lines, None);
            assert!(text.warning.unwrap().contains(says));
        }
    }

    #[test]
    fn a_file_that_changed_while_it_ran_is_shown_with_a_warning() {
        let text = read(Some("a\n"), 1);
        assert!(text.lines.is_some());
        assert!(text.warning.unwrap().contains("may not be what ran"));
    }

    #[test]
    fn a_file_that_only_ran_at_the_start_is_shown_with_a_warning() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let row = SourceRow { file: "a.py".into(), path, size: 0, sha256: String::new(), changed: 0 };
        let text = SourceText::read(Some(&row));
        assert!(text.lines.is_some() && text.warning.unwrap().contains("may not be what ran"));
    }

    #[test]
    fn a_text_that_the_recording_has_is_taken_whatever_became_of_the_file() {
        let row = SourceRow {
            file: "a.py".into(),
            path: "/nowhere/a.py".into(),
            size: 2,
            sha256: A.to_owned(),
            changed: 0,
        };
        let kept = SourceTextRow { file: "a.py".into(), text: "a\n".into() };
        let mut tables = Tables { sources: vec![row], source_texts: vec![kept], ..Tables::default() };
        let text = SourceText::of(&tables, "a.py");
        assert_eq!(text, SourceText { lines: Some(vec!["a".to_owned()]), warning: None });
        tables.sources[0].changed = 1;
        assert!(SourceText::of(&tables, "a.py").warning.unwrap().contains("may not be what ran"));
        assert_eq!(SourceText::of(&tables, "b.py").lines, None);
        tables.source_texts.clear();
        assert!(SourceText::of(&tables, "a.py").warning.unwrap().contains("can't be read"));
    }

    #[test]
    fn lines_are_those_of_python() {
        assert_eq!(lines("\u{feff}a\r\nb\rc\n\n"), ["a", "b", "c", ""]);
        assert_eq!(lines("a"), ["a"]);
    }
}
