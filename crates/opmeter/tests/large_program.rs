//! A large program runs as it would without the meter, and all of it is counted.
#![allow(clippy::unwrap_used)]

#[path = "support/at_once.rs"]
mod at_once;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::path::Path;
use std::process::Command;

use interpreters::one_of_each_version;
use opmeter_recording::Phase;
use recorded::{opmeter, record_with};

#[test]
fn a_large_program_is_counted_whole_and_prints_the_same() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/large_program.py");
    at_once::each(&one_of_each_version(), |interpreter| {
        let name = interpreter.path.display();
        let native = Command::new(&interpreter.path).arg(&program).output().unwrap();
        assert!(native.status.success(), "{name}: {}", String::from_utf8_lossy(&native.stderr));
        let recorded =
            record_with(&["--pairs", "--quiet"], [interpreter.path.as_os_str(), program.as_os_str()]);
        assert_eq!(recorded.output, native, "{name}");
        let recording = recorded.recording();
        let by_place = !(interpreter.free_threaded && interpreter.version >= (3, 14));
        assert_eq!(recording.manifest.complete, by_place, "{name}: {:?}", recording.manifest.incomplete);
        let check = ["report", "out.opm", "--check"];
        let check = opmeter().current_dir(recorded.folder()).args(check).output().unwrap();
        assert!(check.status.success(), "{name}: {}", String::from_utf8_lossy(&check.stdout));
        let main = recording.tables.opcodes.iter().filter(|row| row.phase == Phase::Main);
        let executed: u64 = main.map(|row| row.executions).sum();
        assert!(executed > 10_000_000, "{name}: {executed}");
    });
}
