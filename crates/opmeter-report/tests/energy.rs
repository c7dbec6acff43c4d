//! Reports of energy, compared with golden files.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{assert_golden, manifest};
use opmeter_analysis::EnergySummary;
use opmeter_recording::{Dispatch, Energy, EnergyDomain, EnergyRow, Machine, Manifest, NetEnergy};
use opmeter_report::export::Format;
use opmeter_report::{Page, Style};

fn domain(domain: &str, kind: &str, idle_watts: Option<f64>) -> EnergyDomain {
    EnergyDomain {
        domain: domain.into(),
        kind: kind.into(),
        update_seconds: Some(0.001),
        idle_watts,
        idle_watts_se: idle_watts.map(|watts| watts / 100.0),
        ..EnergyDomain::default()
    }
}

fn row(run: u32, domain: &str, joules: f64, idle_watts: Option<f64>) -> EnergyRow {
    let seconds = 0.79 + f64::from(run) * 0.001;
    EnergyRow {
        run,
        source: "perf".into(),
        domain: domain.into(),
        joules,
        seconds,
        watts: joules / seconds,
        repetitions: 1,
        joules_resolution: 0.001 * joules / seconds,
        // So few digits that they are read from JSON as they were.
        net: idle_watts.map(|idle_watts| NetEnergy {
            idle_watts,
            joules_net: ((joules - idle_watts * seconds) * 1e4).round() / 1e4,
        }),
    }
}

/// Five runs on two packages, one with dram.
fn measured() -> (Energy, Vec<EnergyRow>) {
    let energy = Energy {
        source: "perf".into(),
        runs: 5,
        idle_seconds: 2.0,
        machine: Machine { cpu: "Some CPU @ 3.00GHz".into(), ..Machine::default() },
        domains: vec![
            domain("package-0", "package", Some(8.5)),
            domain("dram-0", "dram", Some(1.25)),
            domain("package-1", "package", Some(7.75)),
        ],
        complete: true,
        ..Energy::default()
    };
    let joules =
        [[21.4, 1.52, 7.1], [21.6, 1.51, 7.0], [21.5, 1.53, 7.2], [21.7, 1.52, 7.1], [21.5, 1.5, 7.1]];
    let rows = (0..).zip(joules).flat_map(|(run, joules)| {
        let domains = energy.domains.iter().zip(joules);
        domains.map(move |(domain, joules)| row(run, &domain.domain, joules, domain.idle_watts))
    });
    let rows = rows.collect();
    (energy, rows)
}

fn report(manifest: &Manifest, energy: &Energy, rows: &[EnergyRow]) -> String {
    let summary = EnergySummary::new(energy, rows).unwrap();
    let mut out = Vec::new();
    let page = Page { manifest, top: None, columns: Page::COLUMNS, style: Style::PLAIN };
    page.write_energy(energy, &summary, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= Page::COLUMNS && !line.ends_with(' ')), "{text}");
    text
}

#[test]
fn packages_gross_and_net_beside_counts() {
    let (energy, rows) = measured();
    let mut manifest = manifest();
    manifest.processes[0].dispatch = Dispatch { executions: 324_203_273, ..Dispatch::default() };
    assert_golden("energy.txt", report(&manifest, &energy, &rows).as_bytes());
}

#[test]
fn an_estimate_looks_like_one_wherever_a_number_stands() {
    let energy = Energy {
        source: "estimate".into(),
        estimate: true,
        domains: vec![domain("machine", "machine", None)],
        ..Energy::default()
    };
    let rows: Vec<EnergyRow> = (0..2).map(|run| row(run, "machine", 11.85, None)).collect();
    let manifest = Manifest { tables: Vec::new(), ..manifest() };
    assert_golden("energy-estimate.txt", report(&manifest, &energy, &rows).as_bytes());
}

#[test]
fn what_is_missing_and_what_disturbed_is_told() {
    let (mut energy, mut rows) = measured();
    rows.retain(|row| row.run < 1 && &*row.domain != "package-1");
    rows[1].joules_resolution = 0.5;
    energy.incomplete =
        vec!["package-1 could not be read any more 0.3 s after the start: \u{1b}[31mgone".into()];
    energy.warnings = vec!["two threads share each core".into()];
    let manifest = Manifest { tables: Vec::new(), ..manifest() };
    assert_golden("energy-missing.txt", report(&manifest, &energy, &rows).as_bytes());
}

#[test]
fn rows_are_exported_with_net_and_without() {
    let (_, mut rows) = measured();
    let export = |rows: &[EnergyRow], format: Format| {
        let mut out = Vec::new();
        format.write(rows, &mut out).unwrap();
        out
    };
    rows.truncate(3);
    assert_golden("energy.csv", &export(&rows, Format::Csv));
    assert_eq!(serde_json::from_slice::<Vec<EnergyRow>>(&export(&rows, Format::Json)).unwrap(), rows);
    rows.iter_mut().for_each(|row| row.net = None);
    let csv = String::from_utf8(export(&rows, Format::Csv)).unwrap();
    assert!(
        csv.starts_with("run,source,domain,joules,seconds,watts,repetitions,joules_resolution\n"),
        "{csv}"
    );
    assert_eq!(serde_json::from_slice::<Vec<EnergyRow>>(&export(&rows, Format::Json)).unwrap(), rows);
}
