use std::io;
use std::path::Path;

use opmeter_live::{BUCKETS, bucket, bucket_limits};
use opmeter_recording::{
    DistributionRow, EventFile, EventSiteRow, EventSummary, Events, Manifest, OpcodeRow, OpcodeTime, Phase,
};

/// What an opcode's events took, in a phase.
struct Histogram {
    phase: Phase,
    opcode: String,
    /// Events by bucket of their cycles.
    counts: Vec<u64>,
    events: u64,
    raw: u64,
    net: u64,
    least: u64,
    most: u64,
}

impl Histogram {
    fn new(site: &EventSiteRow) -> Self {
        let (phase, opcode) = (site.phase, site.opcode.to_string());
        Self { phase, opcode, counts: vec![0; BUCKETS], events: 0, raw: 0, net: 0, least: u64::MAX, most: 0 }
    }

    fn add(&mut self, cycles: u64, probe: u64) {
        self.counts[bucket(cycles)] += 1;
        self.events += 1;
        self.raw += cycles;
        self.net += cycles.saturating_sub(probe);
        self.least = self.least.min(cycles);
        self.most = self.most.max(cycles);
    }

    /// The cycles that this part of the events did not exceed, true to half a bucket.
    fn quantile(&self, part: f64) -> u64 {
        let wanted = (self.events as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        place.map_or(0, |place| {
            let (from, to) = bucket_limits(place);
            from.midpoint(to)
        })
    }

    fn distributions(&self, process: u32) -> impl Iterator<Item = DistributionRow> {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(move |(place, count)| {
            let (cycles_from, cycles_to) = bucket_limits(place);
            DistributionRow {
                process,
                phase: self.phase,
                opcode: self.opcode.clone(),
                cycles_from,
                cycles_to,
                executions: *count,
            }
        })
    }

    /// What all executions of the opcode took, by those that have a time.
    fn time(&self, executions: u64, tsc_hz: f64) -> OpcodeTime {
        let net = self.net as f64 * executions as f64 / self.events as f64;
        OpcodeTime {
            timed_executions: self.events,
            cycles_raw: self.raw,
            cycles_net: net as u64,
            ns_net: (net / tsc_hz.max(1.0) * 1e9) as u64,
            min: self.least,
            p50: self.quantile(0.5),
            p90: self.quantile(0.9),
            p99: self.quantile(0.99),
            max: self.most,
            ..OpcodeTime::NONE
        }
    }
}

/// Fills in the times of a recording's opcodes from its events, and gives their distributions. Events are read block by
/// block, so that memory does not grow with their number; those of a damaged file up to the damage.
///
/// # Errors
/// When a file of events can't be read.
pub(crate) fn fill_event_times(
    folder: &Path,
    manifest: &Manifest,
    sites: &[EventSiteRow],
    opcodes: &mut [OpcodeRow],
) -> io::Result<Vec<DistributionRow>> {
    let mut distributions = Vec::new();
    for process in &manifest.processes {
        let Some(summary) = &process.events else { continue };
        for histogram in
            histograms(folder, summary, sites.iter().filter(|site| site.process == process.process))?
        {
            let is_its = |row: &&mut OpcodeRow| {
                (row.process, row.phase, row.opcode.as_str())
                    == (process.process, histogram.phase, histogram.opcode.as_str())
            };
            if let Some(row) = opcodes.iter_mut().find(is_its) {
                row.time = Some(histogram.time(row.executions, summary.tsc_hz));
            }
            distributions.extend(histogram.distributions(process.process));
        }
    }
    Ok(distributions)
}

fn histograms<'s>(
    folder: &Path,
    summary: &EventSummary,
    sites: impl Iterator<Item = &'s EventSiteRow>,
) -> io::Result<Vec<Histogram>> {
    let mut file = EventFile::open(&folder.join(&summary.file))?;
    let mut histograms: Vec<Histogram> = Vec::new();
    // By site: its histogram. What a combined opcode executes besides has no time of its own.
    let mut of_site: Vec<Option<u32>> = vec![None; file.sites.len()];
    for site in sites.filter(|site| site.part == 0) {
        let known =
            histograms.iter().position(|known| known.phase == site.phase && known.opcode == *site.opcode);
        let place = known.unwrap_or_else(|| {
            histograms.push(Histogram::new(site));
            histograms.len() - 1
        });
        if let Some(of_site) = of_site.get_mut(site.site as usize) {
            *of_site = Some(place as u32);
        }
    }
    let probe = summary.probe_cycles.round().max(0.0) as u64;
    let mut events = Events::default();
    for block in 0..file.blocks() {
        if !file.read(block, &mut events)? {
            break;
        }
        for event in &events.events {
            // One whose end is not known, or that returned to C code, has no time.
            if event.cycles > 0
                && let Some(Some(place)) = of_site.get(event.site as usize)
            {
                histograms[*place as usize].add(event.cycles, probe);
            }
        }
    }
    histograms.retain(|histogram| histogram.events > 0);
    Ok(histograms)
}
