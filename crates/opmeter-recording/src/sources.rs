//! The source files of the code that ran: which they are, and whether they are what ran.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use opmeter_files::{LONGEST_TEXT, read_whole};

use crate::fingerprint::{sha256_of_bytes, sha256_of_file};
use crate::{InstructionRow, Origin, Phase, Process, SourceRow, SourceTextRow};

/// What processes have to do with a file.
struct Use<'a> {
    file: &'a Arc<str>,
    /// The processes that have instructions of it.
    processes: Vec<u32>,
    /// Whether any of it ran after an interpreter's start.
    beyond_start: bool,
}

/// A row for each file of the instructions, in the order in which they appear, and the texts of those that are kept.
///
/// What only ran while an interpreter started is looked up, but not read: it is the standard library's, and
/// the reading of a recording should not take longer than the run.
pub(crate) fn sources(
    instructions: &[InstructionRow],
    processes: &[Process],
) -> (Vec<SourceRow>, Vec<SourceTextRow>) {
    let mut texts = Vec::new();
    let rows = uses(instructions).iter().map(|found| row(found, processes, &mut texts)).collect();
    (rows, texts)
}

fn uses(instructions: &[InstructionRow]) -> Vec<Use<'_>> {
    let mut uses: Vec<Use<'_>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    // Rows of one file stand together, so that most of them find it where the last did.
    let mut last: Option<(u32, &Arc<str>, usize)> = None;
    for row in instructions.iter().filter(|row| !row.file.is_empty()) {
        let same = last.filter(|(process, file, _)| *process == row.process && Arc::ptr_eq(file, &row.file));
        let place = match same {
            Some((_, _, place)) => place,
            None => *known.entry(&row.file).or_insert_with(|| {
                uses.push(Use { file: &row.file, processes: Vec::new(), beyond_start: false });
                uses.len() - 1
            }),
        };
        let found = &mut uses[place];
        if same.is_none() {
            last = Some((row.process, &row.file, place));
            if !found.processes.contains(&row.process) {
                found.processes.push(row.process);
            }
        }
        found.beyond_start |= row.phase != Phase::Startup && row.executions > 0;
    }
    uses
}

fn row(found: &Use<'_>, processes: &[Process], texts: &mut Vec<SourceTextRow>) -> SourceRow {
    let absent = SourceRow {
        file: found.file.clone(),
        path: String::new(),
        size: 0,
        sha256: String::new(),
        changed: 0,
    };
    let users = || processes.iter().filter(|process| found.processes.contains(&process.process));
    let mut places = users().filter_map(|process| {
        let path = resolve(found.file, &process.directory)?;
        // Nothing but regular files: to open a pipe would wait for its writer.
        let metadata = fs::metadata(&path).ok().filter(Metadata::is_file)?;
        Some((path, metadata))
    });
    let Some((path, metadata)) = places.next() else { return absent };
    // Processes of different folders may mean different files by one name.
    let ambiguous = !found.file.starts_with('/') && places.any(|(other, _)| other != path);
    let started = users().filter_map(|process| humantime::parse_rfc3339(&process.started).ok()).min();
    let mut row = SourceRow {
        path: path.display().to_string(),
        size: metadata.len(),
        changed: u8::from(ambiguous || written_after(&metadata, started)),
        ..absent
    };
    if !found.beyond_start {
        return row;
    }
    // The standard library is where the interpreter is; all else may be edited, or be gone, when it is looked at.
    let is_kept = ![&*row.file, &row.path].map(Origin::of).contains(&Origin::StandardLibrary);
    if let Some(content) = is_kept.then(|| read_whole(&path, LONGEST_TEXT).ok()).flatten() {
        (row.size, row.sha256) = (content.len() as u64, sha256_of_bytes(&content));
        texts.push(SourceTextRow { file: row.file.clone(), text: String::from_utf8_lossy(&content).into() });
    } else if let Ok((size, sha256)) = sha256_of_file(&path) {
        (row.size, row.sha256) = (size, sha256);
    }
    row
}

/// The path that a code object's file name means in a process that started in `directory`; none for what
/// is no name of a file, such as `<string>`.
fn resolve(file: &str, directory: &str) -> Option<PathBuf> {
    if file.starts_with('<') && file.ends_with('>') {
        return None;
    }
    let path = Path::new(directory).join(file);
    // Without what a relative name may have in it: `./`.
    path.is_absolute().then(|| path.components().collect())
}

