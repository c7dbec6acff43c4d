//! A program with and without the meter.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use opmeter_recording::{Phase, Recording};

use crate::interpreters::Interpreter;

/// The command's executable.
pub const OPMETER: &str = env!("CARGO_BIN_EXE_opmeter");

/// A line of the shell, to be run in a folder.
pub fn shell(folder: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-c", script]).stdin(Stdio::null());
    // Where a program crashes, what is printed must not depend on the user's settings.
    command.env_remove("PYTHONFAULTHANDLER").env("PYTHONHASHSEED", "0");
    command
}

/// Runs `script` with `$RUN` standing for the interpreter under the meter, which writes `out.opm` in the folder.
pub fn metered(interpreter: &Interpreter, folder: &Path, script: &str) -> Output {
    let run =
        format!("{OPMETER} record --quiet --force -o {} -- {}", out(folder), interpreter.path.display());
    shell(folder, script).env("RUN", run).output().unwrap()
}

/// Runs `script` with `$RUN` standing for the interpreter.
pub fn native(interpreter: &Interpreter, folder: &Path, script: &str) -> Output {
    shell(folder, script).env("RUN", interpreter.path.as_os_str()).output().unwrap()
}

/// Runs `script` with `$RUN` standing for the interpreter, then for the interpreter under the meter, each in a folder of
/// its own, and asserts that both print the same and end the same. Gives the folder with the recording, `out.opm`, and
/// what was printed.
///
/// Addresses and the folder in what programs print are left out; numbers of processes may not be in it.
pub fn both(interpreter: &Interpreter, program: &str, script: &str) -> (tempfile::TempDir, Output) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        std::fs::write(folder.path().join("program.py"), program).unwrap();
    }
    let [native_folder, metered_folder] = folders;
    let native = native(interpreter, native_folder.path(), script);
    let with = metered(interpreter, metered_folder.path(), script);
    let name = interpreter.path.display();
    let text = |bytes: &[u8], folder: &tempfile::TempDir| {
        let text = String::from_utf8_lossy(bytes);
        without_addresses(&text.replace(&*folder.path().to_string_lossy(), ""))
    };
    let errors = text(&with.stderr, &metered_folder);
    assert_eq!(text(&with.stdout, &metered_folder), text(&native.stdout, &native_folder), "{name}: {errors}");
    assert_eq!(errors, text(&native.stderr, &native_folder), "{name}");
    assert_eq!(with.status.code(), native.status.code(), "{name}");
    assert_eq!(with.status.signal(), native.status.signal(), "{name}");
    let core = |folder: &Path| folder.join("core").exists();
    assert_eq!(core(metered_folder.path()), core(native_folder.path()), "{name}: core files");
    (metered_folder, with)
}

/// A text in which each hexadecimal number stands as `0x`.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "0x" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

/// Where the recording of a folder lies.
fn out(folder: &Path) -> String {
    folder.join("out.opm").display().to_string()
}

/// The recording of a folder, of which the tables have to agree.
pub fn recording(folder: &Path) -> Recording {
    adds_up(folder);
    Recording::open(Path::new(&out(folder))).unwrap()
}

/// Asserts that the tables of a folder's recording agree, be it finished or not.
pub fn adds_up(folder: &Path) {
    let checked = Command::new(OPMETER).args(["report", "--check", &out(folder)]).output().unwrap();
    let text = String::from_utf8([checked.stdout, checked.stderr].concat()).unwrap();
    assert!(checked.status.success(), "{text}");
}

/// How often a line of `program.py` was hit, over all processes.
pub fn hits(recording: &Recording, line: u32) -> u64 {
    let rows = recording.tables.lines.iter();
    rows.filter(|row| row.file.ends_with("program.py") && row.line == line).map(|row| row.hits).sum()
}

/// Executions of a base opcode in the main phase, over all processes.
pub fn executions(recording: &Recording, base_opcode: &str) -> u64 {
    let rows = recording.tables.opcodes.iter();
    rows.filter(|row| row.phase == Phase::Main && row.base_opcode == base_opcode)
        .map(|row| row.executions)
        .sum()
}
