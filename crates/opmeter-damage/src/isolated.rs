use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::process::{Resource, Rlimit, setrlimit};

/// In the process of the cases, the file in which the present one is named.
const VARIABLE: &str = "OPMETER_DAMAGE_CASE";

/// Names the present case, for whoever looks why its process ended.
pub struct Case(File);

impl Case {
    /// From now on, this is the case.
    ///
    /// # Panics
    /// When it can't be noted.
    pub fn is(&self, name: &str) {
        let name = format!("{name:<100}");
        assert!(self.0.write_all_at(name.as_bytes(), 0).is_ok(), "the case can't be noted");
    }
}

/// Runs the cases of the test of this name in a process of their own, which may have so many MiB of data. Takes no longer
/// than `seconds`.
///
/// A process is what memory can be limited of without unsafe code; it survives neither a panic nor an allocation that
/// fails, and both fail the test, with the case in which it happened.
///
/// # Panics
/// When the process ends otherwise than well, or does not end.
pub fn isolated(test: &str, mebibytes: u64, seconds: u64, cases: impl FnOnce(&Case)) {
    if let Some(path) = env::var_os(VARIABLE) {
        let limit = Some(mebibytes << 20);
        // Private mappings that can be written to, and the heap. Address space alone costs nothing.
        let limited = setrlimit(Resource::Data, Rlimit { current: limit, maximum: limit });
        let case = File::options().write(true).open(path);
        let (Ok(()), Ok(case)) = (limited, case) else { panic!("the process of the cases can't be set up") };
        return cases(&Case(case));
    }
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for the case: {error}"));
    let path = folder.path().join("case");
    let output = fs::write(&path, "").and_then(|()| run(test, &path, Duration::from_secs(seconds)));
    let case = fs::read_to_string(&path).unwrap_or_default();
    match output {
        Ok((true, _)) => {}
        Ok((false, text)) => panic!("case {}:\n{text}", case.trim_end()),
        Err(error) => panic!("case {}: {error}", case.trim_end()),
    }
}

/// Whether the process ended well, and what it printed.
fn run(test: &str, case: &Path, limit: Duration) -> std::io::Result<(bool, String)> {
    let mut child = Command::new(env::current_exe()?)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, case)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take();
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        stderr.into_iter().for_each(|mut stderr| drop(stderr.read_to_end(&mut text)));
        String::from_utf8_lossy(&text[text.len().saturating_sub(4000)..]).into_owned()
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Err(std::io::Error::other(format!("it has not ended after {} s", limit.as_secs())));
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = reader.join().unwrap_or_default();
    Ok((status.success(), format!("{status}\n{text}")))
}
