use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use opmeter_files::{LONGEST_TEXT, brief, read_text};
use serde::Deserialize;

use crate::Error;
use crate::options::HashSeed;

/// What `opmeter.toml` in a folder says of measuring it. All of it may be left out, and the command line goes before it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Patterns of the programs' paths, from the folder on; `*.py` where there are none.
    pub programs: Vec<String>,
    /// Patterns of paths that are no programs.
    pub exclude: Vec<String>,
    /// Interpreters: versions such as `3.8`, names, or paths, from the folder on.
    pub python: Vec<String>,
    /// Where the results go, from the folder on.
    pub results: Option<PathBuf>,
    /// Runs without the agent.
    pub runs: Option<u32>,
    /// Runs before these that do not count.
    pub warmup: Option<u32>,
    /// How long a run may take, in seconds.
    pub timeout: Option<f64>,
    /// Whether times are taken, or in which share of the run.
    pub time: Option<Switch>,
    /// Whether every execution is recorded.
    pub events: Option<bool>,
    /// Whether pairs of opcodes are counted.
    pub pairs: Option<bool>,
    /// Whether energy is measured, where there are counters.
    pub energy: Option<bool>,
    /// The power from which energy is estimated, in watts.
    pub watts: Option<f64>,
    /// How long the idle power is measured, in seconds.
    pub idle: Option<f64>,
    /// What `PYTHONHASHSEED` is.
    pub hash_seed: Option<HashSeed>,
    /// The arguments of all programs that have none of their own.
    pub arguments: Option<Vec<String>>,
    /// A file that these programs read as their standard input, from the folder on.
    pub stdin: Option<PathBuf>,
    /// The exit status with which they end when all is well.
    pub status: Option<i32>,
    /// Where they run.
    pub working_folder: Option<WorkingFolder>,
    /// What single programs have, by their paths from the folder on.
    pub program: BTreeMap<String, ProgramConfig>,
}

/// What a program has of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProgramConfig {
    /// Whether it is not measured.
    pub skip: bool,
    /// Its arguments.
    pub arguments: Option<Vec<String>>,
    /// A file that it reads as its standard input, from the folder on.
    pub stdin: Option<PathBuf>,
    /// How long a run may take, in seconds.
    pub timeout: Option<f64>,
    /// The exit status with which it ends when all is well.
    pub status: Option<i32>,
    /// Where it runs.
    pub working_folder: Option<WorkingFolder>,
}

/// Where a program runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkingFolder {
    /// In a new folder each time, with links to the files beside the program.
    #[default]
    Scratch,
    /// In the program's own folder.
    Program,
}

/// On, off, or on to a degree.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Switch {
    /// On or off.
    OnOff(bool),
    /// A share, from 0 to 1.
    Share(f64),
}

impl Config {
    /// The configuration's file in a folder.
    pub const FILE: &'static str = "opmeter.toml";

    /// Reads the configuration of a folder; an empty one where there is none.
    ///
    /// # Errors
    /// [`Error::Io`] where the file can't be read, [`Error::Config`] where it says what can't be.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::FILE);
        let text = match read_text(&path, LONGEST_TEXT) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::io("read", &path, source)),
        };
        let wrong = |reason: String| Error::Config { path: path.clone(), reason };
        let config: Self =
            toml_edit::de::from_str(&text).map_err(|error| wrong(brief(error.to_string().trim())))?;
        config.check().map_err(wrong)?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let timeouts = self.program.iter().map(|(name, program)| (name.as_str(), program.timeout));
        for (of, timeout) in timeouts.chain([("timeout", self.timeout)]) {
            if timeout.is_some_and(|seconds| !(seconds > 0.0 && seconds.is_finite())) {
                return Err(format!("{of}: a time limit is a number of seconds above 0"));
            }
        }
        if self.watts.is_some_and(|watts| !(watts > 0.0 && watts.is_finite())) {
            return Err("watts: a power is a number above 0".to_owned());
        }
        if self.idle.is_some_and(|seconds| !(0.0..=86_400.0).contains(&seconds)) {
            return Err("idle: a number of seconds, from 0 to a day".to_owned());
        }
        if let Some(Switch::Share(share)) = self.time
            && !(share > 0.0 && share <= 1.0)
        {
            return Err("time: true, false, or a share of the run above 0, and 1 at most".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Config, Error> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(Config::FILE), text).unwrap();
        Config::read(folder.path())
    }

    #[test]
    fn a_folder_without_one_has_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Config::read(folder.path()).unwrap(), Config::default());
        assert_eq!(read("").unwrap(), Config::default());
    }

    #[test]
    fn all_of_it_is_read() {
        let config = read(
            "programs = ['*.py', 'sub/*.py']\nexclude = ['helper.py']\npython = ['3.8']\nresults = 'out'\n\
             runs = 3\nwarmup = 1\ntimeout = 60\ntime = 0.5\nevents = false\npairs = true\nenergy = false\n\
             watts = 15\nidle = 0\nhash-seed = 'random'\narguments = ['10']\nstatus = 3\nworking-folder = 'program'\n\
             [program.'a b.py']\narguments = ['1', '2']\nstdin = 'data.txt'\ntimeout = 0.5\nstatus = 1\n\
             [program.'other.py']\nskip = true\nworking-folder = 'scratch'\n",
        )
        .unwrap();
        assert_eq!((config.runs, config.timeout, config.watts), (Some(3), Some(60.0), Some(15.0)));
        assert_eq!((config.time, config.hash_seed), (Some(Switch::Share(0.5)), Some(HashSeed::Random)));
        assert_eq!(config.working_folder, Some(WorkingFolder::Program));
        let program = &config.program["a b.py"];
        assert_eq!(program.stdin, Some(PathBuf::from("data.txt")));
        assert_eq!((program.timeout, program.status, program.skip), (Some(0.5), Some(1), false));
        assert!(config.program["other.py"].skip);
        assert_eq!(read("time = true\nhash-seed = 7").unwrap().time, Some(Switch::OnOff(true)));
    }

    #[test]
    fn what_can_not_be_is_told_with_its_place() {
        for (text, part) in [
            ("runs = 'many'", "line 1"),
            ("rnus = 3", "rnus"),
            ("\n[program.'a.py']\nargument = []", "argument"),
            ("timeout = 0", "timeout: a time limit"),
            ("[program.'a.py']\ntimeout = -1", "a.py: a time limit"),
            ("watts = -5", "watts: a power"),
            ("idle = -5", "idle: a number"),
            ("time = 1.5", "time: true, false"),
            ("hash-seed = 'often'", "line 1"),
            ("runs = ", "line 1"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("opmeter.toml can't be used") && error.contains(part), "{text}: {error}");
        }
    }
}
