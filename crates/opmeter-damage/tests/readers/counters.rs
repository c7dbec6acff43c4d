//! The counters of a machine, in files that say anything.

use std::fs;
use std::path::Path;

use opmeter_damage::{Damage, cases, isolated};
use opmeter_energy::{Meter, Source, Sysfs, sources};

const FILES: [(&str, &[u8]); 9] = [
    ("class/powercap/intel-rapl:0/name", b"package-0\n"),
    ("class/powercap/intel-rapl:0/energy_uj", b"123456789\n"),
    ("class/powercap/intel-rapl:0/max_energy_range_uj", b"262143328850\n"),
    ("class/powercap/intel-rapl:0/intel-rapl:0:0/name", b"dram\n"),
    ("class/powercap/intel-rapl:0/intel-rapl:0:0/energy_uj", b"77\n"),
    ("class/powercap/intel-rapl:0/intel-rapl:0:0/max_energy_range_uj", b"65712999613\n"),
    ("bus/event_source/devices/power/type", b"20\n"),
    ("bus/event_source/devices/power/cpumask", b"0,18-20\n"),
    ("class/hwmon/hwmon0/name", b"amd_energy\n"),
];

fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn counters_that_say_anything_are_refused_or_read() {
    isolated("counters::counters_that_say_anything_are_refused_or_read", 256, 300, |case| {
        let folder = tempfile::tempdir().unwrap();
        FILES.iter().for_each(|(name, bytes)| write(folder.path(), name, bytes));
        let sysfs = Sysfs::at(folder.path());
        let readable = || sources(&sysfs).into_iter().filter_map(|found| found.source);
        assert!(readable().next().is_some(), "what is damaged is whole at first");
        let mut metered: Vec<Box<dyn Source>> = Vec::new();
        for (name, bytes) in FILES {
            for seed in 0..cases(12) {
                case.is(&format!("{name} {seed}"));
                let damaged = Damage::new(seed as u64).of_text(bytes, &[b"-", b"0-4294967295", b"1,"]);
                // An empty file is waited for: it may be about to be written.
                if damaged.is_empty() {
                    continue;
                }
                write(folder.path(), name, &damaged);
                for found in sources(&sysfs) {
                    assert!(found.refused.iter().all(|refusal| !refusal.problem.contains('\n')));
                    let Some(mut source) = found.source else { continue };
                    let domains = source.domains().to_vec();
                    for (place, domain) in domains.iter().enumerate() {
                        assert!(!domain.to_string().contains(char::is_control), "{domain}");
                        let _ = source.read(place);
                    }
                    metered.extend((seed == 0).then_some(source));
                }
            }
            write(folder.path(), name, bytes);
        }
        // What it takes to find out how counters move is taken for a few.
        for source in metered.into_iter().take(3) {
            case.is("metered");
            let (_, measurement) = Meter::new(source).begin().end();
            let joules = measurement.joules.iter().flatten();
            joules.for_each(|joules| assert!(*joules >= 0.0 && joules.is_finite(), "{joules}"));
        }
    });
}
