use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::synthesized_file::{self, SynthesizedRow};
use crate::template::sha256;
use crate::toml_file::write_whole;
use crate::{Error, Template};

/// The least digits of a size in a program's name.
const DIGITS: usize = 6;

/// The name of a template's program: padded with zeros, so that the programs up to `largest` sort by size.
pub fn program_name(template: &Template, n: u64, largest: u64) -> String {
    let digits = largest.to_string().len().max(DIGITS);
    format!("{}-n{n:0digits$}.py", template.stem())
}

/// A folder of programs, with what is to be written to it.
pub struct ProgramFolder {
    path: PathBuf,
    programs: BTreeMap<String, (SynthesizedRow, Vec<u8>)>,
}

/// How many programs were written, and how many were there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Programs that are new.
    pub new: usize,
    /// Programs in whose place others were.
    pub replaced: usize,
    /// Programs that were there.
    pub same: usize,
}

impl ProgramFolder {
    /// A folder to be written to, whether it is there or not.
    pub fn new(path: &Path) -> ProgramFolder {
        ProgramFolder { path: path.to_owned(), programs: BTreeMap::new() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a program to be written, under this name.
    pub fn add(&mut self, name: String, template: &Template, n: u64, source: Vec<u8>) {
        let row = SynthesizedRow {
            template: template.name.clone(),
            template_sha256: template.sha256.clone(),
            n,
            sha256: sha256(&source),
        };
        self.programs.insert(name, (row, source));
    }

    /// Looks whether all can be written: with `force`, also over other programs.
    ///
    /// # Errors
    /// When a program's place is taken by another one, or can't be looked at.
    pub fn check(&self, force: bool) -> Result<(), Error> {
        let mut others = Vec::new();
        for (name, (_, source)) in &self.programs {
            let path = self.path.join(name);
            match fs::read(&path) {
                Ok(present) if present == *source || force => {}
                Ok(_) => others.push(path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::io("read", path, source)),
            }
        }
        let count = others.len();
        match others.into_iter().next() {
            Some(path) => Err(Error::Exists { path, others: count - 1 }),
            None => Ok(()),
        }
    }

    /// Writes the programs, and `synthesized.toml`. Those that are there already are left alone.
    ///
    /// # Errors
    /// When something can't be written.
    pub fn write(self) -> Result<Written, Error> {
        fs::create_dir_all(&self.path).map_err(|source| Error::io("make", &self.path, source))?;
        let mut written = Written { new: 0, replaced: 0, same: 0 };
        let mut rows = BTreeMap::new();
        for (name, (row, source)) in self.programs {
            let path = self.path.join(&name);
            match fs::read(&path) {
                Ok(present) if present == source => written.same += 1,
                Ok(_) => {
                    write_whole(&path, &source)?;
                    written.replaced += 1;
                }
                Err(_) => {
                    write_whole(&path, &source)?;
                    written.new += 1;
                }
            }
            rows.insert(name, row);
        }
        synthesized_file::add(&self.path, rows)?;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(name: &str) -> Template {
        Template { path: PathBuf::from("/t").join(name), name: name.to_owned(), sha256: "00".to_owned() }
    }

    fn folder(path: &Path, source: &str) -> ProgramFolder {
        let mut folder = ProgramFolder::new(path);
        folder.add("a-n000001.py".to_owned(), &template("a.py"), 1, b"pass\n".to_vec());
        folder.add("a-n000002.py".to_owned(), &template("a.py"), 2, source.as_bytes().to_vec());
        folder
    }

    #[test]
    fn names_sort_by_size() {
        let names = [1, 9, 10, 12_345_678].map(|n| program_name(&template("sorting.py"), n, 12_345_678));
        assert!(names.is_sorted());
        assert_eq!(program_name(&template("sorting.py"), 123, 5000), "sorting-n000123.py");
    }

    #[test]
    fn what_differs_is_kept_unless_forced() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("deep/programs");
        let first = folder(&path, "1\n").write().unwrap();
        assert_eq!(first, Written { new: 2, replaced: 0, same: 0 });
        let before = fs::read(path.join("synthesized.toml")).unwrap();
        assert_eq!(folder(&path, "1\n").write().unwrap(), Written { new: 0, replaced: 0, same: 2 });
        assert_eq!(fs::read(path.join("synthesized.toml")).unwrap(), before);
        let error = folder(&path, "2\n").check(false).unwrap_err().to_string();
        assert!(error.contains("a-n000002.py") && error.contains("--force"), "{error}");
        folder(&path, "2\n").check(true).unwrap();
        assert_eq!(folder(&path, "2\n").write().unwrap(), Written { new: 0, replaced: 1, same: 1 });
    }

    #[test]
    fn rows_stay_as_long_as_their_programs_do() {
        let scratch = tempfile::tempdir().unwrap();
        folder(scratch.path(), "1\n").write().unwrap();
        fs::remove_file(scratch.path().join("a-n000001.py")).unwrap();
        let mut other = ProgramFolder::new(scratch.path());
        other.add("b-n000001.py".to_owned(), &template("b.py"), 1, b"pass\n".to_vec());
        other.write().unwrap();
        let text = fs::read_to_string(scratch.path().join("synthesized.toml")).unwrap();
        assert!(text.contains("[\"a-n000002.py\"]") && text.contains("[\"b-n000001.py\"]"), "{text}");
        assert!(!text.contains("a-n000001.py"), "{text}");
    }
}
