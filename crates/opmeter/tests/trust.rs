//! Who can read and change what, and what names in a recording can do to whoever looks at it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/interpreters.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod interpreters;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use opmeter_recording::{
    InstructionRow, LineHits, Manifest, OpcodeRow, PairRow, Phase, Process, ProcessState, Recording,
    SourceRow, SpecializationRow, Tables, lines,
};

/// A user who is not root, of no rights: `nobody`.
const OTHER: u32 = 65534;

fn opmeter() -> Command {
    Command::new(env!("CARGO_BIN_EXE_opmeter"))
}

fn python() -> &'static Path {
    &interpreters::any().path
}

/// Whether files can be given to another user here; says so where not.
fn is_root(test: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("{test}: passed over: only root can give files to other users");
    }
    is_root
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder in which everyone may make something, as /tmp is.
fn shared_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o1777);
    folder
}

#[test]
fn recordings_and_live_files_are_their_users_alone_whatever_the_mask() {
    // The program lists what it counts in, and the recording around it.
    let list = "import os\nlive = os.environ['OPMETER_LIVE']\nfor top, _, files in os.walk(os.path.dirname(live)):\n    \
        print(oct(os.stat(top).st_mode & 0o777), top)\n    \
        for name in files: print(oct(os.stat(os.path.join(top, name)).st_mode & 0o777), os.path.join(top, name))\n";
    for mask in ["000", "022", "077"] {
        for options in [&["--pairs", "--events"][..], &["--time"]] {
            let folder = tempfile::tempdir().unwrap();
            let output = Command::new("sh")
                .current_dir(folder.path())
                .args(["-c", &format!("umask {mask}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_opmeter")])
                .args(["record", "-q", "-o", "out.opm"])
                .args(options)
                .arg("--")
                .arg(python())
                .args(["-c", list])
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", stderr(&output));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(
                text.lines().count() >= 6 && text.contains(".cells") && text.contains("control"),
                "{text}"
            );
            for line in text.lines() {
                let is_folder = ["/out.opm", "/live", "/events"].iter().any(|name| line.ends_with(name));
                assert!(line.starts_with(if is_folder { "0o700 " } else { "0o600 " }), "{mask}: {line}");
            }
            let recording = folder.path().join("out.opm");
            assert_eq!(fs::metadata(&recording).unwrap().mode() & 0o777, 0o700);
            for entry in fs::read_dir(&recording).unwrap().map(|entry| entry.unwrap()) {
                let metadata = entry.metadata().unwrap();
                let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
                assert_eq!(metadata.mode() & 0o777, expected, "{mask}: {}", entry.path().display());
            }
        }
    }
}

/// Records something with a cache at this place.
fn record_with_cache(cache: &Path) -> Output {
    let folder = tempfile::tempdir().unwrap();
    opmeter()
        .current_dir(folder.path())
        .env("OPMETER_CACHE", cache)
        .args(["record", "-q", "--"])
        .arg(python())
        .args(["-c", "pass"])
        .output()
        .unwrap()
}

/// The agents in a cache.
fn agents(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "so")).collect()
}

#[test]
fn the_agent_is_not_loaded_from_where_others_can_put_it() {
    let shared = shared_folder();
    let own = shared.path().join("own");
    let output = record_with_cache(&own);
    assert!(output.status.success(), "{}", stderr(&output));
    let [agent] = &agents(&own)[..] else { panic!("{:?}", agents(&own)) };
    let whole = fs::read(agent).unwrap();
    // Another content, a link in its place: made anew.
    for plant in [
        |path: &Path| fs::write(path, "other").unwrap(),
        |path: &Path| {
            fs::rename(path, path.with_extension("moved")).unwrap();
            symlink(path.with_extension("moved"), path).unwrap();
        },
    ] {
        set_mode(agent, 0o700);
        plant(agent);
        assert!(record_with_cache(&own).status.success());
        assert!(fs::symlink_metadata(agent).unwrap().is_file());
        assert_eq!(fs::read(agent).unwrap(), whole);
    }
    set_mode(agent, 0o777);
    assert!(record_with_cache(&own).status.success());
    assert_eq!(fs::metadata(agent).unwrap().mode() & 0o022, 0, "what others may write to is made anew");
    set_mode(&own, 0o777);
    let output = record_with_cache(&own);
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("can be written to by others"), "{}", stderr(&output));
    set_mode(&own, 0o700);
    // A way to it on which it can be exchanged.
    set_mode(shared.path(), 0o777);
    assert_eq!(record_with_cache(&own).status.code(), Some(125));
}

