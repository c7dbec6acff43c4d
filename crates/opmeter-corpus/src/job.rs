use opmeter_recording::sha256_of_bytes;

use crate::{Interpreter, Options, Program};

/// The version of what results consist of: results of another are made again.
const VERSION: u32 = 1;

/// A program on an interpreter, to be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The program.
    pub program: Program,
    /// The interpreter.
    pub interpreter: Interpreter,
    /// How it is measured.
    pub options: Options,
    /// How long a run may take, in seconds.
    pub timeout: f64,
}

impl Job {
    /// A hash of all that the result depends on, hexadecimal: results with the same are of the same program, on the
    /// same interpreter, measured in the same way. The time limit is not part of it.
    pub fn key(&self) -> String {
        let program = &self.program;
        let parts = serde_json::json!([
            VERSION,
            program.name(),
            program.sha256,
            program.arguments,
            program.stdin.as_ref().map(|(_, sha256)| sha256),
            program.status,
            format!("{:?}", program.working_folder),
            self.interpreter.identity,
            self.options,
        ]);
        sha256_of_bytes(parts.to_string().as_bytes())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::WorkingFolder;
    use crate::options::{EnergyWish, HashSeed};

    pub(crate) fn job() -> Job {
        Job {
            program: Program {
                place: PathBuf::from("a.py"),
                path: PathBuf::from("/programs/a.py"),
                sha256: Ok("00ff".to_owned()),
                arguments: vec![],
                stdin: None,
                timeout: None,
                status: 0,
                working_folder: WorkingFolder::Scratch,
            },
            interpreter: Interpreter {
                path: PathBuf::from("/usr/bin/python3"),
                implementation: "cpython".to_owned(),
                python: "3.11.7".to_owned(),
                free_threaded: false,
                identity: "123456789".to_owned(),
            },
            options: Options {
                runs: 5,
                warmup: 0,
                time: None,
                events: false,
                max_events: None,
                pairs: false,
                energy: EnergyWish::Counters,
                hash_seed: HashSeed::Number(0),
            },
            timeout: 60.0,
        }
    }

    #[test]
    fn keys_are_the_same_for_the_same_work_only() {
        let key = job().key();
        let same = Job { timeout: 1.0, ..job() };
        assert_eq!(same.key(), key);
        let mut elsewhere = job();
        elsewhere.program.path = PathBuf::from("/elsewhere/a.py");
        assert_eq!(elsewhere.key(), key);
        let changes: [fn(&mut Job); 7] = [
            |job| job.program.sha256 = Ok("00fe".to_owned()),
            |job| job.program.place = PathBuf::from("b.py"),
            |job| job.program.arguments.push("1".to_owned()),
            |job| job.program.stdin = Some((PathBuf::new(), "00".to_owned())),
            |job| job.interpreter.identity.push('0'),
            |job| job.options.energy = EnergyWish::Watts(15.0),
            |job| job.options.hash_seed = HashSeed::Random,
        ];
        for change in changes {
            let mut other = job();
            change(&mut other);
            assert_ne!(other.key(), key, "{other:?}");
        }
    }
}
