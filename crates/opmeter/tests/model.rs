//! `opmeter model` on small folders of results that are made by hand.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use opmeter_corpus::{EnergyWish, HashSeed, JobOutcome, JobResult, Options, Step};
use opmeter_model::{Model, Standing};
use opmeter_recording::{
    Energy, EnergyDomain, EnergyRow, Machine, Manifest, NetEnergy, OpcodeRow, OpcodeTime, Phase, Process,
    ProcessState, Recording, RunRow, Tables,
};

/// Opcodes, and what one costs in nanoseconds.
const COSTS: [(&str, f64); 5] =
    [("LOAD_FAST", 2.0), ("LOAD_CONST", 1.0), ("BINARY_OP", 12.0), ("CALL", 60.0), ("FOR_ITER", 8.0)];

/// What a process takes to start, in seconds.
const START: f64 = 0.02;

/// A folder of results.
struct Folder(tempfile::TempDir);

/// What a result says.
#[derive(Clone)]
struct Said {
    program: String,
    python: &'static str,
    hostname: &'static str,
    counts: Vec<(String, u64)>,
    seconds: f64,
    /// Watts, and the domain; `machine` of a declared power.
    watts: Option<(f64, &'static str)>,
    complete: bool,
    /// Whether times were taken.
    timed: bool,
}

impl Said {
    /// A program whose time is that of its counts.
    fn new(program: &str, counts: &[u64]) -> Self {
        let named = COSTS.iter().zip(counts);
        let nano: f64 = named.clone().map(|((_, cost), count)| cost * *count as f64).sum();
        Self {
            program: program.to_owned(),
            python: "3.11.7",
            hostname: "one",
            counts: named.map(|((name, _), count)| ((*name).to_owned(), *count)).collect(),
            seconds: START + nano / 1e9,
            watts: None,
            complete: true,
            timed: false,
        }
    }
}

/// A simple generator: numbers from 0 to 1.
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

/// Programs of eight templates, five sizes each.
fn programs() -> Vec<Said> {
    let mut state = 42;
    let mut programs = Vec::new();
    for template in 0..8 {
        let parts: Vec<f64> = COSTS.iter().map(|_| (3.0 * random(&mut state)).exp()).collect();
        for size in 1..=5 {
            let scale = 10f64.powi(size) * 300.0;
            let counts: Vec<u64> = parts
                .iter()
                .map(|part| (part * scale * (0.8 + 0.4 * random(&mut state))) as u64 + 10)
                .collect();
            let mut said = Said::new(&format!("t{template}-n{size:06}.py"), &counts);
            said.seconds *= 1.0 + 0.02 * (random(&mut state) - 0.5);
            programs.push(said);
        }
    }
    programs
}

impl Folder {
    fn new(programs: &[Said]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        programs.iter().for_each(|said| drop(folder.add(said)));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn results(&self) -> String {
        self.path("results").display().to_string()
    }

    /// Adds a result; gives its folder.
    fn add(&self, said: &Said) -> PathBuf {
        let path = self.path("results").join(&said.program).join(format!("cpython-{}.opm", said.python));
        let process = Process {
            implementation: "CPython".to_owned(),
            python: said.python.to_owned(),
            build: format!("{} (main)", said.python),
            state: ProcessState::Metered,
            ..Process::default()
        };
        let machine =
            Machine { hostname: said.hostname.to_owned(), cpu: "a cpu".to_owned(), ..Machine::default() };
        let row = |(opcode, executions): &(String, u64)| OpcodeRow {
            process: 0,
            phase: Phase::Main,
            opcode: opcode.as_str().into(),
            base_opcode: opcode.as_str().into(),
            number: 1,
            executions: *executions,
            time: said.timed.then(|| {
                let cost = COSTS.iter().find(|(name, _)| name == opcode).unwrap().1;
                let ns_net = (cost * *executions as f64) as u64;
                OpcodeTime { ns_net, cycles_net: 3 * ns_net, ..OpcodeTime::default() }
            }),
        };
        let run = |run| RunRow { run, seconds: said.seconds, cpu_seconds: said.seconds, repetitions: 1 };
        let energy = said.watts.map(|(_, domain)| Energy {
            source: "powercap".to_owned(),
            estimate: domain == "machine",
            domains: vec![EnergyDomain {
                domain: domain.to_owned(),
                kind: domain.split('-').next().unwrap().to_owned(),
                ..EnergyDomain::default()
            }],
            ..Energy::default()
        });
        let joules = said.watts.map(|(watts, domain)| EnergyRow {
            run: 0,
            source: "powercap".into(),
            domain: domain.into(),
            joules: (watts + 5.0) * said.seconds,
            seconds: said.seconds,
            watts: watts + 5.0,
            repetitions: 1,
            joules_resolution: 0.0,
            net: Some(NetEnergy { idle_watts: 5.0, joules_net: watts * said.seconds }),
        });
        let tables = Tables {
            opcodes: said.counts.iter().map(row).collect(),
            runs: if said.seconds > 0.0 { vec![run(0), run(1)] } else { Vec::new() },
            energy: joules.into_iter().collect(),
            ..Tables::default()
        };
        let incomplete =
            if said.complete { Vec::new() } else { vec!["a process was not metered".to_owned()] };
        let manifest = Manifest {
            complete: said.complete,
            incomplete,
            processes: vec![process],
            machine: machine.clone(),
            energy,
            ..Manifest::default()
        };
        Recording::write(&path, &manifest, &tables).unwrap();
        self.result(&path, said, machine, JobOutcome::Done);
        path
    }

    fn result(&self, path: &Path, said: &Said, machine: Machine, outcome: JobOutcome) {
        let options = Options {
            runs: 2,
            warmup: 0,
            time: None,
            events: false,
            max_events: None,
            pairs: false,
            energy: EnergyWish::None,
            hash_seed: HashSeed::Number(0),
        };
        let result = JobResult {
            schema_version: 1,
            key: format!("{} {} {}", said.program, said.python, said.hostname),
            program: said.program.clone(),
            sha256: "00".to_owned(),
            arguments: Vec::new(),
            executable: format!("/usr/bin/python{}", said.python),
            implementation: "cpython".to_owned(),
            python: said.python.to_owned(),
            free_threaded: false,
            interpreter_identity: "123456".to_owned(),
            options,
            timeout: 120.0,
            machine,
            opmeter_version: "0.1.0".to_owned(),
            finished: "2026-01-01T00:00:00Z".to_owned(),
            outcome,
        };
        fs::write(path.join(JobResult::FILE), serde_json::to_vec(&result).unwrap()).unwrap();
    }

    fn fit(&self, options: &[&str]) -> Output {
        opmeter(&[&["model", "fit", &self.results()], options].concat())
    }

    /// Fits a model, which has to come about.
    fn model(&self, options: &[&str]) -> (Model, String, String) {
        let file = self.path("model.json");
        let output = self.fit(&[options, &["-o", file.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        (Model::read(&file).unwrap(), stdout(&output), stderr(&output))
    }
}

fn opmeter(arguments: &[&str]) -> Output {
    let command = Path::new(env!("CARGO_BIN_EXE_opmeter"));
    Command::new(command).args(arguments).env_remove("CLICOLOR_FORCE").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A name that takes most of a line.
const UNLIKE: &str = "unlike-all-others-and-of-a-name-that-is-so-long-that-little-has-room-beside-it.py";

const TIME: [&str; 2] = ["--response", "time"];
const ENERGY: [&str; 2] = ["--response", "energy"];

#[test]
fn costs_that_times_are_made_of_are_found_and_told() {
    let mut programs = programs();
    programs[0].program = "a<b>&\"-n000001.py".to_owned();
    let folder = Folder::new(&programs);
    let plot = folder.path("plot.svg");
    let (model, text, _) = folder.model(&[&TIME[..], &["--plot", plot.to_str().unwrap()]].concat());
    for (name, cost) in COSTS {
        let found = model.costs.iter().find(|found| found.name == name).unwrap();
        assert!(found.cost.low <= found.cost.value && found.cost.value <= found.cost.high);
        assert!(found.share < 0.03 || (found.cost.value / cost - 1.0).abs() < 0.25, "{name}: {found:?}");
    }
    assert!((model.start.unwrap().value / START - 1.0).abs() < 0.05);
    assert!(model.template_error.median < 0.05, "{:?}", model.template_error);
    assert_eq!((model.verdict.standing, model.programs.len()), (Standing::Better, 40));
    assert_eq!((model.measure.as_str(), model.interpreter.as_str()), ("processor time", "cpython 3.11.7"));
    assert!(
        text.contains("processor time per base opcode, fitted") && text.contains("fitted ns each"),
        "{text}"
    );
    assert!(text.contains("start + cost × executions") && text.contains("better, "), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with("written to"));
    assert!(lines.clone().all(|line| line.chars().count() <= 100) && !text.contains('\u{1b}'), "{text}");
    let svg = fs::read_to_string(plot).unwrap();
    assert!(svg.contains("a&lt;b&gt;&amp;&quot;-n000001.py") && svg.contains("BINARY_OP"), "{svg}");
    // The same results have the same model.
    assert_eq!(folder.model(&TIME).0, model);
}

#[test]
fn times_of_metered_runs_tell_what_few_templates_do_not() {
    let few: Vec<Said> = programs().into_iter().take(20).collect();
    let timed: Vec<Said> = few.iter().map(|said| Said { timed: true, ..said.clone() }).collect();
    let (without, text, _) = Folder::new(&few).model(&TIME);
    assert!(!without.by_measured_times && text.contains("a common cost"), "{text}");
    let (with, text, _) = Folder::new(&timed).model(&TIME);
    assert!(with.by_measured_times && text.contains("what metered runs measured, scaled"), "{text}");
    assert!(
        with.template_error.median < 0.02 && with.template_error.median < without.template_error.median / 2.0
    );
    for (name, cost) in COSTS {
        let found = with.costs.iter().find(|found| found.name == name).unwrap();
        assert!((found.pulled_to / cost - 1.0).abs() < 0.05, "{found:?}");
        assert!((found.cost.value / cost - 1.0).abs() < 0.2, "{found:?}");
    }
}

#[test]
fn energy_that_is_watts_times_seconds_is_said_to_be_so() {
    let mut state = 7;
    let mut programs = programs();
    // What C code takes is in no count.
    for said in &mut programs {
        said.seconds *= 0.5 + random(&mut state);
        said.watts = Some((12.0 * (1.0 + 0.02 * (random(&mut state) - 0.5)), "package-0"));
    }
    let folder = Folder::new(&programs);
    let (model, text, _) = folder.model(&ENERGY);
    assert_eq!(model.verdict.standing, Standing::Worse, "{:?}", model.verdict);
    assert!(text.replace('\n', " ").contains("joules are only watts × seconds here"), "{text}");
    assert_eq!((model.measure.as_str(), model.net), ("net joules of package-0", true));
    assert!((model.null_models[0].slope - 12.0).abs() < 0.2 && text.contains("fitted nJ each"));
    let output = folder.fit(&[&ENERGY[..], &["--domain", "dram-0"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("it has no energy of dram-0, only of package-0"), "{}", stderr(&output));
    assert!(stderr(&output).contains("0 programs of 0 templates have"), "{}", stderr(&output));
    assert_eq!(folder.fit(&[&TIME[..], &["--domain", "dram-0"]].concat()).status.code(), Some(2));
}

#[test]
fn what_can_not_be_used_is_left_out_with_its_reason() {
    let folder = Folder::new(&programs());
    let root = folder.path("results");
    let write = |place: &str, text: &str| {
        fs::create_dir_all(root.join(place).parent().unwrap()).unwrap();
        fs::write(root.join(place), text).unwrap();
    };
    write("torn.opm/manifest.json", "{\"schema_version\": 1,");
    write("newer.opm/manifest.json", "{\"schema_version\": 99}");
    write("empty.opm/nothing", "");
    write("notes.txt", "foreign");
    let other = |name: &str, change: &dyn Fn(&mut Said)| {
        let mut said = Said::new(name, &[1000; 5]);
        change(&mut said);
        folder.add(&said)
    };
    other("no-runs.py", &|said| said.seconds = 0.0);
    other("no-counts.py", &|said| said.counts.clear());
    other("half.py", &|said| said.complete = false);
    let torn = other("torn.py", &|_| {});
    fs::write(torn.join("opcodes.parquet"), "torn").unwrap();
    let failed = root.join("failed.py/cpython-3.11.7.failed");
    fs::create_dir_all(&failed).unwrap();
    let outcome =
        JobOutcome::Failed { step: Step::Trial, reason: "it raised".into(), exit: None, timed_out: false };
    folder.result(&failed, &Said::new("failed.py", &[1; 5]), Machine::default(), outcome);
    let (model, _, told) = folder.model(&TIME);
    assert_eq!((model.programs.len(), model.skipped.len()), (40, 9), "{told}");
    for (place, reason) in [
        ("/torn.opm:", "the manifest is damaged"),
        ("/newer.opm:", "schema version 99"),
        ("/empty.opm:", "neither a manifest"),
        ("notes.txt:", "no result of Opmeter"),
        ("no-runs.py/", "no runs without the agent"),
        ("no-counts.py/", "it executed nothing"),
        ("half.py/", "not complete: a process was not metered"),
        ("torn.py/", "damaged"),
        ("failed.py/", "failed in its trial run: it raised"),
    ] {
        let line =
            told.lines().find(|line| line.contains(place)).unwrap_or_else(|| panic!("{place}: {told}"));
        assert!(line.starts_with("opmeter: left out: ") && line.contains(reason), "{line}");
        assert!(model.skipped.iter().any(|left| left.reason.contains(reason)), "{reason}");
    }
}

#[test]
fn interpreters_are_not_mixed_and_machines_not_in_silence() {
    let mut programs = programs();
    let mut others: Vec<Said> = programs.iter().take(12).cloned().collect();
    others.iter_mut().for_each(|said| said.python = "3.13.0");
    programs.iter_mut().take(10).for_each(|said| said.hostname = "two");
    programs.extend(others);
    let folder = Folder::new(&programs);
    let output = folder.fit(&TIME);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.contains("cpython 3.11.7 (40 results), cpython 3.13.0 (12 results)"), "{told}");
    assert!(told.contains("--python"), "{told}");
    let (model, text, told) = folder.model(&[&TIME[..], &["--python", "3.11"]].concat());
    assert!(model.programs.len() == 40 && model.machines.len() == 2 && model.warnings.len() == 1);
    assert!(text.contains("warning: the results are of 2 machines"), "{text}");
    assert!(told.contains("12 results of cpython 3.13.0"), "{told}");
    let others =
        model.skipped.iter().filter(|left| left.reason == "it is of cpython 3.13.0, another interpreter");
    assert_eq!(others.count(), 12, "each of them is in the model");
    let output = folder.fit(&[&TIME[..], &["--python", "3.1"]].concat());
    assert!(stderr(&output).contains("no result is of 3.1; there are results of"), "{}", stderr(&output));
    let few = Folder::new(&programs[..5]);
    let told = stderr(&few.fit(&[&TIME[..], &["--clock", "wall"]].concat()));
    assert!(told.contains("5 programs of 1 template have"), "{told}");
}

#[test]
fn joules_of_a_declared_power_are_no_measurement() {
    let mut programs = programs();
    programs.iter_mut().for_each(|said| said.watts = Some((12.0, "machine")));
    let folder = Folder::new(&programs);
    let (model, text, _) = folder.model(&ENERGY);
    assert_eq!(model.measure, "estimated joules of machine");
    assert!(text.contains("are estimates from a declared power"), "{text}");
    let (known, model) = (folder.path("results"), folder.path("model.json"));
    let output = opmeter(&["model", "predict", model.to_str().unwrap(), known.to_str().unwrap()]);
    let text = stdout(&output);
    let row = text.lines().find(|line| line.starts_with("t0-n000001.py")).unwrap();
    assert!(row.split_whitespace().nth(5).unwrap().starts_with('~'), "{row}");
    assert!(text.contains("~: joules that were not measured"), "{text}");
}

#[test]
fn predictions_stand_beside_what_was_measured_and_say_what_is_unlike() {
    let folder = Folder::new(&programs());
    folder.model(&TIME);
    let model = folder.path("model.json").display().to_string();
    let known = folder.add(&Said::new("known.py", &[400_000, 400_000, 300_000, 300_000, 200_000]));
    let mut said = Said::new(UNLIKE, &[1_000_000, 0, 0, 0, 0]);
    said.counts.push(("NEW_OPCODE".to_owned(), 500_000));
    (said.python, said.hostname) = ("3.12.1", "two");
    let unlike = folder.add(&said);
    let uncounted = folder.path("uncounted.opm");
    Recording::write(&uncounted, &Manifest::default(), &Tables::default()).unwrap();
    let predict = |recordings: &[&Path]| {
        let recordings = recordings.iter().map(|path| path.to_str().unwrap());
        opmeter(&["model", "predict", &model].into_iter().chain(recordings).collect::<Vec<&str>>())
    };
    let output = predict(&[&known, &unlike]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let row = text.lines().find(|line| line.starts_with("known.py ")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    let (predicted, measured): (f64, f64) = (cells[1].parse().unwrap(), cells[5].parse().unwrap());
    assert!((predicted / measured - 1.0).abs() < 0.1 && cells.len() == 7, "{row}");
    assert!(
        text.replace('\n', " ").contains(&format!("{UNLIKE} lies outside of what the model was fitted to")),
        "{text}"
    );
    for part in
        ["no program of the model executed", "NEW_OPCODE", "it is of cpython 3.12.1", "another machine: two"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    // As of `fit` and `analyze`: what can be used is, and what can't is told.
    let output = predict(&[&known, &uncounted]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("left out") && stdout(&output).contains("known.py"));
    let output = predict(&[&uncounted]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nothing could be predicted"), "{}", stderr(&output));
    fs::write(&model, "{\"schema_version\": 9}").unwrap();
    assert!(stderr(&predict(&[&known])).contains("is of schema version 9, and this Opmeter knows 1"));
    fs::write(&model, "{").unwrap();
    assert!(stderr(&predict(&[&known])).contains("no model, or a damaged one"));
}
