use std::io;
use std::path::{Path, PathBuf};

use glob::Pattern;
use opmeter_recording::sha256_of_file;

use crate::config::{Config, WorkingFolder};
use crate::{Error, files};

/// A program of a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Its path from the folder on.
    pub place: PathBuf,
    /// Its absolute path.
    pub path: PathBuf,
    /// The SHA-256 of its content, hexadecimal; or why it can't be read.
    pub sha256: Result<String, String>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// A file that it reads as its standard input, with the SHA-256 of its content, if it has one.
    pub stdin: Option<(PathBuf, String)>,
    /// How long a run may take, in seconds, where that is another than that of all.
    pub timeout: Option<f64>,
    /// The exit status with which it ends when all is well.
    pub status: i32,
    /// Where it runs.
    pub working_folder: WorkingFolder,
}

impl Program {
    /// Its name: the path from the folder on. Bytes that are not UTF-8 are replaced.
    pub fn name(&self) -> String {
        self.place.to_string_lossy().into_owned()
    }
}

/// The programs of a folder, by name. Folders in `left_out`, such as that of the results, are not looked into.
///
/// # Errors
/// [`Error::Io`] where the folder can't be read, [`Error::Config`] where a pattern is none, a program is configured that
/// is not there, or its standard input can't be read.
pub fn programs(folder: &Path, config: &Config, left_out: &[PathBuf]) -> Result<Vec<Program>, Error> {
    let wrong = |reason: String| Error::Config { path: folder.join(Config::FILE), reason };
    let patterns = |texts: &[String]| {
        let patterns = texts.iter().map(|text| {
            Pattern::new(text).map_err(|error| wrong(format!("{text:?} is no pattern: {}", error.msg)))
        });
        patterns.collect::<Result<Vec<Pattern>, Error>>()
    };
    let usual = ["*.py".to_owned()];
    let wanted = patterns(if config.programs.is_empty() { &usual } else { &config.programs })?;
    let exclude = patterns(&config.exclude)?;
    let all =
        files::matching(folder, &wanted, left_out).map_err(|source| Error::io("read", folder, source))?;
    let places = all
        .into_iter()
        .filter(|place| !exclude.iter().any(|pattern| pattern.matches(&place.to_string_lossy())));
    let places: Vec<PathBuf> = places.collect();
    let is_there = |name: &String| places.iter().any(|place| place.as_os_str() == name.as_str());
    if let Some(name) = config.program.keys().find(|name| !is_there(name)) {
        return Err(wrong(format!("it has a section of {name:?}, which is no program of the folder")));
    }
    let stdin = |path: Option<&PathBuf>| {
        let Some(path) = path.map(|path| folder.join(path)) else { return Ok(None) };
        let read =
            |error: io::Error| wrong(format!("the standard input {} can't be read: {error}", path.display()));
        let (_, sha256) = sha256_of_file(&path).map_err(read)?;
        Ok(Some((path, sha256)))
    };
    let mut programs = Vec::new();
    for place in places {
        let own = place.to_str().and_then(|name| config.program.get(name)).cloned().unwrap_or_default();
        if own.skip {
            continue;
        }
        let path = folder.join(&place);
        programs.push(Program {
            sha256: sha256_of_file(&path).map(|(_, sha256)| sha256).map_err(|error| error.to_string()),
            arguments: own.arguments.or_else(|| config.arguments.clone()).unwrap_or_default(),
            stdin: stdin(own.stdin.as_ref().or(config.stdin.as_ref()))?,
            timeout: own.timeout,
            status: own.status.or(config.status).unwrap_or(0),
            working_folder: own.working_folder.or(config.working_folder).unwrap_or_default(),
            place,
            path,
        });
    }
    Ok(programs)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use opmeter_recording::sha256_of_bytes;

    use super::*;

    #[test]
    fn programs_are_found_with_what_the_configuration_says() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.py", "b c ü.py", "helper.py", "data.txt", "left.py"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let config: Config = toml_edit::de::from_str(
            "exclude = ['help*']\narguments = ['x']\n[program.'b c ü.py']\narguments = []\nstdin = 'data.txt'\n\
             status = 3\n[program.'left.py']\nskip = true",
        )
        .unwrap();
        let programs = programs(folder.path(), &config, &[]).unwrap();
        let names: Vec<String> = programs.iter().map(Program::name).collect();
        assert_eq!(names, ["a.py", "b c ü.py"]);
        assert_eq!((&programs[0].arguments[..], programs[0].status), (&["x".to_owned()][..], 0));
        assert_eq!((programs[1].arguments.len(), programs[1].status), (0, 3));
        let (path, sha256) = programs[1].stdin.as_ref().unwrap();
        assert!(path.ends_with("data.txt") && *sha256 == sha256_of_bytes(b"data.txt"));
        assert_eq!(programs[0].sha256, Ok(sha256_of_bytes(b"a.py")));
    }

    #[test]
    fn what_is_configured_and_is_not_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.py"), "").unwrap();
        let failure = |text: &str| {
            programs(folder.path(), &toml_edit::de::from_str(text).unwrap(), &[]).unwrap_err().to_string()
        };
        assert!(failure("[program.'b.py']").contains("section of \"b.py\""));
        assert!(failure("[program.'a.py']\nstdin = 'none'").contains("none can't be read"));
        assert!(failure("programs = ['a[']").contains("is no pattern"));
    }
}
