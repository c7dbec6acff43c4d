use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use serde::Deserialize;

use crate::Error;
use crate::bounded_process::{self, Ending};
use crate::failure::last_line;

/// The Python that evaluates templates and runs programs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Interpreter {
    /// Its executable, as it names it itself: what a launcher in front of it takes is not the programs' time.
    pub executable: PathBuf,
    /// Its version, such as `3.13.0`.
    pub version: String,
    /// Its implementation, such as `CPython`.
    pub implementation: String,
}

const QUESTION: &str = "\
import json, platform, sys
print(json.dumps({'executable': sys.executable, 'version': platform.python_version(),
    'implementation': platform.python_implementation()}))
print(int(sys.version_info >= (3, 8)))
";

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl Interpreter {
    /// Asks the interpreter that runs as `name`, a path or a command in `PATH`, what it is. `signal` becomes
    /// the number of a signal that asks to end.
    ///
    /// # Errors
    /// When there is none, or it is older than 3.8.
    pub fn find(name: &OsStr, signal: &AtomicUsize) -> Result<Interpreter, Error> {
        let refused =
            |reason: String| Error::Interpreter { name: name.to_string_lossy().into_owned(), reason };
        let mut command = Command::new(name);
        let ending = bounded_process::run(command.args(["-c", QUESTION]), PATIENCE, u64::MAX, false, signal)
            .map_err(|error| refused(format!("could not be started: {error}")))?;
        let (status, stdout, stderr) = match ending {
            Ending::Exited { status, stdout, stderr, .. } => (status, stdout, stderr),
            Ending::TimedOut => return Err(refused("does not answer".to_owned())),
            Ending::Interrupted(signal) => return Err(Error::Interrupted { signal }),
        };
        let mut lines = stdout.lines();
        let answer = lines.next().and_then(|line| serde_json::from_str::<Interpreter>(line).ok());
        let Some(found) = answer.filter(|found| !found.executable.as_os_str().is_empty()) else {
            let said = last_line(status, &stderr);
            return Err(refused(format!("is no Python 3.8 or later that says what it is ({said})")));
        };
        if lines.next() != Some("1") {
            return Err(refused(format!("is Python {}; templates need 3.8 or later", found.version)));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_python_is_refused() {
        for (name, told) in [("/nowhere/python3", "could not be started"), ("/bin/false", "exit status 1")] {
            let error = Interpreter::find(name.as_ref(), &AtomicUsize::new(0)).unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
            assert!(error.to_string().contains("--python"), "{error}");
        }
    }
}
