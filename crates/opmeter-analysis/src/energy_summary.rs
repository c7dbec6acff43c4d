use std::collections::BTreeMap;

use opmeter_recording::{Energy, EnergyRow};

use crate::Sample;

/// Runs that an interval says something from.
const ENOUGH_RUNS: usize = 5;

/// A mean is known well enough where its interval is narrower than this part of it, to either side.
const NARROW: f64 = 0.05;

/// The part of the joules that their resolution may be for them to have a meaning.
const COARSE: f64 = 0.02;

/// What the runs of a command cost.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergySummary {
    /// Seconds of a run.
    pub seconds: Sample,
    /// How often the command was executed in a run, at most.
    pub repetitions: u32,
    /// What each domain took, in the order in which they were measured; where there are several of a kind in
    /// different places, their sum follows the last of them.
    pub domains: Vec<DomainEnergy>,
}

/// What a domain took.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainEnergy {
    /// The domain's name, or that of the kind and `(all)` for a sum.
    pub domain: String,
    /// Whether it is a sum over all domains of a kind.
    pub is_sum: bool,
    /// Joules of a run.
    pub joules: Sample,
    /// Watts of a run.
    pub watts: Sample,
    /// Joules of a run without the idle power, where that was measured.
    pub net: Option<Sample>,
    /// The standard error of all net joules together: that of the idle power, times a run's mean seconds.
    pub net_systematic: f64,
    /// The idle power, in watts, where that was measured.
    pub idle_watts: Option<f64>,
    /// What the joules are uncertain by, as a part of them: what the counter moves by at once. The largest of a run.
    pub resolution: f64,
    /// Runs whose net is 0, because the idle power would have taken as much.
    pub without_net: usize,
}

impl DomainEnergy {
    /// Whether the joules have a meaning: the runs were long enough for the counter.
    pub fn is_meaningful(&self) -> bool {
        self.resolution <= COARSE
    }
}

/// The readings of a domain, or of several that are added up, by run.
#[derive(Default)]
struct Readings {
    runs: BTreeMap<u32, EnergyRow>,
    /// The squares of the idle powers' standard errors, added up.
    idle_variance: f64,
}

impl Readings {
    fn add(&mut self, row: &EnergyRow) {
        let Some(sum) = self.runs.get_mut(&row.run) else {
            self.runs.insert(row.run, row.clone());
            return;
        };
        sum.joules += row.joules;
        sum.watts += row.watts;
        sum.joules_resolution += row.joules_resolution;
        if let (Some(sum), Some(net)) = (&mut sum.net, &row.net) {
            sum.idle_watts += net.idle_watts;
            sum.joules_net += net.joules_net;
        }
    }

    fn summary(&self, domain: String, is_sum: bool) -> Option<DomainEnergy> {
        let of = |value: &dyn Fn(&EnergyRow) -> f64| Sample::new(self.runs.values().map(value).collect());
        let nets: Option<Vec<f64>> =
            self.runs.values().map(|row| row.net.as_ref().map(|net| net.joules_net)).collect();
        let resolutions =
            self.runs.values().map(|row| row.joules_resolution / row.joules.max(f64::MIN_POSITIVE));
        let idle = self.runs.values().next().and_then(|row| row.net.as_ref()).map(|net| net.idle_watts);
        Some(DomainEnergy {
            domain,
            is_sum,
            joules: of(&|row| row.joules)?,
            watts: of(&|row| row.watts)?,
            without_net: nets.iter().flatten().filter(|net| **net == 0.0).count(),
            net: nets.and_then(Sample::new),
            net_systematic: self.idle_variance.sqrt() * of(&|row| row.seconds)?.mean(),
            idle_watts: idle,
            resolution: resolutions.fold(0.0, f64::max),
        })
    }
}

