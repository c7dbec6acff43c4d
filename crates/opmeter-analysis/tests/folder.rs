//! Tables over the results of folders.
#![allow(clippy::unwrap_used)]

use opmeter_analysis::{
    DataTable, DataValues, GenericSubscripts, Study, Terms, TimeSum, family_table, interpreter_table,
    machines, matrix_table, opcode_table, program_table,
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
        is_counted: true,
        opcodes,
        subscripts: Vec::new(),
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
        DataValues::Whole(values) => values.iter().map(|value| value.unwrap()).collect(),
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
    // Of 300 and 500 timed executions, a few were under way when a slice ended.
    studies[0].distributions = vec![bucket(30, 290), bucket(500, 3)];
    studies[1].distributions = vec![bucket(40, 490)];
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
    assert_eq!(real(&table, "cycles_raw_median"), [Some(40.0), None, None]);
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
    let families = family_table(&studies, &[Phase::Main], None);
    assert_eq!(text(&families, "family"), ["attributes", "locals and constants"]);
    assert_eq!(whole(&families, "executions"), [3800, 200]);
    let matrix = matrix_table(&studies, Terms::Base, &[Phase::Main], None);
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

#[test]
fn means_are_of_results_that_were_measured_with_times() {
    let mut studies = studies();
    // `old` ran 2000 times what takes 10 and 20 ns in others, and has no times.
    let table = opcode_table(&studies, Terms::Base, &[Phase::Main], None);
    assert_eq!(text(&table, "opcode"), ["LOAD_ATTR", "LOAD_FAST"]);
    assert_eq!(whole(&table, "executions"), [3800, 200]);
    // (600 * 10 + 200 * 20 + 1000 * 20) / 1800
    assert_eq!(real(&table, "ns_net_mean"), [Some(16.667), Some(2.0)]);
    let families = family_table(&studies, &[Phase::Main], None);
    assert_eq!(real(&families, "ns_net_mean"), [Some(16.667), Some(2.0)]);
    assert_eq!(real(&families, "time_percent"), [Some(98.684), Some(1.316)]);
    // Two of the three are of one program.
    assert_eq!(whole(&table, "programs"), [2, 1]);
    studies[2].program = "c.py".to_owned();
    assert_eq!(whole(&opcode_table(&studies, Terms::Base, &[Phase::Main], None), "programs"), [3, 1]);
}

#[test]
fn quantiles_of_few_of_the_timed_executions_are_not_told() {
    let mut studies = vec![studies().remove(1)];
    let bucket = |executions| DistributionRow {
        process: 0,
        phase: Phase::Main,
        opcode: "LOAD_ATTR_SLOT".to_owned(),
        cycles_from: 30,
        cycles_to: 30,
        executions,
    };
    // Of its 500 timed executions; what returns to C code is in no distribution.
    for (executions, expected) in [(450, Some(30.0)), (449, None), (1, None)] {
        studies[0].distributions = vec![bucket(executions)];
        let table = opcode_table(&studies, Terms::AsExecuted, &[Phase::Main], None);
        let median = table.columns.iter().any(|column| column.name == "cycles_raw_median");
        assert_eq!(median, expected.is_some(), "{executions}");
        if median {
            assert_eq!(real(&table, "cycles_raw_median"), [expected]);
        }
    }
}

#[test]
fn what_has_energy_alone_has_no_executions_and_no_interpreter() {
    let mut studies = studies();
    let mut alone = study("e.py", "", Vec::new(), &[1.0]);
    alone.is_counted = false;
    studies.insert(0, alone);
    let programs = program_table(&studies, &[Phase::Main]);
    let DataValues::Whole(executions) = &programs.columns[2].values else { panic!() };
    assert_eq!(executions, &[None, Some(1000), Some(1000), Some(2000)]);
    assert_eq!(real(&programs, "million_executions_per_second")[0], None);
    let shares = |studies: &[Study]| {
        let table = opcode_table(studies, Terms::Base, &[Phase::Main], None);
        let families = family_table(studies, &[Phase::Main], None);
        [real(&table, "mean_share_percent"), real(&families, "mean_share_percent")]
    };
    assert_eq!(shares(&studies), shares(&studies[1..]));
    let table = interpreter_table(&studies, &[Phase::Main]);
    assert_eq!(text(&table, "interpreter"), ["cpython 3.8.18", "cpython 3.12.1"]);
    assert_eq!(real(&table, "executions_ratio"), [Some(1.0), Some(0.5)]);
}

#[test]
fn subscripts_are_such_in_every_version() {
    let old = vec![
        opcode(Phase::Main, "BINARY_SUBSCR", "BINARY_SUBSCR", 100, Some(8)),
        opcode(Phase::Main, "BINARY_ADD", "BINARY_ADD", 50, Some(4)),
    ];
    // The generic form ran 30 times, of which 20 were subscripts.
    let new = vec![
        opcode(Phase::Main, "BINARY_OP_SUBSCR_LIST_INT", "BINARY_OP", 80, Some(6)),
        opcode(Phase::Main, "BINARY_OP", "BINARY_OP", 30, Some(10)),
        opcode(Phase::Main, "BINARY_OP_ADD_INT", "BINARY_OP", 40, Some(4)),
    ];
    let mut studies =
        vec![study("a.py", "cpython 3.8.18", old, &[1.0]), study("a.py", "cpython 3.14.0", new, &[1.0])];
    studies[1].subscripts = vec![GenericSubscripts {
        row: (0, Phase::Main, "BINARY_OP".to_owned()),
        executions: 20,
        time: Some(TimeSum { ns_net: 240, timed_executions: 10, ..TimeSum::default() }),
    }];
    let families = family_table(&studies, &[Phase::Main], None);
    assert_eq!(text(&families, "family"), ["subscripts", "arithmetic"]);
    assert_eq!(whole(&families, "executions"), [200, 100]);
    // (100 * 8 + 80 * 6 + 240) / 200, and (50 * 4 + 300 - 240 + 40 * 4) / 100
    assert_eq!(real(&families, "ns_net_mean"), [Some(7.6), Some(4.2)]);
    let alone = family_table(&studies, &[Phase::Main], Some(Family::Arithmetic));
    assert_eq!((whole(&alone, "executions"), text(&alone, "family").len()), (vec![100], 1));
    assert_eq!(real(&alone, "share_percent"), [Some(33.333)]);
    let table = opcode_table(&studies, Terms::Base, &[Phase::Main], Some(Family::Subscripts));
    assert_eq!(text(&table, "opcode"), ["BINARY_OP", "BINARY_SUBSCR"]);
    assert_eq!(whole(&table, "executions"), [100, 100]);
    let matrix = matrix_table(&studies, Terms::Base, &[Phase::Main], None);
    assert_eq!(whole(&matrix, "executions"), [50, 100, 150]);
    let matrix = matrix_table(&studies, Terms::Base, &[Phase::Main], Some(Family::Arithmetic));
    assert_eq!(whole(&matrix, "executions"), [50, 50]);
}

#[test]
fn estimates_are_compared_with_estimates_and_said_to_be_such() {
    let energy = |study: &mut Study, source: &str, joules: f64| {
        study.measurement = Energy {
            source: source.to_owned(),
            estimate: source == "estimate",
            domains: vec![EnergyDomain {
                domain: "x".to_owned(),
                kind: "x".to_owned(),
                ..EnergyDomain::default()
            }],
            ..Energy::default()
        };
        study.energy = vec![EnergyRow {
            run: 0,
            source: source.into(),
            domain: "x".into(),
            joules,
            seconds: 1.0,
            watts: joules,
            repetitions: 1,
            joules_resolution: 0.0,
            net: None,
        }];
    };
    let mut studies = studies();
    energy(&mut studies[0], "estimate", 10.0);
    energy(&mut studies[2], "estimate", 20.0);
    let table = interpreter_table(&studies, &[Phase::Main]);
    assert_eq!(real(&table, "joules_ratio"), [Some(1.0), Some(0.5)]);
    assert_eq!(text(&table, "energy"), ["estimate", "estimate"]);
    // Never with what was measured.
    energy(&mut studies[2], "perf", 20.0);
    let table = interpreter_table(&studies, &[Phase::Main]);
    assert_eq!(real(&table, "joules_ratio"), [Some(1.0), None]);
    assert_eq!(text(&table, "energy"), ["perf", ""]);
}
