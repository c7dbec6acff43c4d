//! Joules of counters that move at a known power, and what is said of those that don't.
#![allow(clippy::unwrap_used)]

#[path = "support/counter_tree.rs"]
mod counter_tree;

use std::fs;
use std::thread;
use std::time::Duration;

use counter_tree::{CounterTree, REAL_RANGE, Zone, zone};
use opmeter_energy::{Declared, Fault, Found, Idle, Measurement, Meter, Sysfs, best, sources};

const MILLISECOND: Duration = Duration::from_millis(1);

fn found(tree: &CounterTree) -> Found {
    best(sources(&Sysfs::at(tree.path()))).expect("the tree has counters")
}

/// Measures while `during` runs: the names of the domains, and what they gave.
fn measure(tree: &CounterTree, during: impl FnOnce()) -> (Vec<String>, Measurement) {
    let meter = Meter::new(found(tree).source.unwrap());
    let names = meter.source().domains().iter().map(ToString::to_string).collect();
    let running = meter.begin();
    during();
    (names, running.end().1)
}

/// Holds that each domain took the power that its zone was given, and that there are no others.
fn assert_watts(tree: &CounterTree, expected: &[(&str, f64)]) {
    let (mut names, measurement) = measure(tree, || thread::sleep(Duration::from_millis(1200)));
    let mut found: Vec<f64> =
        measurement.joules.iter().map(|joules| joules.clone().unwrap() / measurement.seconds).collect();
    for (name, watts) in expected {
        let place = names.iter().position(|known| known == name).unwrap_or_else(|| panic!("{names:?}"));
        names.swap_remove(place);
        tree.assert_watts(name, found.swap_remove(place), measurement.seconds, *watts);
    }
    assert!(names.is_empty(), "there are more: {names:?}");
}

#[test]
fn packages_with_dram_and_without_are_read() {
    let tree = CounterTree::new(&[zone("intel-rapl:0", "package-0", 42.0)], MILLISECOND);
    assert_watts(&tree, &[("package-0", 42.0)]);
    let zones = [
        zone("intel-rapl:0", "package-0", 42.0),
        zone("intel-rapl:0:0", "core", 30.0),
        zone("intel-rapl:0:1", "dram", 5.0),
        zone("intel-rapl:1", "package-1", 21.0),
        zone("intel-rapl:1:1", "dram", 2.5),
        zone("intel-rapl:2", "psys", 90.0),
        // The same counters, seen another way.
        zone("intel-rapl-mmio:0", "package-0", 42.0),
    ];
    let tree = CounterTree::new(&zones, MILLISECOND);
    let expected = [
        ("package-0", 42.0),
        ("cores-0", 30.0),
        ("dram-0", 5.0),
        ("package-1", 21.0),
        ("dram-1", 2.5),
        ("psys", 90.0),
    ];
    assert_watts(&tree, &expected);
}

#[test]
fn zones_are_found_without_the_links_to_them() {
    let tree = CounterTree::new(
        &[zone("intel-rapl:0", "package-0", 42.0), zone("intel-rapl:0:1", "dram", 5.0)],
        MILLISECOND,
    );
    fs::remove_dir_all(tree.path().join("class")).unwrap();
    let source = found(&tree).source.unwrap();
    let names: Vec<String> = source.domains().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["package-0", "dram-0"]);
}

#[test]
fn dies_of_a_package_are_told_apart() {
    let zones = [
        zone("intel-rapl:0", "package-0-die-0", 50.0),
        zone("intel-rapl:1", "package-0-die-1", 25.0),
        zone("intel-rapl:1:0", "dram", 4.0),
    ];
    let tree = CounterTree::new(&zones, MILLISECOND);
    assert_watts(&tree, &[("package-0-die-0", 50.0), ("package-0-die-1", 25.0), ("dram-0-die-1", 4.0)]);
}

#[test]
fn counters_that_wrap_several_times_lose_nothing() {
    // A wrap each half second, and one that is about to.
    let wrapping = Zone { start: 19_999_000, range: 20_000_000, ..zone("intel-rapl:0", "package-0", 40.0) };
    let once = Zone { start: REAL_RANGE - 1_000_000, ..zone("intel-rapl:0:0", "dram", 5.0) };
    let tree = CounterTree::new(&[wrapping, once], MILLISECOND);
    assert_watts(&tree, &[("package-0", 40.0), ("dram-0", 5.0)]);
}

#[test]
fn counters_that_seldom_move_are_read_to_a_part_of_their_leaps() {
    let tree = CounterTree::new(&[zone("intel-rapl:0", "package-0", 40.0)], Duration::from_millis(50));
    assert_watts(&tree, &[("package-0", 40.0)]);
}