impl EnergySummary {
    /// What these rows say; none where there are none.
    pub fn new(energy: &Energy, rows: &[EnergyRow]) -> Option<Self> {
        let seconds: BTreeMap<u32, f64> = rows.iter().map(|row| (row.run, row.seconds)).collect();
        let seconds = Sample::new(seconds.into_values().collect())?;
        let mut domains = Vec::new();
        for (place, domain) in energy.domains.iter().enumerate() {
            let idle_variance = domain.idle_watts_se.unwrap_or(0.0).powi(2);
            let mut readings = Readings { idle_variance, ..Readings::default() };
            rows.iter().filter(|row| *row.domain == domain.domain).for_each(|row| readings.add(row));
            domains.extend(readings.summary(domain.domain.clone(), false));
            let of_kind = || energy.domains.iter().filter(|other| other.kind == domain.kind);
            let is_last = energy.domains[place + 1..].iter().all(|other| other.kind != domain.kind);
            if is_last && of_kind().count() > 1 {
                let names: Vec<&str> = of_kind().map(|domain| domain.domain.as_str()).collect();
                domains.extend(
                    sum(rows, &names, of_kind().filter_map(|domain| domain.idle_watts_se))
                        .and_then(|readings| readings.summary(format!("{} (all)", domain.kind), true)),
                );
            }
        }
        let repetitions = rows.iter().map(|row| row.repetitions).max().unwrap_or(1);
        Some(Self { seconds, repetitions, domains })
    }

    /// What follows from the numbers for whoever reads them, and what to do about it: a sentence or two each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let runs = self.seconds.count();
        let single = || self.domains.iter().filter(|domain| !domain.is_sum);
        let coarse: Vec<String> = single()
            .filter(|domain| !domain.is_meaningful())
            .map(|domain| format!("{} (± {:.0} %)", domain.domain, domain.resolution * 100.0))
            .collect();
        if !coarse.is_empty() {
            warnings.push(format!(
                "the runs are too short for the counter of {}, so that these joules are not meaningful; measure more \
                 work in a run",
                coarse.join(", ")
            ));
        }
        if runs < ENOUGH_RUNS {
            warnings.push(format!(
                "there {} only {}, too few for an interval that says much; ask for more with -n",
                if runs == 1 { "is" } else { "are" },
                if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
            ));
        } else {
            warnings.extend(self.widest().map(|(name, part)| {
                format!(
                    "the mean of {name} is known to ± {:.0} % only; ask for more runs with -n, or quieten the machine",
                    part * 100.0
                )
            }));
        }
        let mut outliers: Vec<usize> =
            self.domains.iter().map(|domain| &domain.joules).flat_map(Sample::outliers).collect();
        outliers.extend(self.seconds.outliers());
        outliers.sort_unstable();
        outliers.dedup();
        match outliers[..] {
            [] => {}
            [0] => warnings.push(
                "the first run is unlike the others: files were not yet in memory, or compiled; use --warmup 1"
                    .to_owned(),
            ),
            [..] => warnings.push(format!(
                "{} of {runs} runs lie far from the others: something else ran, or the clock frequency changed; \
                 quieten the machine and measure again",
                outliers.len()
            )),
        }
        let without: Vec<String> = single()
            .filter(|domain| domain.without_net > 0)
            .map(|domain| format!("{} in {} of {runs} runs", domain.domain, domain.without_net))
            .collect();
        if !without.is_empty() {
            warnings.push(format!(
                "no more was taken than when idle by {}, whose net joules are 0: something may have run while the \
                 idle power was measured",
                without.join(", ")
            ));
        }
        warnings
    }

    /// What has the widest interval, for its mean, and is not narrow.
    fn widest(&self) -> Option<(String, f64)> {
        let part =
            |sample: &Sample| Some(sample.half_width(0.0)? / sample.mean().abs().max(f64::MIN_POSITIVE));
        let joules = self.domains.iter().map(|domain| (domain.domain.clone(), part(&domain.joules)));
        let all = joules.chain([("seconds".to_owned(), part(&self.seconds))]);
        let known = all.filter_map(|(name, part)| Some((name, part?)));
        known.filter(|(_, part)| *part > NARROW).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// The sums over several domains of the runs in which all of them were read.
fn sum(rows: &[EnergyRow], names: &[&str], idle_errors: impl Iterator<Item = f64>) -> Option<Readings> {
    let mut readings =
        Readings { idle_variance: idle_errors.map(|error| error.powi(2)).sum(), ..Readings::default() };
    let mut read: BTreeMap<u32, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| names.contains(&&*row.domain)) {
        *read.entry(row.run).or_default() += 1;
        readings.add(row);
    }
    readings.runs.retain(|run, _| read[run] == names.len());
    (!readings.runs.is_empty()).then_some(readings)
}

