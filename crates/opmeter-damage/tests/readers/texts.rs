//! Texts: manifests, models, results, configurations, ranges.

use std::fs;
use std::path::Path;

use opmeter_corpus::{Config, JobResult};
use opmeter_damage::{Damage, cases, isolated};
use opmeter_model::Model;
use opmeter_recording::Manifest;
use opmeter_synthesis::RangeFile;

const MANIFEST: &str = r#"{"schema_version": 1, "opmeter_version": "0.1.0", "command": ["python3", "a.py"],
"directory": "/tmp", "started": "2026-01-01T00:00:00.000Z", "wall_seconds": 1.5, "exit": {"code": 0, "signal": null},
"machine": {"hostname": "here", "cpu": "one", "cores": 2, "kernel": "Linux"}, "complete": true, "incomplete": [],
"tables": ["opcodes", "lines"], "processes": [{"process": 0, "pid": 7, "parent": null, "executable": "/usr/bin/python3",
"arguments": ["python3", "a.py"], "python": "3.12.1", "state": "metered", "end": "exited",
"dispatch": {"executions": 100, "next_instr_register": "r15"},
"timing": {"tsc_hz": 3e9, "timed_executions": 10, "probe_cycles": 20.5},
"events": {"file": "events/7-0.events", "events": 100, "threads": 1, "bytes": 120, "end": "process", "tsc_hz": 3e9}}],
"energy": {"source": "powercap", "runs": 3, "domains": [{"domain": "package-0", "update_seconds": 0.001}]}}"#;

const MODEL: &str = r#"{"schema_version": 1, "opmeter_version": "0.1.0", "response": "time", "measure": "processor time",
"unit": "s", "cost_unit": "ns", "clock": null, "domain": null, "net": false, "interpreter": "cpython 3.11.7",
"machines": [], "features": "base", "start": {"value": 0.01, "low": 0.009, "high": 0.011},
"costs": [{"name": "LOAD_FAST", "members": ["LOAD_FAST"], "value": 2.5, "low": 2, "high": 3, "share": 0.4,
"pulled_to": 3.0, "from_programs": 0.5, "seen": [0.1, 0.5]}], "common_cost": 5, "by_measured_times": false, "ridge": 1e-3,
"confidence": 0.9, "program_error": {"median": 0.02, "percentile_90": 0.1},
"template_error": {"median": 0.03, "percentile_90": 0.2}, "long_template_error": null, "null_models": [],
"verdict": {"standing": "better", "null_model": "n", "ratio": 0.3, "certainty": 1, "text": "better"},
"prediction": {"confidence": 0.9, "low": 0.9, "high": 1.1}, "executions": [1000, 200000], "programs": [], "warnings": [],
"skipped": []}"#;

const RESULT: &str = r#"{"schema_version": 1, "key": "k", "program": "a.py", "sha256": "", "arguments": [],
"executable": "/usr/bin/python3", "implementation": "cpython", "python": "3.12.1", "free_threaded": false,
"interpreter_identity": "", "options": {"runs": 3, "warmup": 1, "time": null, "events": false, "max_events": null,
"pairs": false, "energy": "none", "hash_seed": 0}, "timeout": 60.0,
"machine": {"hostname": "here", "cpu": "one", "cores": 2, "kernel": "Linux"}, "opmeter_version": "0.1.0",
"finished": "2026-01-01T00:00:00Z", "outcome": {"state": "done"}}"#;

const CONFIG: &str = "programs = ['*.py']\nruns = 3\nwarmup = 1\ntimeout = 60.5\ntime = 0.5\nwatts = 15\nidle = 1\n\
    hash-seed = 7\narguments = ['10']\nstatus = 3\n[program.'a b.py']\narguments = ['1']\ntimeout = 0.5\nskip = false\n";

const RANGE: &str = "[\"a.py\"]\nsmallest = 1\nsmallest_stopped_by = \"x\"\nlargest = 900\nlargest_stopped_by = \"y\"\n\
    seconds_at_largest = 0.25\ntarget_seconds = 1.0\nfound = true\nmonotone = true\nnotes = []\nfunction = \"program\"\n\
    sha256 = \"00\"\npython_version = \"3.13.0\"\npython_executable = \"p\"\ncpu = \"c\"\nhostname = \"h\"\n\
    probes = [{ n = 9, seconds = 1.5 }, { n = 10, ended_after = 2.5 }]\n";

/// Reads the text at a place: whether it is one, or else what is said of it.
type Reader = fn(&Path) -> Result<(), String>;

/// A file, its whole text, and who reads it in its folder.
const TEXTS: [(&str, &str, Reader); 5] = [
    ("manifest.json", MANIFEST, |folder| Manifest::read(folder).map(drop).map_err(|error| error.to_string())),
    ("model.json", MODEL, |folder| {
        Model::read(&folder.join("model.json")).map(drop).map_err(|error| error.to_string())
    }),
    ("result.json", RESULT, |folder| JobResult::read(folder).map(drop).ok_or("it is none".to_owned())),
    ("opmeter.toml", CONFIG, |folder| Config::read(folder).map(drop).map_err(|error| error.to_string())),
    ("range.toml", RANGE, |folder| {
        let entry = RangeFile::beside(folder).entry("a.py").map_err(|error| error.to_string())?;
        entry.map(|entry| _ = entry.ends()).ok_or("there is none".to_owned())
    }),
];

#[test]
fn damaged_texts_are_read_or_refused() {
    isolated("texts::damaged_texts_are_read_or_refused", 256, 300, |case| {
        let folder = tempfile::tempdir().unwrap();
        let others: Vec<&[u8]> = TEXTS.iter().map(|(_, text, _)| text.as_bytes()).collect();
        for (name, whole, read) in TEXTS {
            let path = folder.path().join(name);
            let try_text = |label: String, bytes: &[u8]| {
                case.is(&label);
                fs::write(&path, bytes).unwrap();
                let result = read(folder.path());
                if let Err(problem) = &result {
                    assert!(!problem.trim().is_empty() && problem.len() < 2000, "{label}: {problem}");
                }
                result
            };
            assert_eq!(try_text(format!("{name} whole"), whole.as_bytes()), Ok(()));
            for length in 0..whole.trim_end().len() - 1 {
                let cut = try_text(format!("{name} cut at {length}"), &whole.as_bytes()[..length]);
                assert!(cut.is_err() || name.ends_with(".toml"), "{name} cut at {length}");
            }
            for seed in 0..cases(1500) {
                let bytes = Damage::new(seed as u64).of_text(whole.as_bytes(), &others);
                let _ = try_text(format!("{name} {seed}"), &bytes);
            }
            // Deeper than any stack is.
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("a = [", "]"), ("a.", "")] {
                let deep = open.repeat(200_000) + &close.repeat(200_000);
                assert!(try_text(format!("{name} {open}"), deep.as_bytes()).is_err());
            }
        }
    });
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, read) in TEXTS {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        assert!(read(folder.path()).is_err(), "{name}");
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(read(folder.path()).is_err(), "{name}");
    }
}