#[test]
fn a_counter_that_turns_unreadable_has_no_joules_and_others_have() {
    let zones = [zone("intel-rapl:0", "package-0", 40.0), zone("intel-rapl:0:0", "dram", 5.0)];
    let tree = CounterTree::new(&zones, MILLISECOND);
    let (_, measurement) = measure(&tree, || {
        thread::sleep(Duration::from_millis(300));
        tree.remove("intel-rapl:0:0");
        thread::sleep(Duration::from_millis(200));
    });
    let watts = measurement.joules[0].clone().unwrap() / measurement.seconds;
    tree.assert_watts("package-0", watts, measurement.seconds, 40.0);
    let fault = measurement.joules[1].clone().unwrap_err();
    assert!(
        matches!(&fault, Fault::Unreadable { at, error } if *at > 0.29 && error.contains("No such file"))
    );
}

#[test]
fn a_counter_that_stops_has_no_joules() {
    let zones = [zone("intel-rapl:0", "package-0", 40.0), zone("intel-rapl:1", "package-1", 20.0)];
    let tree = CounterTree::new(&zones, MILLISECOND);
    let (_, measurement) = measure(&tree, || {
        thread::sleep(Duration::from_millis(300));
        tree.hold("intel-rapl:1");
        thread::sleep(Duration::from_millis(200));
    });
    assert!(measurement.joules[0].is_ok());
    let fault = measurement.joules[1].clone().unwrap_err();
    assert!(matches!(fault, Fault::StoodStill { from, .. } if from > 0.2), "{fault}");
}

#[test]
fn waiting_for_one_counter_adds_nothing_to_the_others() {
    let zones = [zone("intel-rapl:0", "package-0", 40.0), zone("intel-rapl:1", "package-1", 20.0)];
    let tree = CounterTree::new(&zones, MILLISECOND);
    let meter = Meter::new(found(&tree).source.unwrap());
    tree.hold("intel-rapl:1");
    thread::sleep(Duration::from_millis(20));
    // The first stretch waits for it in vain, at both ends.
    let running = meter.begin();
    thread::sleep(Duration::from_millis(400));
    let (_, measurement) = running.end();
    assert!(measurement.joules[1].is_err());
    let watts = measurement.joules[0].clone().unwrap() / measurement.seconds;
    tree.assert_watts("package-0", watts, measurement.seconds, 40.0);
}

#[test]
fn a_counter_that_never_moves_has_no_period() {
    let zones = [zone("intel-rapl:0", "package-0", 40.0), zone("intel-rapl:1", "package-1", 20.0)];
    let tree = CounterTree::new(&zones, MILLISECOND);
    tree.hold("intel-rapl:1");
    thread::sleep(Duration::from_millis(20));
    let meter = Meter::new(found(&tree).source.unwrap());
    assert!(meter.period(0).unwrap() > 0.0005 && meter.period(1).is_none());
    let (_, measurement) = meter.begin().end();
    let fault = measurement.joules[1].clone().unwrap_err();
    assert!(matches!(fault, Fault::NoStep { .. } | Fault::StoodStill { .. }), "{fault}");
}

#[test]
fn idle_power_is_measured() {
    let tree = CounterTree::new(&[zone("intel-rapl:0", "package-0", 8.0)], MILLISECOND);
    let (_, idle) = Idle::measure(Meter::new(found(&tree).source.unwrap()), 1.0);
    let power = idle.power[0].clone().unwrap();
    tree.assert_watts("package-0", power.watts, idle.seconds, 8.0);
    assert!(power.standard_error.unwrap() < 0.4 && idle.seconds >= 1.0, "{idle:?}");
}

#[test]
fn a_declared_power_is_an_estimate_and_exact() {
    let meter = Meter::new(Box::new(Declared::new(15.0)));
    assert_eq!(meter.source().declared_watts(), Some(15.0));
    let (_, measurement) = meter.begin().end();
    assert_eq!(measurement.joules, [Ok(15.0 * measurement.seconds)]);
}

#[test]
fn what_a_tree_lacks_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let found = sources(&Sysfs::at(folder.path()));
    let problems: Vec<(&str, &str)> =
        found.iter().map(|found| (found.name, found.refused[0].problem.as_str())).collect();
    assert!(matches!(problems[..], [("perf", _), ("powercap", _), ("hwmon", _)]), "{problems:?}");
    assert!(problems.iter().all(|(_, problem)| problem.contains(folder.path().to_str().unwrap())));
    assert!(found.iter().all(|found| found.source.is_none() && found.refused[0].remedy.is_some()));
    assert!(best(found).is_none());
}