#[test]
fn what_another_user_has_planted_is_refused() {
    if !is_root("what_another_user_has_planted_is_refused") {
        return;
    }
    let shared = shared_folder();
    let planted = shared.path().join("opmeter-0");
    fs::create_dir(&planted).unwrap();
    chown(&planted, Some(OTHER), Some(OTHER)).unwrap();
    let output = record_with_cache(&planted);
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("belongs to another user, 65534"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(&planted).unwrap().count(), 0, "nothing is put there");
    // Nor does the cache of analyses use it.
    let output = opmeter().env("OPMETER_CACHE", &planted).args(["cache", "info"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("no folder"), "{output:?}");
    assert_eq!(fs::read_dir(&planted).unwrap().count(), 0);
    // A link of theirs, to a folder of the user's own.
    let (own, link) = (shared.path().join("own"), shared.path().join("link"));
    fs::create_dir(&own).unwrap();
    set_mode(&own, 0o700);
    symlink(&own, &link).unwrap();
    lchown(&link, Some(OTHER), Some(OTHER)).unwrap();
    let output = record_with_cache(&link);
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("a link that another user has made"), "{}", stderr(&output));
    // An agent of theirs, even the right one, in a folder of the user's own.
    assert!(record_with_cache(&own).status.success());
    let [agent] = &agents(&own)[..] else { panic!() };
    chown(agent, Some(OTHER), None).unwrap();
    assert!(record_with_cache(&own).status.success());
    assert_eq!(fs::metadata(agent).unwrap().uid(), 0);
}

