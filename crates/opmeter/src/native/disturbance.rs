//! What may disturb a measurement of energy, and what to do about it.

use std::collections::BTreeMap;
use std::fs;

use opmeter_energy::Sysfs;
use rustix::param::clock_ticks_per_second;

/// Other programs that keep less than this part of a processor busy are let pass.
const LET_PASS: f64 = 0.1;

/// Load is known to a clock tick or two: of shorter times than this, in seconds, it says nothing.
const LONG_ENOUGH: f64 = 0.5;

/// How busy the processors were with what we did not start, over some stretches of time.
#[derive(Debug, Default)]
pub struct OtherLoad {
    began: Option<Ticks>,
    busy: u64,
    wall: f64,
}

/// Clock ticks since the machine started.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    /// In which any processor did anything.
    busy: u64,
    /// Of these, our own and those of children that have ended.
    own: u64,
}

impl Ticks {
    fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let own = fs::read_to_string("/proc/self/stat").ok()?;
        Self::parse(&stat, &own)
    }

    /// Of what `/proc/stat` and `/proc/self/stat` say (proc(5)).
    fn parse(stat: &str, own: &str) -> Option<Self> {
        let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let all: Vec<u64> = all.split_whitespace().map_while(|field| field.parse().ok()).collect();
        let [user, nice, system, _idle, _iowait, irq, softirq, ..] = all[..] else { return None };
        // utime, stime, cutime and cstime are the 14th to 17th; the second may hold spaces.
        let own = own.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
        let own = own.map_while(|field| field.parse::<u64>().ok()).sum();
        Some(Self { busy: user + nice + system + irq + softirq, own })
    }
}

impl OtherLoad {
    /// A stretch begins.
    pub fn begin(&mut self) {
        self.began = Ticks::now();
    }

    /// A stretch of so many seconds ends. Children that ran in it have ended.
    pub fn end(&mut self, seconds: f64) {
        if let (Some(began), Some(now)) = (self.began.take(), Ticks::now()) {
            let own = now.own.saturating_sub(began.own);
            self.busy += now.busy.saturating_sub(began.busy).saturating_sub(own);
            self.wall += seconds;
        }
    }

    /// What to say of it; `when` is the time that was looked at, such as `during the runs`.
    pub fn warning(&self, when: &str) -> Option<String> {
        let processors =
            self.busy as f64 / clock_ticks_per_second() as f64 / self.wall.max(f64::MIN_POSITIVE);
        (self.wall >= LONG_ENOUGH && processors > LET_PASS).then(|| {
            format!(
                "other programs kept {processors:.1} processors busy {when}: what they took is in the joules, and they \
                 make times longer; end them (top shows them) and measure again"
            )
        })
    }
}

/// What about the processor's settings makes energy scatter.
pub fn of_settings(sysfs: &Sysfs) -> Vec<String> {
    let mut warnings = Vec::new();
    let text = |path: &str| fs::read_to_string(sysfs.path(path)).map(|text| text.trim().to_owned()).ok();
    let mut governors: BTreeMap<String, usize> = BTreeMap::new();
    for entry in fs::read_dir(sysfs.path("devices/system/cpu")).into_iter().flatten().flatten() {
        let governor = fs::read_to_string(entry.path().join("cpufreq/scaling_governor"));
        if let Ok(governor) = governor {
            *governors.entry(governor.trim().to_owned()).or_default() += 1;
        }
    }
    governors.remove("performance");
    if !governors.is_empty() {
        let names: Vec<String> =
            governors.iter().map(|(name, count)| format!("{} on {count}", name.escape_debug())).collect();
        warnings.push(format!(
            "the clock frequency follows the load (governor {} processors); for steady results: sudo cpupower \
             frequency-set -g performance",
            names.join(", ")
        ));
    }
    for (path, on, off) in [
        ("devices/system/cpu/intel_pstate/no_turbo", "0", "1"),
        ("devices/system/cpu/cpufreq/boost", "1", "0"),
    ] {
        if text(path).is_some_and(|text| text == on) {
            warnings.push(format!(
                "the clock frequency is boosted while the processor is cool; for steady results: echo {off} | sudo \
                 tee {}",
                sysfs.path(path).display()
            ));
        }
    }
    if text("devices/system/cpu/smt/active").is_some_and(|text| text == "1") {
        warnings.push(format!(
            "two threads share each core (SMT), and what runs on one slows the other; for steady results: echo off | \
             sudo tee {}",
            sysfs.path("devices/system/cpu/smt/control").display()
        ));
    }
    warnings
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_past_a_name_with_spaces() {
        let stat = "cpu  100 5 50 9000 30 2 3 1 0 0\ncpu0 1 1 1 1\n";
        let own = "17 (a ) b) S 1 17 17 0 -1 4194560 1 2 3 4 11 22 33 44 20 0 1 0 5";
        let ticks = Ticks::parse(stat, own).unwrap();
        assert_eq!((ticks.busy, ticks.own), (160, 110));
        assert!(Ticks::parse("intr 5", own).is_none());
    }

    #[test]
    fn load_is_told_where_there_is_some() {
        let ticks = clock_ticks_per_second();
        let load = |busy, wall| OtherLoad { began: None, busy, wall }.warning("during the runs");
        assert_eq!(load(ticks / 20, 1.0), None);
        assert_eq!(load(ticks, 0.4), None);
        let warning = load(3 * ticks, 2.0).unwrap();
        assert!(warning.starts_with("other programs kept 1.5 processors busy during the runs"), "{warning}");
    }

    #[test]
    fn settings_that_make_energy_scatter_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let cpu = folder.path().join("devices/system/cpu");
        for name in ["cpu0/cpufreq", "cpu1/cpufreq", "cpu2/cpufreq", "smt", "intel_pstate"] {
            fs::create_dir_all(cpu.join(name)).unwrap();
        }
        let write = |name: &str, text: &str| fs::write(cpu.join(name), text).unwrap();
        let governor = |cpu: u32, name: &str| write(&format!("cpu{cpu}/cpufreq/scaling_governor"), name);
        (0..3).for_each(|cpu| governor(cpu, "performance\n"));
        write("smt/active", "0\n");
        write("intel_pstate/no_turbo", "1\n");
        let sysfs = Sysfs::at(folder.path());
        assert_eq!(of_settings(&sysfs), [""; 0]);
        (0..2).for_each(|cpu| governor(cpu, "powersave\n"));
        write("smt/active", "1\n");
        write("intel_pstate/no_turbo", "0\n");
        let warnings = of_settings(&sysfs).join("\n");
        assert!(warnings.contains("governor powersave on 2 processors"), "{warnings}");
        assert!(
            warnings.contains("echo 1 | sudo tee") && warnings.contains("intel_pstate/no_turbo"),
            "{warnings}"
        );
        assert!(warnings.contains("echo off | sudo tee") && warnings.contains("smt/control"), "{warnings}");
    }
}
