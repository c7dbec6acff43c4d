use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use crate::folder_lock;
use crate::toml_file::{folder_of, read, write_whole};
use crate::{Error, RangeEntry};

const HEADING: &str = "\
# The sizes n for which templates' programs run, and run within a target time: written by `opmeter range`.

";

/// The file `range.toml` of a folder: a table for each of its templates.
pub struct RangeFile {
    path: PathBuf,
}

impl RangeFile {
    /// The file of a folder, whether it is there or not.
    pub fn beside(folder: &Path) -> RangeFile {
        RangeFile { path: folder.join("range.toml") }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The table of a template, by its file name, if there is one.
    ///
    /// # Errors
    /// When the file can't be read, or the table is none of a range.
    pub fn entry(&self, template: &str) -> Result<Option<RangeEntry>, Error> {
        let document = read(&self.path)?;
        let Some(item) = document.get(template) else { return Ok(None) };
        let table = item.as_table_like().ok_or_else(|| self.torn(template, "it is no table"))?;
        let table: toml_edit::Table = table.iter().map(|(key, value)| (key, value.clone())).collect();
        let entry = toml_edit::de::from_document(DocumentMut::from(table));
        entry.map(Some).map_err(|error| self.torn(template, error.message()))
    }

    /// Writes the table of a template; others stay as they are, also those that another process writes meanwhile.
    ///
    /// # Errors
    /// When the file that is there is damaged, or the new one can't be written.
    pub fn keep(&self, template: &str, entry: &RangeEntry) -> Result<(), Error> {
        let _lock = folder_lock::lock(folder_of(&self.path));
        let mut document = read(&self.path)?;
        let is_new = document.is_empty();
        let written = toml_edit::ser::to_document(entry);
        let mut table = written.map_err(|error| self.torn(template, &error.to_string()))?.as_table().clone();
        if let Some(probes) = table.get_mut("probes").and_then(Item::as_array_mut) {
            // A line each.
            probes.iter_mut().for_each(|probe| probe.decor_mut().set_prefix("\n    "));
            probes.set_trailing("\n");
            probes.set_trailing_comma(true);
        }
        table.decor_mut().set_prefix(if is_new { "" } else { "\n" });
        table.set_position(None);
        if let Some(Item::Table(present)) = document.get(template) {
            *table.decor_mut() = present.decor().clone();
            table.set_position(present.position());
        }
        document.insert(template, Item::Table(table));
        let text = document.to_string();
        write_whole(&self.path, (if is_new { HEADING.to_owned() + &text } else { text }).as_bytes())
    }

    fn torn(&self, template: &str, reason: &str) -> Error {
        Error::Torn { path: self.path.clone(), reason: format!("its table of {template}: {reason}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, Probe};

    fn entry(largest: u64) -> RangeEntry {
        RangeEntry {
            smallest: Some(1),
            smallest_stopped_by: "runs at 1".to_owned(),
            smallest_error: None,
            largest: Some(largest),
            largest_stopped_by: "fails above".to_owned(),
            largest_error: Some("n = 9: RecursionError: \"deep\"".to_owned()),
            seconds_at_largest: Some(0.25),
            target_seconds: 1.0,
            found: true,
            monotone: true,
            notes: vec!["a note".to_owned()],
            function: "program".to_owned(),
            sha256: "00".to_owned(),
            python_version: "3.13.0".to_owned(),
            python_executable: "/usr/bin/python3".to_owned(),
            cpu: "a processor".to_owned(),
            hostname: "here".to_owned(),
            probes: [Outcome::Took(0.5), Outcome::TooLong(1.5), Outcome::Failed("no".to_owned())]
                .iter()
                .map(|outcome| Probe::new(largest, outcome))
                .collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = RangeFile::beside(folder.path());
        assert_eq!(file.entry("a.py").unwrap(), None);
        file.keep("b.py", &entry(8)).unwrap();
        file.keep("a.py", &entry(9)).unwrap();
        file.keep("b.py", &entry(10)).unwrap();
        assert_eq!(file.entry("a.py").unwrap(), Some(entry(9)));
        assert_eq!(file.entry("b.py").unwrap(), Some(entry(10)));
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.starts_with("# The sizes"), "{text}");
        assert!(text.contains("\n\n[\"a.py\"]\n"), "{text}");
        assert!(text.contains("\n    { n = 9, ended_after = 1.5 },\n"), "{text}");
    }

    #[test]
    fn no_table_is_lost_where_several_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let file = RangeFile::beside(folder.path());
                scope.spawn(move || {
                    for n in 0..20 {
                        file.keep(&format!("{writer}-{n}.py"), &entry(n)).unwrap();
                    }
                });
            }
        });
        let file = RangeFile::beside(folder.path());
        for (writer, n) in (0..4).flat_map(|writer| (0..20).map(move |n| (writer, n))) {
            assert_eq!(file.entry(&format!("{writer}-{n}.py")).unwrap(), Some(entry(n)));
        }
    }

    #[test]
    fn what_others_wrote_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = RangeFile::beside(folder.path());
        let others = "# mine\n[\"other.py\"]\nwhatever = 'x' # indeed\n";
        std::fs::write(file.path(), others).unwrap();
        file.keep("a.py", &entry(9)).unwrap();
        assert!(std::fs::read_to_string(file.path()).unwrap().starts_with(others));
        let error = file.entry("other.py").unwrap_err();
        assert!(error.to_string().contains("other.py"), "{error}");
        std::fs::write(file.path(), "\"a.py\" = 3\n").unwrap();
        assert!(matches!(file.entry("a.py"), Err(Error::Torn { .. })));
    }
}
