use std::fs;
use std::path::{Path, PathBuf};

use opmeter_files::{LONGEST_TEXT, read_whole};
use sha2::{Digest, Sha256};

use crate::Error;

/// A Python file with a function that returns a program's source for a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Where it lies, absolute.
    pub path: PathBuf,
    /// Its file name: the key of its table in `range.toml`.
    pub name: String,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When it can't be read, or is no `NAME.py` in UTF-8.
    pub fn open(path: &Path) -> Result<Template, Error> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| name.strip_suffix(".py").is_some_and(|stem| !stem.is_empty()));
        let Some(name) = name.map(str::to_owned) else {
            return Err(Error::TemplateName { path: path.to_owned() });
        };
        let content = read_whole(path, LONGEST_TEXT).map_err(|source| Error::io("read", path, source))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // The folder is made absolute, not the file: a link's table belongs beside the link.
        let folder = fs::canonicalize(folder).map_err(|source| Error::io("find", folder, source))?;
        Ok(Template { path: folder.join(&name), name, sha256: sha256(&content) })
    }

    /// Its name without `.py`: what its programs' names begin with.
    pub fn stem(&self) -> &str {
        self.name.strip_suffix(".py").unwrap_or(&self.name)
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// The SHA-256 of a file's content, in hexadecimal digits.
pub(crate) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_knows_its_name_its_folder_and_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sorting.py");
        fs::write(&path, "abc").unwrap();
        let template = Template::open(&path).unwrap();
        assert_eq!((template.name.as_str(), template.stem()), ("sorting.py", "sorting"));
        assert_eq!(template.folder(), fs::canonicalize(folder.path()).unwrap());
        assert_eq!(template.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn what_is_no_python_file_is_refused() {
        for name in ["sorting", "sorting.txt", ".py"] {
            let error = Template::open(Path::new(name)).unwrap_err();
            assert!(matches!(error, Error::TemplateName { .. }), "{error}");
        }
        let error = Template::open(Path::new("/nowhere/at-all.py")).unwrap_err();
        assert!(error.to_string().contains("check the path"), "{error}");
    }
}
