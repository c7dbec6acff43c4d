//! Whole texts, to be damaged.

/// The manifest of a recording with counts, times, events and energy.
pub const MANIFEST: &str = r#"{"schema_version": 1, "opmeter_version": "0.1.0", "command": ["python3", "a.py"],
"directory": "/tmp", "started": "2026-01-01T00:00:00.000Z", "wall_seconds": 1.5, "exit": {"code": 0, "signal": null},
"machine": {"hostname": "here", "cpu": "one", "cores": 2, "kernel": "Linux"}, "complete": true, "incomplete": [],
"tables": ["opcodes", "lines"], "processes": [{"process": 0, "pid": 7, "parent": null, "executable": "/usr/bin/python3",
"arguments": ["python3", "a.py"], "python": "3.12.1", "state": "metered", "end": "exited",
"dispatch": {"executions": 100, "next_instr_register": "r15"},
"timing": {"tsc_hz": 3e9, "timed_executions": 10, "probe_cycles": 20.5},
"events": {"file": "events/7-0.events", "events": 100, "threads": 1, "bytes": 120, "end": "process", "tsc_hz": 3e9}}],
"energy": {"source": "powercap", "runs": 3, "domains": [{"domain": "package-0", "update_seconds": 0.001}]}}"#;

/// A model, as `opmeter model fit` writes it.
pub const MODEL: &str = r#"{"schema_version": 1, "opmeter_version": "0.1.0", "response": "time", "measure": "processor time",
"unit": "s", "cost_unit": "ns", "clock": null, "domain": null, "net": false, "interpreter": "cpython 3.11.7",
"machines": [], "features": "base", "start": {"value": 0.01, "low": 0.009, "high": 0.011},
"costs": [{"name": "LOAD_FAST", "members": ["LOAD_FAST"], "value": 2.5, "low": 2, "high": 3, "share": 0.4,
"pulled_to": 3.0, "from_programs": 0.5, "seen": [0.1, 0.5]}], "common_cost": 5, "by_measured_times": false, "ridge": 1e-3,
"confidence": 0.9, "program_error": {"median": 0.02, "percentile_90": 0.1},
"template_error": {"median": 0.03, "percentile_90": 0.2}, "long_template_error": null, "null_models": [],
"verdict": {"standing": "better", "null_model": "n", "ratio": 0.3, "certainty": 1, "text": "better"},
"prediction": {"confidence": 0.9, "low": 0.9, "high": 1.1}, "executions": [1000, 200000], "programs": [], "warnings": [],
"skipped": []}"#;

/// What became of a job.
pub const RESULT: &str = r#"{"schema_version": 1, "key": "k", "program": "a.py", "sha256": "", "arguments": [],
"executable": "/usr/bin/python3", "implementation": "cpython", "python": "3.12.1", "free_threaded": false,
"interpreter_identity": "", "options": {"runs": 3, "warmup": 1, "time": null, "events": false, "max_events": null,
"pairs": false, "energy": "none", "hash_seed": 0}, "timeout": 60.0,
"machine": {"hostname": "here", "cpu": "one", "cores": 2, "kernel": "Linux"}, "opmeter_version": "0.1.0",
"finished": "2026-01-01T00:00:00Z", "outcome": {"state": "done"}}"#;

/// The configuration of a folder of programs.
pub const CONFIG: &str = "programs = ['*.py']\nruns = 3\nwarmup = 1\ntimeout = 60.5\ntime = 0.5\nwatts = 15\nidle = 1\n\
    hash-seed = 7\narguments = ['10']\nstatus = 3\n[program.'a b.py']\narguments = ['1']\ntimeout = 0.5\nskip = false\n";

/// The range of the template `a.py`.
pub const RANGE: &str = "[\"a.py\"]\nsmallest = 1\nsmallest_stopped_by = \"x\"\nlargest = 900\nlargest_stopped_by = \"y\"\n\
    seconds_at_largest = 0.25\ntarget_seconds = 1.0\nfound = true\nmonotone = true\nnotes = []\nfunction = \"program\"\n\
    sha256 = \"00\"\npython_version = \"3.13.0\"\npython_executable = \"p\"\ncpu = \"c\"\nhostname = \"h\"\n\
    probes = [{ n = 9, seconds = 1.5 }, { n = 10, ended_after = 2.5 }]\n";
