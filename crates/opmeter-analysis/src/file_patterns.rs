use std::fmt;

use glob::{MatchOptions, Pattern};

/// Patterns that say which files a report is about.
///
/// A pattern is a glob: `*` and `?` stand for anything within a folder's or file's name, `**` for any
/// folders, `[ab]` for one of these characters. It fits a whole path, or the end of one from some folder
/// on, and a folder that it fits takes all below it: `bench.py`, `src/*.py` and `/home/me/project` do what
/// one expects.
#[derive(Debug, Clone, Default)]
pub struct FilePatterns {
    include: Vec<Glob>,
    exclude: Vec<Glob>,
}

/// One pattern, as it was written, and in all its readings.
#[derive(Debug, Clone)]
struct Glob {
    text: String,
    readings: Vec<Pattern>,
}

/// Patterns that fit none of the files they were to choose from, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdlePatterns {
    /// Those of files to include.
    pub include: Vec<String>,
    /// Those of files to exclude.
    pub exclude: Vec<String>,
    /// Whether files are to be included, and none is.
    pub is_nothing_included: bool,
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    pattern: String,
    reason: &'static str,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no pattern of files: {}; put [ ] around a character that stands for itself",
            self.pattern, self.reason
        )
    }
}

impl std::error::Error for PatternError {}

impl Glob {
    fn new(text: &str) -> Result<Glob, PatternError> {
        let written = text;
        let text = text.trim_end_matches('/');
        let text = text.strip_prefix("./").unwrap_or(text);
        let mut readings = vec![text.to_owned(), format!("{text}/**")];
        if !text.starts_with('/') {
            readings.extend([format!("**/{text}"), format!("**/{text}/**")]);
        }
        let patterns = readings.iter().map(|reading| Pattern::new(reading)).collect::<Result<_, _>>();
        patterns
            .map(|readings| Glob { text: written.to_owned(), readings })
            .map_err(|error| PatternError { pattern: text.to_owned(), reason: error.msg })
    }

    fn fits(&self, file: &str) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        self.readings.iter().any(|pattern| pattern.matches_with(file, options))
    }
}

impl FilePatterns {
    /// Takes the files that fit any of `include` (all where there are none), but none of `exclude`.
    ///
    /// # Errors
    /// [`PatternError`] where one is no pattern.
    pub fn new(include: &[String], exclude: &[String]) -> Result<FilePatterns, PatternError> {
        let globs = |texts: &[String]| texts.iter().map(|text| Glob::new(text)).collect::<Result<_, _>>();
        Ok(FilePatterns { include: globs(include)?, exclude: globs(exclude)? })
    }

    /// Whether there are none: all files are taken.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// The patterns that fit none of these files, each given by its names (its own and its absolute path).
    pub fn idle(&self, files: &[Vec<&str>]) -> IdlePatterns {
        let idle = |globs: &[Glob]| -> Vec<String> {
            let fits = |glob: &Glob| files.iter().flatten().any(|name| glob.fits(name));
            globs.iter().filter(|glob| !fits(glob)).map(|glob| glob.text.clone()).collect()
        };
        let (include, exclude) = (idle(&self.include), idle(&self.exclude));
        let is_nothing_included = !include.is_empty() && include.len() == self.include.len();
        IdlePatterns { include, exclude, is_nothing_included }
    }

    /// Whether a file is asked for by name.
    pub(crate) fn asks_for(&self, names: &[&str]) -> bool {
        any(&self.include, names)
    }

    /// Whether a file with these names (its own and its absolute path) is taken.
    pub(crate) fn takes(&self, names: &[&str]) -> bool {
        (self.include.is_empty() || any(&self.include, names)) && !any(&self.exclude, names)
    }
}

fn any(globs: &[Glob], names: &[&str]) -> bool {
    globs.iter().any(|glob| names.iter().any(|name| glob.fits(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, file: &str) -> bool {
        FilePatterns::new(&[pattern.to_owned()], &[]).unwrap().takes(&[file])
    }

    #[test]
    fn patterns_fit_paths_their_ends_and_all_below_a_folder() {
        for (pattern, file) in [
            ("bench.py", "bench.py"),
            ("bench.py", "/home/me/bench.py"),
            ("*.py", "/home/me/bench.py"),
            ("me/*.py", "/home/me/bench.py"),
            ("./me/bench.py", "/home/me/bench.py"),
            ("/home/me", "/home/me/a/b/bench.py"),
            ("me/", "/home/me/a/b/bench.py"),
            ("/home/**/bench.py", "/home/me/a/bench.py"),
            ("json", "/usr/lib/python3.11/json/decoder.py"),
            ("<frozen *>", "<frozen posixpath>"),
            ("b[ae]nch.py", "/home/me/bench.py"),
        ] {
            assert!(fits(pattern, file), "{pattern} {file}");
        }
        for (pattern, file) in [
            ("ench.py", "/home/me/bench.py"),
            ("/home/*.py", "/home/me/bench.py"),
            ("/bench.py", "/home/me/bench.py"),
            ("me/*.py", "/home/me/a/bench.py"),
        ] {
            assert!(!fits(pattern, file), "{pattern} {file}");
        }
    }

    #[test]
    fn what_is_excluded_is_left_out_even_where_it_is_included() {
        let patterns = FilePatterns::new(&["me".to_owned()], &["*_test.py".to_owned()]).unwrap();
        assert!(patterns.takes(&["/home/me/a.py"]));
        assert!(!patterns.takes(&["/home/me/a_test.py"]));
        assert!(!patterns.takes(&["/home/you/a.py"]));
        assert!(patterns.takes(&["a.py", "/home/me/a.py"]));
    }

    #[test]
    fn patterns_that_fit_nothing_are_told() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        let idle = |include: &[&str], exclude: &[&str]| {
            let patterns = FilePatterns::new(&texts(include), &texts(exclude)).unwrap();
            patterns.idle(&[vec!["a.py", "/home/me/a.py"], vec!["<frozen os>"]])
        };
        let expected = |include: &[&str], exclude: &[&str], is_nothing_included| IdlePatterns {
            include: texts(include),
            exclude: texts(exclude),
            is_nothing_included,
        };
        assert_eq!(idle(&["a.py"], &["me/"]), expected(&[], &[], false));
        assert_eq!(idle(&["a.py", "./b.py"], &["c/"]), expected(&["./b.py"], &["c/"], false));
        assert_eq!(idle(&["b.py"], &[]), expected(&["b.py"], &[], true));
        assert_eq!(idle(&[], &[]), expected(&[], &[], false));
    }

    #[test]
    fn no_pattern_is_an_error() {
        let error = FilePatterns::new(&["a[".to_owned()], &[]).unwrap_err();
        assert!(error.to_string().starts_with("\"a[\" is no pattern of files: "), "{error}");
    }
}
