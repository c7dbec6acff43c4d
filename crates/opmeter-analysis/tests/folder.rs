//! Tables over the results of folders.
#![allow(clippy::unwrap_used)]

use opmeter_analysis::{
    DataTable, DataValues, Study, Terms, family_table, interpreter_table, machines, matrix_table,
    opcode_table, program_table,
};
use opmeter_opcodes::Family;
use opmeter_recording::{
    DistributionRow, Energy, EnergyDomain, EnergyRow, Machine, OpcodeRow, OpcodeTime, Phase, RunRow,
};

fn opcode(phase: Phase, opcode: &str, base: &str, executions: u64, ns_each: Option<u64>) -> OpcodeRow {
    OpcodeRow {
        process: 0,
        phase,
        opcode: opcode.to_owned(),
        base_opcode: base.to_owned(),
        number: 1,
        executions,
        time: ns_each.map(|ns| OpcodeTime {
            timed_executions: executions / 2,
            cycles_raw: executions / 2 * ns * 4,
            cycles_net: executions * ns * 3,
            ns_net: executions * ns,
            ..OpcodeTime::NONE
        }),
    }
}

fn study(program: &str, interpreter: &str, opcodes: Vec<OpcodeRow>, seconds: &[f64]) -> Study {
    let runs = (0..).zip(seconds).map(|(run, seconds)| RunRow {
        run,
        seconds: *seconds,
        cpu_seconds: seconds / 2.0,
        repetitions: 1,
    });
    Study {
        program: program.to_owned(),
        interpreter: interpreter.to_owned(),
        machine: Machine { hostname: "one".to_owned(), cpu: "CPU".to_owned(), ..Machine::default() },
        opcodes,
        distributions: Vec::new(),
        runs: runs.collect(),
        energy: Vec::new(),
        measurement: Energy::default(),
    }
}

/// Two programs on one interpreter, one of them on another as well.
fn studies() -> Vec<Study> {
    let a = vec![
        opcode(Phase::Startup, "LOAD_FAST", "LOAD_FAST", 1_000_000, None),
        opcode(Phase::Main, "LOAD_ATTR_SLOT", "LOAD_ATTR", 600, Some(10)),
        opcode(Phase::Main, "LOAD_ATTR", "LOAD_ATTR", 200, Some(20)),
        opcode(Phase::Main, "LOAD_FAST", "LOAD_FAST", 200, Some(2)),
        opcode(Phase::Main, "NOP", "NOP", 0, None),
    ];
    let b = vec![opcode(Phase::Main, "LOAD_ATTR_SLOT", "LOAD_ATTR", 1000, Some(20))];
    let old = vec![opcode(Phase::Main, "LOAD_ATTR", "LOAD_ATTR", 2000, None)];
    vec![
        study("a.py", "cpython 3.12.1", a, &[1.0, 1.2, 1.1]),
        study("b.py", "cpython 3.12.1", b, &[0.5]),
        study("a.py", "cpython 3.8.18", old, &[2.2]),
    ]
}