#[test]
fn nothing_is_added_to_a_recording_of_another_user() {
    if !is_root("nothing_is_added_to_a_recording_of_another_user") {
        return;
    }
    let shared = shared_folder();
    let (recording, target) = (shared.path().join("a.opm"), shared.path().join("target"));
    let manifest =
        Manifest { command: vec!["true".to_owned()], tables: vec!["runs".to_owned()], ..Manifest::default() };
    Recording::write_runs(&recording, &manifest, &Tables::default()).unwrap();
    fs::write(&target, "root's").unwrap();
    // What they expect to be written is led elsewhere.
    symlink(&target, recording.join("opcodes.parquet")).unwrap();
    chown(&recording, Some(OTHER), Some(OTHER)).unwrap();
    let output =
        opmeter().args(["record", "-q", "-o"]).arg(&recording).args(["--", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("belongs to another user, 65534"), "{}", stderr(&output));
    assert!(!recording.join("live").exists());
    assert_eq!(fs::read_to_string(&target).unwrap(), "root's");
}

#[test]
fn a_program_that_gives_up_its_rights_is_told_to_lack_them_not_room() {
    if !is_root("a_program_that_gives_up_its_rights_is_told_to_lack_them_not_room") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("root")).unwrap();
    let functions = "for i in range(4000): exec('def g%d(a):\\n b=a\\n return a+%d\\ng%d(1)' % (i, i, i))";
    for (gives_up, says) in [
        ("os.setgid(65534); os.setuid(65534)", "as after it has changed its user"),
        ("os.chroot('root')", "as after it has changed its root"),
    ] {
        let program = format!("import os\n{gives_up}\n{functions}\n");
        let out = folder.path().join("out.opm");
        let mut command = opmeter();
        command.args(["record", "-q", "--force", "-o"]).arg(&out).arg("--").arg(python());
        let output = command.current_dir(folder.path()).args(["-c", &program]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let said = Recording::open(&out).unwrap().manifest.incomplete;
        assert!(said.iter().any(|text| text.contains(says)), "{said:?}");
    }
}

#[test]
fn programs_with_rights_of_their_own_run_as_they_do() {
    let test = "programs_with_rights_of_their_own_run_as_they_do";
    let python = Path::new("/usr/bin/python3");
    let has = |command: &str| Command::new(command).arg("--version").output().is_ok();
    if !is_root(test) || !has("setpriv") || !python.exists() {
        eprintln!("{test}: passed over: setpriv and /usr/bin/python3 are needed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o755);
    let place = |name: &str| folder.path().join(name);
    fs::copy(env!("CARGO_BIN_EXE_opmeter"), place("opmeter")).unwrap();
    // Says who it runs as; and an interpreter that would be metered, and run, as root.
    fs::copy("/usr/bin/id", place("id")).unwrap();
    fs::copy(fs::canonicalize(python).unwrap(), place("python")).unwrap();
    ["id", "python"].iter().for_each(|name| set_mode(&place(name), 0o4755));
    fs::create_dir(place("home")).unwrap();
    chown(place("home"), Some(OTHER), Some(OTHER)).unwrap();
    let run = |command: &[&str]| {
        Command::new("setpriv")
            .current_dir(place("home"))
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args(command)
            .env("HOME", place("home"))
            .env_remove("XDG_CACHE_HOME")
            .env_remove("OPMETER_CACHE")
            .output()
            .unwrap()
    };
    let path = |name: &str| place(name).display().to_string();
    let (id, command) = (path("id"), path("opmeter"));
    let alone = run(&[&id, "-u"]);
    if String::from_utf8_lossy(&alone.stdout).trim() != "0" {
        eprintln!("{test}: passed over: set-user-ID programs have no effect here: {alone:?}");
        return;
    }
    let script = format!(
        "/usr/bin/python3 -c 'print(1)' && {id} -u && {} -c 'import os; print(os.geteuid())'",
        path("python")
    );
    let metered = run(&[&command, "record", "-q", "-o", "out.opm", "--", "sh", "-c", &script]);
    assert!(metered.status.success(), "{}", stderr(&metered));
    assert_eq!(String::from_utf8_lossy(&metered.stdout), "1\n0\n0\n", "{}", stderr(&metered));
    assert_eq!(stderr(&metered), "", "the loader has nothing to complain of");
    let processes = Recording::open(&place("home/out.opm")).unwrap().manifest.processes;
    assert_eq!(processes.len(), 1, "{processes:?}");
}

/// What a name could do: set the terminal's title, move the cursor, begin a line of its own, turn the text around.
const HOSTILE: &str = "a\u{1b}]0;title\u{7}\u{1b}[2J\r\nopmeter: all is well\u{9b}31m\u{202e}";

#[test]
fn names_in_a_recording_do_nothing_to_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = || HOSTILE.to_owned();
    let row = |offset| InstructionRow {
        process: 0,
        phase: Phase::Main,
        file: HOSTILE.into(),
        function: HOSTILE.into(),
        first_line: 1,
        line: 1,
        offset,
        opcode: HOSTILE.into(),
        executions: 7,
        code: 0,
        argument: 0,
        time: None,
    };
    let instructions = vec![row(0), row(2)];
    let hit = LineHits { process: 0, phase: Phase::Main, file: HOSTILE.into(), line: 1, hits: 7 };
    let source = SourceRow { file: HOSTILE.into(), path: hostile(), size: 1, sha256: hostile(), changed: 1 };
    let tables = Tables {
        opcodes: vec![OpcodeRow {
            process: 0,
            phase: Phase::Main,
            opcode: hostile(),
            base_opcode: hostile(),
            number: 1,
            executions: 7,
            time: None,
        }],
        pairs: vec![PairRow {
            process: 0,
            phase: Phase::Main,
            first: HOSTILE.into(),
            second: HOSTILE.into(),
            first_base: HOSTILE.into(),
            second_base: HOSTILE.into(),
            executions: 7,
        }],
        specialization: vec![SpecializationRow {
            process: 0,
            phase: Phase::Main,
            file: HOSTILE.into(),
            function: HOSTILE.into(),
            first_line: 1,
            line: 1,
            offset: 0,
            opcode: HOSTILE.into(),
            executions: 7,
            specialized: 3,
            unspecialized: 2,
            missed: 2,
            code: 0,
        }],
        lines: lines(&instructions, &[hit]),
        sources: vec![source],
        instructions,
        ..Tables::default()
    };
    let manifest = Manifest {
        opmeter_version: hostile(),
        command: vec![hostile(), hostile()],
        directory: hostile(),
        started: hostile(),
        incomplete: vec![hostile()],
        processes: vec![Process {
            executable: hostile(),
            arguments: vec![hostile()],
            implementation: hostile(),
            python: hostile(),
            build: hostile(),
            started: hostile(),
            state: ProcessState::Metered,
            reason: Some(hostile()),
            end: hostile(),
            ..Process::default()
        }],
        ..Manifest::default()
    };
    // The recording's own name is one as well.
    let recording = folder.path().join(HOSTILE).with_extension("opm");
    Recording::write(&recording, &manifest, &tables).unwrap();
    let clean = |command: &[&str], bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let steers = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(steers), "{command:?}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("opmeter: all is well")), "{command:?}: {text:?}");
    };
    let by = ["opcode", "line", "function", "file", "pair", "specialization", "energy"];
    let reports = by.iter().map(|by| vec!["report", "--by", by]);
    let others = [
        vec!["report", "--check"],
        vec!["report", "--process", "9"],
        vec!["annotate", "--bytecode"],
        vec!["export", "--format", "callgrind"],
        vec!["export", "--format", "lcov"],
        vec!["export", "--table", "events", "--format", "csv"],
        vec!["model", "predict", "none.json"],
    ];
    for by in ["opcode", "line", "function", "file"] {
        let output = opmeter().args(["diff", "--by", by]).args([&recording, &recording]).output().unwrap();
        clean(&["diff", by], &output.stdout);
        clean(&["diff", by], &output.stderr);
    }
    // What tables for other programs have no room for is told.
    let csv =
        opmeter().args(["diff", "--by", "line", "--format", "csv"]).args([&recording, &recording]).output();
    let csv = csv.unwrap();
    clean(&["diff", "csv"], &csv.stderr);
    assert!(
        !csv.stderr.is_empty()
            && String::from_utf8_lossy(&csv.stderr).lines().all(|line| line.starts_with("opmeter: "))
    );
    let page = folder.path().join(format!("{HOSTILE}.html"));
    let output = opmeter().arg("report").arg(&recording).arg("--html").arg(&page).output().unwrap();
    clean(&["report", "--html"], &output.stderr);
    assert!(page.exists() && output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut shown = 0;
    for command in reports.chain(others) {
        let output = opmeter().args(&command).arg(&recording).output().unwrap();
        clean(&command, &output.stdout);
        clean(&command, &output.stderr);
        shown += usize::from(String::from_utf8_lossy(&output.stdout).contains("\\u{1b}"));
    }
    assert!(shown >= 7, "most show the name: {shown}");
    // A name that is none, of a recording that is none, in an error.
    fs::write(recording.join("manifest.json"), "{").unwrap();
    for command in [vec!["report"], vec!["analyze"], vec!["record", "-o"]] {
        let output = opmeter().args(&command).arg(&recording).output().unwrap();
        clean(&command, &output.stderr);
    }
}