fn written_after(metadata: &Metadata, started: Option<SystemTime>) -> bool {
    started.zip(metadata.modified().ok()).is_some_and(|(started, written)| written > started)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The SHA-256 of `a\n`.
    const A: &str = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";

    fn instruction(process: u32, phase: Phase, file: &str, executions: u64) -> InstructionRow {
        InstructionRow {
            process,
            phase,
            file: file.into(),
            function: "f".into(),
            first_line: 1,
            line: 1,
            offset: 0,
            opcode: "NOP".into(),
            executions,
            code: 0,
            argument: 0,
            time: None,
        }
    }

    fn process(number: u32, directory: &Path, started: SystemTime) -> Process {
        Process {
            process: number,
            directory: directory.to_str().unwrap().to_owned(),
            started: humantime::format_rfc3339_millis(started).to_string(),
            ..Process::default()
        }
    }

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(60)
    }

    #[test]
    fn files_are_found_from_the_folder_that_their_process_started_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, "a\n").unwrap();
        let rows = [
            instruction(0, Phase::Main, "./a.py", 1),
            instruction(0, Phase::Main, "<string>", 1),
            instruction(0, Phase::Main, "gone.py", 1),
            instruction(0, Phase::Main, "", 1),
            instruction(0, Phase::Main, "./a.py", 1),
        ];
        let (found, texts) = sources(&rows, &[process(0, folder.path(), later())]);
        assert_eq!(texts, [SourceTextRow { file: "./a.py".into(), text: "a\n".into() }]);
        let path = path.to_str().unwrap().to_owned();
        let row = |file: &str, path: &str, size, sha256: &str| SourceRow {
            file: file.into(),
            path: path.to_owned(),
            size,
            sha256: sha256.to_owned(),
            changed: 0,
        };
        let expected = [row("./a.py", &path, 2, A), row("<string>", "", 0, ""), row("gone.py", "", 0, "")];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_was_written_after_its_process_started_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, "a\n").unwrap();
        let name = path.to_str().unwrap();
        let rows = [instruction(0, Phase::Main, name, 1), instruction(1, Phase::Main, name, 1)];
        let before = SystemTime::now() - Duration::from_secs(60);
        let of = |processes: &[Process]| sources(&rows, processes).0[0].changed;
        assert_eq!(of(&[process(0, folder.path(), later()), process(1, folder.path(), later())]), 0);
        assert_eq!(of(&[process(0, folder.path(), later()), process(1, folder.path(), before)]), 1);
    }

    #[test]
    fn what_only_ran_at_the_start_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, "a\n").unwrap();
        let name = path.to_str().unwrap();
        let rows = [instruction(0, Phase::Startup, name, 1), instruction(0, Phase::Main, name, 0)];
        let (found, texts) = sources(&rows, &[process(0, folder.path(), later())]);
        assert_eq!(texts, []);
        assert_eq!((found[0].path.as_str(), found[0].size, found[0].sha256.as_str()), (name, 2, ""));
    }

    #[test]
    fn texts_of_the_standard_library_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib/python3.13");
        fs::create_dir_all(library.join("site-packages")).unwrap();
        let paths = [library.join("os.py"), library.join("site-packages/b.py")];
        let rows = paths.each_ref().map(|path| {
            fs::write(path, b"a\n\xff").unwrap();
            instruction(0, Phase::Main, path.to_str().unwrap(), 1)
        });
        let (found, texts) = sources(&rows, &[process(0, folder.path(), later())]);
        assert!(found.iter().all(|row| row.size == 3 && row.sha256 == found[0].sha256));
        assert_eq!(texts, [SourceTextRow { file: rows[1].file.clone(), text: "a\n\u{fffd}".into() }]);
    }

    #[test]
    fn one_name_in_two_folders_is_not_certain() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let rows = [instruction(0, Phase::Main, "a.py", 1), instruction(1, Phase::Main, "a.py", 1)];
        let processes = [process(0, folders[0].path(), later()), process(1, folders[1].path(), later())];
        fs::write(folders[1].path().join("a.py"), "a\n").unwrap();
        let (found, _) = sources(&rows, &processes);
        assert_eq!((found.len(), found[0].changed), (1, 0));
        assert!(found[0].path.starts_with(folders[1].path().to_str().unwrap()));
        fs::write(folders[0].path().join("a.py"), "b\n").unwrap();
        assert_eq!(sources(&rows, &processes).0[0].changed, 1);
    }

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let rows = ["/dev/stdin", "/", "a.py"].map(|file| instruction(0, Phase::Main, file, 1));
        let mut nowhere = process(0, folder.path(), later());
        nowhere.directory = String::new();
        assert!(
            sources(&rows, &[nowhere]).0.iter().all(|row| row.path.is_empty() || row.path == "/dev/stdin")
        );
    }
}