#[cfg(test)]
mod tests {
    use opmeter_recording::{EnergyDomain, NetEnergy};

    use super::*;

    fn domain(name: &str, kind: &str) -> EnergyDomain {
        EnergyDomain {
            domain: name.into(),
            kind: kind.into(),
            idle_watts: Some(1.0),
            idle_watts_se: Some(0.3),
            ..EnergyDomain::default()
        }
    }

    fn row(run: u32, domain: &str, joules: f64) -> EnergyRow {
        EnergyRow {
            run,
            source: "perf".into(),
            domain: domain.into(),
            joules,
            seconds: 2.0,
            watts: joules / 2.0,
            repetitions: 1,
            joules_resolution: 0.01,
            net: Some(NetEnergy { idle_watts: 1.0, joules_net: (joules - 2.0).max(0.0) }),
        }
    }

    fn energy(domains: &[EnergyDomain]) -> Energy {
        Energy { domains: domains.to_vec(), ..Energy::default() }
    }

    #[test]
    fn packages_are_added_up_in_the_runs_that_have_all() {
        let energy =
            energy(&[domain("package-0", "package"), domain("package-1", "package"), domain("psys", "psys")]);
        let rows = [
            row(0, "package-0", 10.0),
            row(0, "package-1", 6.0),
            row(1, "package-0", 12.0),
            row(2, "package-0", 11.0),
            row(2, "package-1", 7.0),
            row(2, "psys", 30.0),
        ];
        let summary = EnergySummary::new(&energy, &rows).unwrap();
        let found: Vec<(&str, usize, f64)> = summary
            .domains
            .iter()
            .map(|domain| (domain.domain.as_str(), domain.joules.count(), domain.joules.mean()))
            .collect();
        let expected =
            [("package-0", 3, 11.0), ("package-1", 2, 6.5), ("package (all)", 2, 17.0), ("psys", 1, 30.0)];
        assert_eq!(found, expected);
        let all = &summary.domains[2];
        assert_eq!((all.net.as_ref().unwrap().mean(), all.idle_watts), (13.0, Some(2.0)));
        assert!((all.net_systematic - 2.0 * 0.18f64.sqrt()).abs() < 1e-12);
        assert_eq!(summary.seconds.count(), 3);
    }

    #[test]
    fn what_is_wrong_with_the_runs_is_said() {
        let energy = energy(&[domain("package-0", "package")]);
        let warnings = |joules: &[f64], resolution: f64| {
            let rows: Vec<EnergyRow> = (0u32..)
                .zip(joules)
                .map(|(run, joules)| EnergyRow {
                    joules_resolution: resolution,
                    ..row(run, "package-0", *joules)
                })
                .collect();
            EnergySummary::new(&energy, &rows).unwrap().warnings().join("\n")
        };
        assert_eq!(warnings(&[10.0, 10.1, 9.9, 10.0, 10.05], 0.01), "");
        assert!(warnings(&[10.0, 10.1, 9.9], 0.01).contains("only 3 runs, too few"));
        assert!(warnings(&[10.0], 0.01).contains("is only 1 run,"));
        assert!(warnings(&[10.0, 12.0, 8.0, 10.5, 9.0], 0.01).contains("mean of package-0 is known to ±"));
        assert!(
            warnings(&[10.0, 10.1, 9.9, 10.0, 10.05], 0.5).contains("too short for the counter of package-0")
        );
        assert!(warnings(&[20.0, 10.1, 9.9, 10.0, 10.05], 0.01).contains("the first run is unlike"));
        assert!(warnings(&[10.0, 10.1, 20.0, 10.0, 10.05], 0.01).contains("1 of 5 runs lie far"));
        assert!(
            warnings(&[2.0, 2.01, 2.0, 1.99, 2.0], 0.01)
                .contains("than when idle by package-0 in 4 of 5 runs")
        );
        assert!(EnergySummary::new(&energy, &[]).is_none());
    }
}
