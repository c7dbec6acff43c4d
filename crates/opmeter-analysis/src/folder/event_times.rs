use std::io;
use std::path::Path;
use std::thread;

use opmeter_live::{BUCKETS, bucket, bucket_limits};
use opmeter_recording::{
    DistributionRow, EventSiteRow, EventSummary, Events, Manifest, OpcodeRow, OpcodeTime, Phase,
};

use crate::at_once;

/// From so many events on, several processors read them.
const WORTH_PARTS: u64 = 2_000_000;

/// No more than so many do: each has histograms of its own.
const MOST_PARTS: usize = 16;

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
        self.raw = self.raw.saturating_add(cycles);
        self.net = self.net.saturating_add(cycles.saturating_sub(probe));
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
/// block, so that memory does not grow with their number; those of a damaged file up to the damage. `read` is told how
/// many were read, block by block.
///
/// # Errors
/// When a file of events can't be read.
pub(crate) fn fill_event_times(
    folder: &Path,
    manifest: &Manifest,
    sites: &[EventSiteRow],
    opcodes: &mut [OpcodeRow],
    read: &(dyn Fn(u64) + Sync),
) -> io::Result<Vec<DistributionRow>> {
    let mut distributions = Vec::new();
    for process in &manifest.processes {
        let Some(summary) = &process.events else { continue };
        let sites = sites.iter().filter(|site| site.process == process.process);
        for histogram in histograms(folder, summary, sites, read)? {
            if histogram.events == 0 {
                continue;
            }
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
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<Vec<Histogram>> {
    let sites: Vec<&EventSiteRow> = sites.filter(|site| site.part == 0).collect();
    let probe = summary.probe_cycles.round().max(0.0) as u64;
    let processors = thread::available_parallelism().map_or(1, usize::from).min(MOST_PARTS);
    let parts = if summary.events < WORTH_PARTS { 1 } else { processors };
    if parts > 1 {
        let read =
            at_once(parts, |part| read_part((folder, summary), &sites, probe, (part, parts), progress));
        let read: Vec<(Vec<Histogram>, bool)> = read.into_iter().collect::<io::Result<_>>()?;
        // What lies behind damage is left out: that is only known where one reads alone.
        if read.iter().all(|(_, is_whole)| *is_whole) {
            return Ok(read.into_iter().map(|(histograms, _)| histograms).reduce(add_up).unwrap_or_default());
        }
    }
    Ok(read_part((folder, summary), &sites, probe, (0, 1), progress)?.0)
}

/// Adds the histograms of one part to those of another, of the same sites.
fn add_up(mut all: Vec<Histogram>, part: Vec<Histogram>) -> Vec<Histogram> {
    for (histogram, other) in all.iter_mut().zip(&part) {
        histogram.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        histogram.events += other.events;
        histogram.raw = histogram.raw.saturating_add(other.raw);
        histogram.net = histogram.net.saturating_add(other.net);
        histogram.least = histogram.least.min(other.least);
        histogram.most = histogram.most.max(other.most);
    }
    all
}

/// Reads every `of`-th block of a file from `part` on: the histograms of these sites, and whether no block is damaged.
fn read_part(
    (folder, summary): (&Path, &EventSummary),
    sites: &[&EventSiteRow],
    probe: u64,
    (part, of): (usize, usize),
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<(Vec<Histogram>, bool)> {
    let mut file = summary.open(folder)?;
    let mut histograms: Vec<Histogram> = Vec::new();
    // By site: its histogram. What a combined opcode executes besides has no time of its own.
    let mut of_site: Vec<Option<u32>> = vec![None; file.sites.len()];
    for site in sites {
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
    let mut events = Events::default();
    for block in (part..file.blocks()).step_by(of) {
        if !file.read(block, &mut events)? {
            return Ok((histograms, false));
        }
        progress(events.events.len() as u64);
        for event in &events.events {
            // One whose end is not known, or that returned to C code, has no time.
            if event.cycles > 0
                && let Some(Some(place)) = of_site.get(event.site as usize)
            {
                histograms[*place as usize].add(event.cycles, probe);
            }
        }
    }
    Ok((histograms, true))
}