fn whole(table: &DataTable, name: &str) -> Vec<u64> {
    match &table.columns.iter().find(|column| column.name == name).unwrap().values {
        DataValues::Whole(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

/// Rounded to thousandths; none where there is no number.
fn real(table: &DataTable, name: &str) -> Vec<Option<f64>> {
    match &table.columns.iter().find(|column| column.name == name).unwrap().values {
        DataValues::Real(values) => {
            values.iter().map(|value| (!value.is_nan()).then_some((value * 1e3).round() / 1e3)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn text(table: &DataTable, name: &str) -> Vec<String> {
    match &table.columns.iter().find(|column| column.name == name).unwrap().values {
        DataValues::Text(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn programs_have_their_executions_time_and_energy() {
    let mut studies = studies();
    studies[0].measurement = Energy {
        source: "perf".to_owned(),
        domains: ["package-0", "dram-0"]
            .map(|name| EnergyDomain {
                domain: name.to_owned(),
                kind: name.split('-').next().unwrap().to_owned(),
                ..EnergyDomain::default()
            })
            .to_vec(),
        ..Energy::default()
    };
    let row = |run, domain: &str, joules: f64| EnergyRow {
        run,
        source: "perf".into(),
        domain: domain.into(),
        joules,
        seconds: 1.0,
        watts: joules,
        repetitions: 1,
        joules_resolution: 0.0,
        net: None,
    };
    studies[0].energy = vec![row(0, "package-0", 20.0), row(0, "dram-0", 90.0), row(1, "package-0", 22.0)];
    let table = program_table(&studies, &[Phase::Main]);
    assert_eq!(text(&table, "program"), ["a.py", "b.py", "a.py"]);
    assert_eq!(whole(&table, "executions"), [1000, 1000, 2000]);
    assert_eq!(real(&table, "seconds"), [Some(1.1), Some(0.5), Some(2.2)]);
    assert_eq!(real(&table, "interval_percent"), [Some(22.583), None, None]);
    assert_eq!(real(&table, "joules"), [Some(21.0), None, None]);
    assert_eq!(text(&table, "energy"), ["perf", "", ""]);
    assert_eq!(whole(&program_table(&studies, &Phase::ALL), "executions"), [1_001_000, 1000, 2000]);
    // What nobody measured has no column.
    let names = |table: &DataTable| table.columns.iter().map(|column| column.name).collect::<Vec<&str>>();
    assert!(!names(&program_table(&studies[1..], &[Phase::Main])).contains(&"joules"));
}

#[test]
fn opcodes_are_added_up_over_programs() {
    let mut studies = studies();
    studies.pop();
    let bucket = |cycles_to, executions| DistributionRow {
        process: 0,
        phase: Phase::Main,
        opcode: "LOAD_ATTR_SLOT".to_owned(),
        cycles_from: cycles_to,
        cycles_to,
        executions,
    };
    studies[0].distributions = vec![bucket(30, 98), bucket(500, 1)];
    studies[1].distributions = vec![bucket(40, 1)];
    let table = opcode_table(&studies, Terms::AsExecuted, &[Phase::Main], None);
    assert_eq!(text(&table, "opcode"), ["LOAD_ATTR_SLOT", "LOAD_ATTR", "LOAD_FAST"]);
    assert_eq!(whole(&table, "executions"), [1600, 200, 200]);
    assert_eq!(whole(&table, "programs"), [2, 1, 1]);
    assert_eq!(real(&table, "share_percent"), [Some(80.0), Some(10.0), Some(10.0)]);
    assert_eq!(real(&table, "mean_share_percent"), [Some(80.0), Some(10.0), Some(10.0)]);
    // (600 * 10 + 1000 * 20) / 1600, and means of 10 and 20 in the two.
    assert_eq!(real(&table, "ns_net_mean"), [Some(16.25), Some(20.0), Some(2.0)]);
    assert_eq!(real(&table, "spread_percent"), [Some(47.14), None, None]);
    assert_eq!(real(&table, "cycles_raw_mean"), [Some(65.0), Some(80.0), Some(8.0)]);
    assert_eq!(real(&table, "cycles_raw_median"), [Some(30.0), None, None]);
    assert_eq!(real(&table, "cycles_raw_p99"), [Some(40.0), None, None]);
    let base = opcode_table(&studies, Terms::Base, &[Phase::Main], Some(Family::Attributes));
    assert_eq!(
        (text(&base, "opcode"), whole(&base, "executions")),
        (vec!["LOAD_ATTR".to_owned()], vec![1800])
    );
}

#[test]
fn families_and_the_matrix_add_up_to_the_same() {
    let studies = studies();
    let families = family_table(&studies, &[Phase::Main]);
    assert_eq!(text(&families, "family"), ["attributes", "locals and constants"]);
    assert_eq!(whole(&families, "executions"), [3800, 200]);
    let matrix = matrix_table(&studies, Terms::Base, &[Phase::Main]);
    assert_eq!(whole(&matrix, "executions"), [800, 200, 1000, 2000]);
    assert_eq!(real(&matrix, "share_percent")[..2], [Some(80.0), Some(20.0)]);
}

#[test]
fn interpreters_are_compared_over_the_programs_that_both_ran() {
    let mut studies = studies();
    let table = interpreter_table(&studies, &[Phase::Main]);
    assert_eq!(text(&table, "interpreter"), ["cpython 3.8.18", "cpython 3.12.1"]);
    assert_eq!((whole(&table, "programs"), whole(&table, "compared")), (vec![1, 2], vec![1, 1]));
    assert_eq!(real(&table, "executions_ratio"), [Some(1.0), Some(0.5)]);
    assert_eq!(real(&table, "seconds_ratio"), [Some(1.0), Some(0.5)]);
    // Results of another machine are not compared.
    studies[2].machine.hostname = "two".to_owned();
    let table = interpreter_table(&studies, &[Phase::Main]);
    assert_eq!(whole(&table, "compared"), [1, 0]);
    assert_eq!(machines(&studies), ["one (CPU)", "two (CPU)"]);
}
