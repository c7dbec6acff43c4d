//! Perf's power PMUs: `power`, of packages and what is in and beside them, and AMD's `power_core`, of each core.
//! The kernel describes a PMU in `bus/event_source/devices` (`Documentation/ABI/testing/
//! sysfs-bus-event_source-devices`): its `type`, in `cpumask` a CPU for each unit that it counts for, and for each
//! of its `events` the configuration, the `.unit` and the `.scale` to it. While a counter is open the kernel
//! sees to it that no wrap of the processor's is missed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use perf_event::events::Dynamic;
use perf_event::{Builder, Counter};

use crate::domain::{Kind, Place};
use crate::source::{Found, Refusal};
use crate::{Domain, Source, Sysfs};

const NAME: &str = "perf";

/// The PMUs, each with its events.
const PMUS: [(&str, &[(&str, Kind)]); 2] = [
    (
        "power",
        &[
            ("energy-pkg", Kind::Package),
            ("energy-cores", Kind::Cores),
            ("energy-gpu", Kind::Gpu),
            ("energy-ram", Kind::Dram),
            ("energy-psys", Kind::Psys),
        ],
    ),
    ("power_core", &[("energy-core", Kind::Cores)]),
];

/// Counters by what they are of, and what a step of them stands for in joules.
type Opened = BTreeMap<(Kind, Place), (f64, Vec<Counter>)>;

/// The counters of perf that could be opened. A domain is the sum of some of them, that of the cores.
struct Perf {
    domains: Vec<Domain>,
    counters: Vec<Vec<Counter>>,
}

/// Looks for PMUs and opens their counters.
pub(crate) fn find(sysfs: &Sysfs) -> Found {
    let mut opened: Opened = Opened::new();
    let mut refused = Vec::new();
    let mut any = false;
    for (pmu, events) in PMUS {
        let folder = sysfs.path(&format!("bus/event_source/devices/{pmu}"));
        if !folder.is_dir() {
            continue;
        }
        any = true;
        for (event, kind) in events {
            if !folder.join("events").join(event).exists() || opened.keys().any(|(open, _)| open == kind) {
                continue;
            }
            match open_event(sysfs, &folder, event, *kind) {
                Ok(counters) => opened.extend(counters),
                Err(error) => refused.push(refusal(pmu, event, &error)),
            }
        }
    }
    if !any {
        refused.push(Refusal {
            problem: format!(
                "{} has no PMU named power (virtual machines seldom have one)",
                sysfs.path("bus/event_source/devices").display()
            ),
            remedy: Some("sudo modprobe rapl".to_owned()),
        });
    }
    let mut perf = Perf { domains: Vec::new(), counters: Vec::new() };
    for ((kind, place), (joules_per_step, counters)) in opened {
        perf.domains.push(Domain { kind, place, joules_per_step, range: None });
        perf.counters.push(counters);
    }
    let source = (!perf.domains.is_empty()).then(|| Box::new(perf) as Box<dyn Source>);
    Found { name: NAME, source, refused }
}

/// Opens the counters of an event, one for each CPU that the PMU names, by domain.
fn open_event(sysfs: &Sysfs, folder: &Path, event: &str, kind: Kind) -> io::Result<Opened> {
    let mut described = Dynamic::builder(folder)?;
    described.event(event)?;
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    let unit = described.unit()?.unwrap_or_default();
    if unit != "Joules" {
        return Err(invalid(format!("its unit is \"{}\", not Joules", unit.escape_debug())));
    }
    let scale = described.scale()?.filter(|scale| scale.is_finite() && *scale > 0.0);
    let joules_per_step = scale.ok_or_else(|| invalid("it has no scale".to_owned()))?;
    let pmu_event = described.build().map_err(io::Error::other)?;
    let cpus = sysfs.cpus(&folder.join("cpumask"))?;
    let mut opened: Opened = BTreeMap::new();
    for cpu in &cpus {
        let mut counter = Builder::new(pmu_event);
        // These count all that happens; a PMU of this sort refuses to leave anything out.
        counter.any_pid().one_cpu(*cpu as usize).include_kernel().include_hv();
        let mut counter = counter.build()?;
        counter.enable()?;
        let place = place(sysfs, kind, *cpu, &cpus);
        let (_, counters) = opened.entry((kind, place)).or_insert((joules_per_step, Vec::new()));
        counters.push(counter);
    }
    Ok(opened)
}

/// Where the unit is that a CPU stands for.
fn place(sysfs: &Sysfs, kind: Kind, cpu: u32, cpus: &[u32]) -> Place {
    if kind == Kind::Psys && cpus.len() == 1 {
        return Place::default();
    }
    let at = |cpu: u32| {
        let socket = sysfs.topology(cpu, "physical_package_id").unwrap_or(0);
        (socket, sysfs.topology(cpu, "die_id").unwrap_or(0))
    };
    let (socket, die) = at(cpu);
    let several = cpus.iter().any(|other| at(*other).0 == socket && at(*other).1 != die);
    Place { socket: Some(socket), die: several.then_some(die) }
}

fn refusal(pmu: &str, event: &str, error: &io::Error) -> Refusal {
    let remedy = (error.kind() == io::ErrorKind::PermissionDenied).then(|| {
        let command = std::env::current_exe().unwrap_or_else(|_| "opmeter".into());
        format!(
            "sudo setcap cap_perfmon=ep {} (Linux 5.8 and later), or sudo sysctl kernel.perf_event_paranoid=0",
            command.display()
        )
    });
    let paranoid = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").unwrap_or_default();
    let setting = if remedy.is_some() && !paranoid.is_empty() {
        format!(" (kernel.perf_event_paranoid is {})", paranoid.trim())
    } else {
        String::new()
    };
    Refusal { problem: format!("{pmu}/{event}/ can't be opened: {error}{setting}"), remedy }
}

impl Source for Perf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn read(&mut self, domain: usize) -> io::Result<u64> {
        self.counters[domain].iter_mut().map(Counter::read).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_count_is_told_what_would_allow_it() {
        let denied = refusal("power", "energy-pkg", &io::ErrorKind::PermissionDenied.into());
        let remedy = denied.remedy.unwrap();
        assert!(remedy.starts_with("sudo setcap cap_perfmon=ep /"), "{remedy}");
        assert!(remedy.contains("sudo sysctl kernel.perf_event_paranoid=0"), "{remedy}");
        let other = refusal("power", "energy-pkg", &io::ErrorKind::InvalidInput.into());
        assert!(other.remedy.is_none() && other.problem.starts_with("power/energy-pkg/ can't be opened"));
    }
}
