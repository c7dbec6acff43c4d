//! Folders of programs: all sorts of them, kills at random moments, shards.
#![allow(clippy::unwrap_used)]

#[path = "../../opmeter-energy/tests/support/counter_tree.rs"]
#[allow(dead_code)]
mod counter_tree;
#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use counter_tree::{CounterTree, zone};
use interpreters::{any, one_of_each_version};
use opmeter_corpus::{JobOutcome, JobResult, Step};
use opmeter_recording::{Recording, Tables};
use recorded::opmeter;

/// A folder of programs.
struct Corpus(tempfile::TempDir);

impl Corpus {
    fn new(files: &[(&str, &str)]) -> Self {
        let corpus = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| corpus.write(name, text));
        corpus
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `opmeter measure` of the folder, without energy, on one interpreter.
    fn command(&self, options: &[&str]) -> Command {
        let mut command = opmeter();
        command.arg("measure").arg(self.path()).args(options);
        if !options.contains(&"--sysfs") {
            command.arg("--no-energy");
        }
        if !options.contains(&"--python") {
            command.arg("--python").arg(&any().path);
        }
        command.stdin(Stdio::null());
        command
    }

    fn measure(&self, options: &[&str]) -> Output {
        self.command(options).output().unwrap()
    }

    /// All results, by the program's name and what comes before the identity in the interpreter's.
    fn results(&self) -> BTreeMap<(String, String), (PathBuf, JobResult)> {
        results(&self.path().join("opmeter-results"))
    }

    fn result(&self, program: &str) -> (PathBuf, JobResult) {
        let found = self.results().into_iter().find(|((name, _), _)| name == program);
        found.unwrap_or_else(|| panic!("no result of {program}")).1
    }
}

fn results(folder: &Path) -> BTreeMap<(String, String), (PathBuf, JobResult)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if name == ".partial" || !entry.is_dir() {
                continue;
            }
            match JobResult::read(&entry) {
                Some(result) => {
                    let python = format!("{}-{}", result.implementation, result.python);
                    assert!(found.insert((result.program.clone(), python), (entry, result)).is_none());
                }
                None => folders.push(entry),
            }
        }
    }
    found
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// All that was counted.
fn counts(recording: &Path) -> Tables {
    let tables = Recording::open(recording).unwrap().tables;
    Tables { runs: Vec::new(), energy: Vec::new(), ..tables }
}

const LOOP: &str = "print(sum(i * i for i in range(1000)))\n";

#[test]
fn programs_of_any_name_are_measured() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let corpus = Corpus::new(&[("a.py", "print(1)\n")]);
    fs::write(corpus.path().join(OsStr::from_bytes(b"bad\xff.py")), "print(2)\n").unwrap();
    let output = corpus.command(&["-n", "1"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("2 of 2 measured") && text.contains("bad\u{fffd}.py"), "{text}");
}