#[test]
fn a_zone_without_a_counter_is_refused_by_its_path() {
    let zones = [zone("intel-rapl:0", "package-0", 40.0), zone("intel-rapl:1", "package-1", 20.0)];
    let tree = CounterTree::new(&zones, MILLISECOND);
    tree.remove("intel-rapl:1");
    let found = found(&tree);
    assert_eq!(found.source.unwrap().domains().len(), 1);
    let problem = &found.refused[0].problem;
    assert!(problem.contains("intel-rapl:1 can't be read") && problem.contains("energy_uj"), "{problem}");
}

#[test]
fn hwmon_reads_sockets_and_cores() {
    let folder = tempfile::tempdir().unwrap();
    let driver = folder.path().join("class/hwmon/hwmon3");
    fs::create_dir_all(&driver).unwrap();
    fs::write(driver.join("name"), "amd_energy\n").unwrap();
    let counters = [("Ecore000", 1u64), ("Ecore001", 2), ("Esocket0", 10), ("Esocket1", 20)];
    for (place, (label, microjoules)) in counters.into_iter().enumerate() {
        fs::write(driver.join(format!("energy{}_label", place + 1)), format!("{label}\n")).unwrap();
        fs::write(driver.join(format!("energy{}_input", place + 1)), format!("{microjoules}\n")).unwrap();
    }
    let mut source = best(sources(&Sysfs::at(folder.path()))).unwrap().source.unwrap();
    let names: Vec<String> = source.domains().iter().map(ToString::to_string).collect();
    assert_eq!(
        (source.name(), names),
        ("hwmon", vec!["package-0".into(), "package-1".into(), "cores".into()])
    );
    let read: Vec<u64> = (0..3).map(|domain| source.read(domain).unwrap()).collect();
    assert_eq!(read, [10, 20, 3]);
}

/// A tree with a PMU that every kernel has in the part of the one that counts energy: its clock counts the
/// nanoseconds of each CPU.
fn tree_of_clocks(cpus: &str, sockets: &[(u32, u32)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let pmu = "bus/event_source/devices/power";
    write(&format!("{pmu}/type"), "1\n");
    write(&format!("{pmu}/cpumask"), cpus);
    write(&format!("{pmu}/format/event"), "config:0-7\n");
    for (event, scale) in [("energy-pkg", "4.2e-8\n"), ("energy-ram", "5.0e-9\n")] {
        write(&format!("{pmu}/events/{event}"), "event=0x00\n");
        write(&format!("{pmu}/events/{event}.unit"), "Joules\n");
        write(&format!("{pmu}/events/{event}.scale"), scale);
    }
    for (cpu, socket) in sockets {
        write(&format!("devices/system/cpu/cpu{cpu}/topology/physical_package_id"), &socket.to_string());
        write(&format!("devices/system/cpu/cpu{cpu}/topology/die_id"), "0");
    }
    folder
}

/// What perf reads in such a tree; nothing where this system lets nobody count.
fn perf(tree: &tempfile::TempDir) -> Option<Box<dyn opmeter_energy::Source>> {
    let found = sources(&Sysfs::at(tree.path())).swap_remove(0);
    if found.source.is_none() {
        eprintln!("not tested: this system lets nobody count: {:?}", found.refused);
        assert!(found.refused[0].problem.starts_with("power/energy-pkg/ can't be opened"));
    }
    found.source
}

#[test]
fn perf_reads_a_pmu_that_its_folder_describes() {
    let tree = tree_of_clocks("0\n", &[]);
    let Some(source) = perf(&tree) else { return };
    let running = Meter::new(source).begin();
    thread::sleep(Duration::from_millis(500));
    let (meter, measurement) = running.end();
    for (domain, (name, watts)) in [("package-0", 42.0), ("dram-0", 5.0)].into_iter().enumerate() {
        assert_eq!(meter.source().domains()[domain].to_string(), name);
        let measured = measurement.joules[domain].clone().unwrap() / measurement.seconds;
        assert!((measured / watts - 1.0).abs() < 0.01, "{name}: {measured} W");
    }
}

#[test]
fn perf_tells_the_sockets_of_its_cpus() {
    if thread::available_parallelism().unwrap().get() < 2 {
        eprintln!("not tested: there is but one CPU");
        return;
    }
    let tree = tree_of_clocks("0-1\n", &[(0, 0), (1, 3)]);
    let Some(source) = perf(&tree) else { return };
    let names: Vec<String> = source.domains().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["package-0", "package-3", "dram-0", "dram-3"]);
}

#[test]
fn perf_refuses_a_pmu_that_counts_something_else() {
    let tree = tree_of_clocks("0\n", &[]);
    let event = tree.path().join("bus/event_source/devices/power/events/energy-pkg.unit");
    fs::write(event, "Hertz\n").unwrap();
    let refused = sources(&Sysfs::at(tree.path())).swap_remove(0).refused;
    assert!(refused[0].problem.contains("its unit is \"Hertz\", not Joules"), "{refused:?}");
}
