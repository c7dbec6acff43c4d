//! Templates in a folder, and running the command on them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use opmeter_synthesis::{RangeEntry, RangeFile};
use tempfile::TempDir;

use crate::interpreters::any;

/// A target that no program here reaches.
pub const FAR: &str = "--target=60";

/// A folder with templates.
pub struct Templates(pub TempDir);

impl Templates {
    pub fn new(templates: &[(&str, &str)]) -> Templates {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in templates {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Templates(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opmeter"));
        command.current_dir(self.0.path()).args(arguments);
        command.arg("--python").arg(&any().path);
        command
    }

    /// Runs a subcommand of opmeter.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(&self.command(arguments).output().unwrap())
    }

    pub fn entry(&self, template: &str) -> RangeEntry {
        RangeFile::beside(self.0.path()).entry(template).unwrap().unwrap()
    }

    pub fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// What a command printed, and its status.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran { status: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// A template of a program that does this, where N stands for n.
pub fn template(body: &str) -> String {
    format!("def program(n):\n    return {:?}.replace('N', str(n))\n", format!("{body}\n"))
}
