use std::collections::HashMap;

use opmeter_recording::Tables;

use crate::{FilePatterns, Origin};

/// How a report shows what ran in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// Under its own name.
    Itself,
    /// Added up with everything else of the same origin.
    Folded(Origin),
    /// Not at all: patterns leave it out.
    LeftOut,
}

/// The files of a recording, and how each is shown.
#[derive(Debug)]
pub struct Files<'a> {
    paths: HashMap<&'a str, &'a str>,
    shown: HashMap<&'a str, Shown>,
    patterns: &'a FilePatterns,
    unfolded: bool,
}

impl<'a> Files<'a> {
    /// Sorts the files of a recording. The standard library and installed packages are folded unless a
    /// pattern asks for them, or `unfolded` says to show every file.
    pub fn new(tables: &'a Tables, patterns: &'a FilePatterns, unfolded: bool) -> Files<'a> {
        let paths = tables.sources.iter().map(|source| (&*source.file, source.path.as_str()));
        let mut files = Files { paths: paths.collect(), shown: HashMap::new(), patterns, unfolded };
        let names = tables.lines.iter().map(|row| &*row.file);
        for file in names.chain(tables.specialization.iter().map(|row| &*row.file)) {
            if !files.shown.contains_key(file) {
                let shown = files.sort(file);
                files.shown.insert(file, shown);
            }
        }
        files
    }

    /// How a file is shown.
    pub fn shown(&self, file: &str) -> Shown {
        self.shown.get(file).copied().unwrap_or_else(|| self.sort(file))
    }

    /// Whether what ran in a file counts.
    pub fn takes(&self, file: &str) -> bool {
        self.shown(file) != Shown::LeftOut
    }

    /// Whether patterns choose among the files, so that what runs in all of them is more than what is taken.
    pub fn are_chosen(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// The file's absolute path, where it is known.
    pub fn path(&self, file: &str) -> Option<&'a str> {
        self.paths.get(file).copied().filter(|path| !path.is_empty())
    }

    fn sort(&self, file: &str) -> Shown {
        let path = self.path(file);
        let names = [file, path.unwrap_or(file)];
        if !self.patterns.takes(&names) {
            return Shown::LeftOut;
        }
        // A relative name says little; a path may.
        match names.map(Origin::of) {
            [Origin::Program, Origin::Program] => Shown::Itself,
            [Origin::Interpreter, _] => Shown::Folded(Origin::Interpreter),
            _ if self.unfolded || self.patterns.asks_for(&names) => Shown::Itself,
            [Origin::Program, origin] | [origin, _] => Shown::Folded(origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use opmeter_recording::SourceRow;

    use super::*;

    const LIBRARY: &str = "/usr/lib/python3.11/json/decoder.py";
    const PACKAGE: &str = "/v/lib/python3.11/site-packages/a.py";

    fn shown(include: &[&str], unfolded: bool, file: &str) -> Shown {
        let source = SourceRow {
            file: "os.py".into(),
            path: "/usr/lib/python3.11/os.py".into(),
            size: 1,
            sha256: String::new(),
            changed: 0,
        };
        let tables = Tables { sources: vec![source], ..Tables::default() };
        let include: Vec<String> = include.iter().map(|&text| text.to_owned()).collect();
        let patterns = FilePatterns::new(&include, &["left_out.py".to_owned()]).unwrap();
        Files::new(&tables, &patterns, unfolded).shown(file)
    }

    #[test]
    fn libraries_are_folded_unless_they_are_asked_for() {
        assert_eq!(shown(&[], false, "bench.py"), Shown::Itself);
        assert_eq!(shown(&[], false, LIBRARY), Shown::Folded(Origin::StandardLibrary));
        assert_eq!(shown(&[], false, "os.py"), Shown::Folded(Origin::StandardLibrary));
        assert_eq!(shown(&[], false, PACKAGE), Shown::Folded(Origin::SitePackages));
        assert_eq!(shown(&[], false, ""), Shown::Folded(Origin::Interpreter));
        assert_eq!(shown(&[], true, LIBRARY), Shown::Itself);
        assert_eq!(shown(&[], true, ""), Shown::Folded(Origin::Interpreter));
        assert_eq!(shown(&["json"], false, LIBRARY), Shown::Itself);
        assert_eq!(shown(&["json"], false, PACKAGE), Shown::LeftOut);
        assert_eq!(shown(&[], true, "/home/left_out.py"), Shown::LeftOut);
    }
}