#[test]
fn nobody_reading_ends_no_measurement() {
    let corpus = Corpus::new(&[("a.py", "print(1)\n"), ("b.py", "print(2)\n")]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = corpus.command(&["-n", "1"]).stderr(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 of 2 measured"));
}

#[test]
fn good_programs_are_measured_and_bad_ones_reported_with_the_reason() {
    let corpus = Corpus::new(&[
        ("good.py", LOOP),
        ("name with spaces ü.py", LOOP),
        ("reads.py", "import sys\nassert sys.stdin.read() == ''\n"),
        (
            "forks.py",
            "import os\npid = os.fork()\nif not pid:\n    sum(range(100)); os._exit(0)\nos.waitpid(pid, 0)\n",
        ),
        (
            "writes.py",
            "open('new.txt', 'x').write(open('data.txt').read())\nopen('new.py', 'w').write('?')\n",
        ),
        ("data.txt", "data"),
        ("syntax.py", "def f(:\n"),
        ("endless.py", "while True: pass\n"),
        ("asks.py", "input()\n"),
        (
            "crashes.py",
            "import os, signal\nprint('before', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n",
        ),
        (
            "leaves.py",
            "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], \
             start_new_session=True)\n",
        ),
    ]);
    symlink("nowhere", corpus.path().join("unreadable.py")).unwrap();
    let output = corpus.measure(&["-n", "1", "--timeout", "5"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("5 of 11 measured (11 programs × 1 interpreter)") && text.contains("6 failed"),
        "{text}"
    );
    for good in ["good.py", "name with spaces ü.py", "reads.py", "forks.py", "writes.py"] {
        let (path, result) = corpus.result(good);
        assert_eq!(result.outcome, JobOutcome::Done, "{good}");
        assert!(!result.machine.kernel.is_empty() && result.options.runs == 1);
        let recording = Recording::open(&path).unwrap();
        assert!(recording.manifest.has_counts() && recording.manifest.complete, "{good}");
        assert!(recording.tables.runs.len() == 1 && recording.tables.runs[0].cpu_seconds > 0.0, "{good}");
    }
    assert_eq!(Recording::open(&corpus.result("forks.py").0).unwrap().manifest.processes.len(), 2);
    for (bad, step, part) in [
        ("syntax.py", Step::Trial, "SyntaxError"),
        ("endless.py", Step::Trial, "longer than 5 s"),
        ("asks.py", Step::Trial, "EOFError"),
        ("crashes.py", Step::Trial, "SIGKILL"),
        ("leaves.py", Step::Trial, "longer than 5 s"),
        ("unreadable.py", Step::Read, "No such file"),
    ] {
        let (path, result) = corpus.result(bad);
        let JobOutcome::Failed { step: found, reason, .. } = &result.outcome else { panic!("{bad} is done") };
        assert!(*found == step && reason.contains(part), "{bad}: {reason}");
        assert!(text.contains(bad) && text.contains(reason.as_str()), "{bad}: {text}");
        assert!(!path.join("manifest.json").exists() && path.join("stderr.txt").exists());
    }
    let printed = fs::read_to_string(corpus.result("crashes.py").0.join("stdout.txt")).unwrap();
    assert_eq!(printed, "before\n");
    // Programs wrote nowhere but into folders of their own.
    assert!(!corpus.path().join("new.py").exists() && !corpus.path().join("new.txt").exists());
    assert_eq!(fs::read_dir(corpus.path().join("opmeter-results/.partial")).unwrap().count(), 0);
}

#[test]
fn what_is_done_is_not_done_again_and_what_changed_is() {
    let corpus = Corpus::new(&[("a.py", LOOP), ("b.py", LOOP), ("bad.py", "raise SystemExit(3)\n")]);
    let measure = |options: &[&str]| stdout(&corpus.measure(&[&["-n", "1"], options].concat()));
    assert!(measure(&[]).contains("2 of 3 measured"));
    let before = corpus.results();
    assert!(measure(&[]).contains("2 of 3 measured (3 programs × 1 interpreter)"));
    let again = corpus.results();
    assert_eq!(before, again);
    assert!(measure(&[]).contains("2 of them before") && measure(&[]).contains("bad.py on"));
    // Another content, other options and another verdict are other work.
    corpus.write("a.py", "print(1)\n");
    corpus.write("bad.py", "raise SystemExit(0)\n");
    assert!(measure(&[]).contains("3 of 3 measured (3 programs × 1 interpreter)"));
    let changed = corpus.results();
    let of = |results: &BTreeMap<(String, String), (PathBuf, JobResult)>, name: &str| {
        results.iter().find(|((program, _), _)| program == name).unwrap().1.clone()
    };
    assert_eq!(of(&changed, "b.py"), of(&again, "b.py"));
    assert_ne!(of(&changed, "a.py").1.sha256, of(&again, "a.py").1.sha256);
    assert!(
        of(&changed, "bad.py").0.ends_with(of(&again, "bad.py").0.with_extension("opm").file_name().unwrap())
    );
    assert!(
        measure(&["--pairs"]).contains("3 of 3 measured")
            && !counts(&of(&changed, "a.py").0).pairs.is_empty()
    );
}

#[test]
fn a_program_that_failed_is_tried_again_when_asked_or_given_more_time() {
    let corpus = Corpus::new(&[("slow.py", "import time\ntime.sleep(1.5)\n")]);
    let count = corpus.path().join("count");
    let bad = format!("open({count:?}, 'a').write('x')\nraise SystemExit(3)\n");
    corpus.write("bad.py", &bad);
    let measure = |options: &[&str]| stdout(&corpus.measure(&[&["-n", "0"], options].concat()));
    assert!(measure(&["--timeout", "1"]).contains("0 of 2 measured"));
    assert!(measure(&["--timeout", "1"]).contains("0 of 2 measured"));
    assert_eq!(fs::read_to_string(&count).unwrap(), "x");
    assert!(measure(&["--timeout", "60"]).contains("1 of 2 measured"));
    assert_eq!(fs::read_to_string(&count).unwrap(), "x");
    measure(&["--retry-failed"]);
    assert_eq!(fs::read_to_string(&count).unwrap(), "xx");
}

#[test]
fn killed_at_random_moments_and_started_again_the_counts_are_the_same() {
    let files = [
        ("a.py", "d = {str(i): i for i in range(3000)}\nprint(sum(d[k] for k in sorted(d)))\n"),
        ("b.py", "import helper\nprint(helper.f(2000))\n"),
        ("helper.py", "def f(n):\n    return len({hash(str(i)) % 7 for i in range(n)})\n"),
        ("c.py", "import json\nprint(len(json.dumps([{'a': i} for i in range(500)])))\n"),
        ("opmeter.toml", "exclude = ['helper.py']\n"),
    ];
    let corpus = Corpus::new(&files);
    let quiet = |name: &str| corpus.path().join(name).display().to_string();
    let (undisturbed, killed) = (quiet("undisturbed"), quiet("killed"));
    let options = |output| ["-n", "2", "-o", output];
    assert!(corpus.measure(&options(&undisturbed)).status.success());
    // A simple generator: the moments are the same in each run of the test, the machine's speed is not.
    let mut random = 12_345u64;
    for _ in 0..10 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child =
            corpus.command(&options(&killed)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(20 + (random >> 33) % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        // What has its place is whole.
        if Path::new(&killed).exists() {
            results(Path::new(&killed)).values().for_each(|(path, _)| drop(Recording::open(path).unwrap()));
        }
    }
    let output = corpus.measure(&options(&killed));
    assert!(output.status.success() && stdout(&output).contains("3 of 3 measured"), "{}", stdout(&output));
    let (expected, found) = (results(Path::new(&undisturbed)), results(Path::new(&killed)));
    assert!(expected.keys().eq(found.keys()) && expected.len() == 3);
    for ((name, _), (path, _)) in &found {
        let (other, _) = expected.iter().find(|((program, _), _)| program == name).unwrap().1;
        assert!(counts(path) == counts(other), "{name}");
        assert_eq!(Recording::open(path).unwrap().tables.runs.len(), 2);
    }
    assert_eq!(fs::read_dir(Path::new(&killed).join(".partial")).unwrap().count(), 0);
}

#[test]
fn an_interrupt_ends_the_program_and_the_same_command_does_the_rest() {
    let corpus = Corpus::new(&[("a.py", LOOP), ("slow.py", "import time\nprint('slow')\ntime.sleep(3)\n")]);
    let mut child =
        corpus.command(&["-n", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_millis(1500));
    Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    let output = corpus.measure(&["-n", "1"]);
    assert!(stdout(&output).contains("2 of 2 measured"), "{}", stdout(&output));
}

#[test]
fn shards_make_up_the_whole_when_they_are_copied_together() {
    let files: Vec<(String, &str)> = (0..7).map(|n| (format!("p{n}.py"), "print(1)\n")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let corpus = Corpus::new(&files);
    let together = corpus.path().join("opmeter-results");
    for (shard, count) in [("1/3", 3), ("2/3", 2), ("3/3", 2)] {
        let place = corpus.path().join(shard.replace('/', "of"));
        let output = corpus.measure(&["-n", "0", "--shard", shard, "-o", place.to_str().unwrap()]);
        assert!(stdout(&output).contains(&format!("{count} of {count} measured")), "{}", stdout(&output));
        let copied = Command::new("cp").arg("-r").arg(place.join(".")).arg(&together).status().unwrap();
        assert!(copied.success());
    }
    let output = corpus.measure(&["-n", "0"]);
    assert!(stdout(&output).contains("7 of 7 measured") && stdout(&output).contains("7 of them before"));
}

#[test]
fn each_program_is_measured_on_each_interpreter_with_its_energy() {
    let tree = CounterTree::new(&[zone("intel-rapl:0", "package-0", 40.0)], Duration::from_millis(1));
    let interpreters: Vec<_> = one_of_each_version().into_iter().take(2).collect();
    let corpus = Corpus::new(&[("a.py", "import time\ntime.sleep(0.3)\n"), ("b.py", LOOP)]);
    let sysfs = tree.path().to_str().unwrap();
    let mut options = vec!["-n", "2", "--idle", "0.2", "--sysfs", sysfs];
    for interpreter in &interpreters {
        options.extend(["--python", interpreter.path.to_str().unwrap()]);
    }
    let output = corpus.measure(&options);
    assert!(output.status.success(), "{}", stdout(&output));
    let results = corpus.results();
    assert_eq!(results.len(), 2 * interpreters.len());
    for ((name, _), (path, _)) in &results {
        let recording = Recording::open(path).unwrap();
        let (runs, energy) = (&recording.tables.runs, &recording.tables.energy);
        assert!(runs.len() == 2 && energy.len() == 2, "{name}");
        for (run, row) in runs.iter().zip(energy) {
            let seconds = row.seconds * f64::from(row.repetitions);
            tree.assert_watts("package-0", row.watts, seconds, 40.0);
            assert!(row.net.is_some(), "{name}: {row:?}");
            assert!(run.seconds == row.seconds && run.run == row.run);
        }
        let energy = recording.manifest.energy.unwrap();
        assert!(energy.complete && energy.runs == 2 && energy.source == "powercap");
    }
}

#[test]
fn a_folder_says_in_its_configuration_how_it_is_measured() {
    let corpus = Corpus::new(&[
        ("a.py", "import sys\nassert sys.argv[1:] == ['10', 'x y'], sys.argv\n"),
        ("sub/b.py", "import os\nassert input() == 'hello'\nraise SystemExit(3)\n"),
        ("c.py", "import os, sys\nassert os.getcwd() == os.path.dirname(sys.argv[0])\n"),
        ("skipped.py", "raise SystemExit(9)\n"),
        ("seed.py", "import os\nassert os.environ['PYTHONHASHSEED'] == '7'\n"),
        ("input.txt", "hello\n"),
        (
            "opmeter.toml",
            "programs = ['*.py', 'sub/*.py']\nresults = 'out'\nruns = 1\ntimeout = 60\npairs = true\nenergy = false\n\
             hash-seed = 7\n[program.'a.py']\narguments = ['10', 'x y']\n[program.'sub/b.py']\n\
             stdin = 'input.txt'\nstatus = 3\n[program.'c.py']\nworking-folder = 'program'\n\
             [program.'skipped.py']\nskip = true\n",
        ),
    ]);
    let output = corpus.measure(&[]);
    assert!(output.status.success() && stdout(&output).contains("4 of 4 measured"), "{}", stdout(&output));
    let found = results(&corpus.path().join("out"));
    assert_eq!(
        found.keys().map(|(name, _)| name.as_str()).collect::<Vec<&str>>(),
        ["a.py", "c.py", "seed.py", "sub/b.py"]
    );
    assert!(found.values().all(|(path, _)| !counts(path).pairs.is_empty()));
}

#[test]
fn what_can_not_be_measured_at_all_is_told_at_once() {
    let corpus = Corpus::new(&[("a.py", LOOP)]);
    let failure = |options: &[&str]| {
        let output = corpus.measure(options);
        (output.status.code(), stdout(&output))
    };
    let (status, text) = failure(&["--python", "no-such-python"]);
    assert!(status == Some(2) && text.contains("there is no interpreter no-such-python"), "{text}");
    for options in [["--shard", "0/2"], ["--timeout", "0"], ["--python", "3.99"]] {
        assert_eq!(failure(&options).0, Some(2), "{options:?}");
    }
    corpus.write("opmeter.toml", "runs = 'many'\n");
    let (status, text) = failure(&[]);
    assert!(status == Some(2) && text.contains("opmeter.toml can't be used"), "{text}");
    let empty = Corpus::new(&[]);
    let output = empty.measure(&[]);
    assert!(output.status.code() == Some(1) && stdout(&output).contains("there is no program in"));
    let mut missing = opmeter();
    let output = missing.args(["measure", "/no/such/folder"]).output().unwrap();
    assert!(output.status.code() == Some(1) && stdout(&output).contains("can't be opened"));
}
