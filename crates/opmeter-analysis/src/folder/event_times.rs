use std::io;
use std::path::Path;
use std::thread;

use opmeter_live::{BUCKETS, bucket, bucket_limits};
use opmeter_recording::{
    DistributionRow, EventSiteRow, EventSummary, Events, Manifest, OpcodeRow, OpcodeTime, Phase,
};

use super::event_gap::EventGap;
use super::subscript_places::SubscriptPlaces;
use crate::at_once;

/// From so many events on, several processors read them.
const WORTH_PARTS: u64 = 2_000_000;

/// No more than so many do: each has histograms of its own.
const MOST_PARTS: usize = 16;

/// What an opcode's events took, in a phase.
struct Histogram {
    phase: Phase,
    opcode: String,
    /// Whether they are subscripts, of an opcode that is for more than these.
    is_subscript: bool,
    /// Events by bucket of their cycles, but for those that took none.
    counts: Vec<u64>,
    /// All events, those that took nothing as well.
    events: u64,
    raw: u64,
    net: u64,
    least: u64,
    most: u64,
}

impl Histogram {
    fn new(site: &EventSiteRow, is_subscript: bool) -> Self {
        Self {
            phase: site.phase,
            opcode: site.opcode.to_string(),
            is_subscript,
            counts: vec![0; BUCKETS],
            events: 0,
            raw: 0,
            net: 0,
            least: u64::MAX,
            most: 0,
        }
    }

    fn add(&mut self, cycles: u64, probe: u64) {
        self.events += 1;
        // What returned to C code took nothing by itself, and has no place in the distribution.
        if cycles == 0 {
            return;
        }
        self.counts[bucket(cycles)] += 1;
        self.raw = self.raw.saturating_add(cycles);
        self.net = self.net.saturating_add(cycles.saturating_sub(probe));
        self.least = self.least.min(cycles);
        self.most = self.most.max(cycles);
    }

    /// The cycles that this part of the events in the distribution did not exceed, true to half a bucket.
    fn quantile(&self, part: f64) -> u64 {
        let all: u64 = self.counts.iter().sum();
        let wanted = (all as f64 * part).ceil().max(1.0) as u64;
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

    /// Adds the events of another.
    fn absorb(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        self.events += other.events;
        self.raw = self.raw.saturating_add(other.raw);
        self.net = self.net.saturating_add(other.net);
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
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

    /// What the events took: all executions, none of them estimated from others.
    fn time(&self, tsc_hz: f64) -> OpcodeTime {
        OpcodeTime {
            timed_executions: self.events,
            cycles_raw: self.raw,
            cycles_net: self.net,
            ns_net: (self.net as f64 / tsc_hz.max(1.0) * 1e9).round() as u64,
            min: if self.most == 0 { 0 } else { self.least },
            p50: self.quantile(0.5),
            p90: self.quantile(0.9),
            p99: self.quantile(0.99),
            max: self.most,
            ..OpcodeTime::NONE
        }
    }
}

/// What the events of a recording say besides the times of its opcodes.
#[derive(Debug, Default)]
pub(crate) struct EventTimes {
    /// How many events of each opcode took how long.
    pub(crate) distributions: Vec<DistributionRow>,
    /// The times of those executions of an opcode that are subscripts, where it is for more than these.
    pub(crate) subscripts: Vec<(u32, Phase, OpcodeTime)>,
    /// Processes whose events are not all there, so that no times are made of them.
    pub(crate) gaps: Vec<EventGap>,
}

/// Fills in the times of a recording's opcodes from its events. Events are read block by block, so that memory does not
/// grow with their number. Processes whose events are not all there get no times: those of a part are not those of the
/// program. `read` is told how many events were read, block by block.
///
/// # Errors
/// When a file of events can't be read.
pub(crate) fn fill_event_times(
    folder: &Path,
    manifest: &Manifest,
    (sites, subscripts): (&[EventSiteRow], &SubscriptPlaces),
    opcodes: &mut [OpcodeRow],
    read: &(dyn Fn(u64) + Sync),
) -> io::Result<EventTimes> {
    let mut times = EventTimes::default();
    for process in &manifest.processes {
        let Some(summary) = &process.events else { continue };
        let own = || sites.iter().filter(|site| site.process == process.process);
        let found = match EventGap::said(process.process, summary) {
            Some(gap) => Err(gap),
            None => histograms(folder, (process.process, summary), (own(), subscripts), read)?,
        };
        let histograms = match found {
            Ok(histograms) => histograms,
            Err(gap) => {
                times.gaps.push(gap);
                continue;
            }
        };
        let mut by_row: Vec<Histogram> = Vec::new();
        for histogram in histograms.into_iter().filter(|histogram| histogram.events > 0) {
            if histogram.is_subscript {
                let time = histogram.time(summary.tsc_hz);
                times.subscripts.push((process.process, histogram.phase, time));
            }
            let same =
                |other: &&mut Histogram| (other.phase, &other.opcode) == (histogram.phase, &histogram.opcode);
            match by_row.iter_mut().find(same) {
                Some(other) => other.absorb(&histogram),
                None => by_row.push(histogram),
            }
        }
        for row in opcodes.iter_mut().filter(|row| row.process == process.process) {
            let own = by_row
                .iter()
                .find(|histogram| (histogram.phase, &histogram.opcode) == (row.phase, &row.opcode));
            row.time = match own {
                Some(histogram) => Some(histogram.time(summary.tsc_hz)),
                // Its time is part of that of the opcode that executed it.
                None => row.is_besides().then_some(OpcodeTime::NONE),
            };
        }
        times.distributions.extend(by_row.iter().flat_map(|one| one.distributions(process.process)));
    }
    Ok(times)
}

/// What a process's events took; or why they are not all there.
fn histograms<'s>(
    folder: &Path,
    (process, summary): (u32, &EventSummary),
    (sites, subscripts): (impl Iterator<Item = &'s EventSiteRow>, &SubscriptPlaces),
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<Result<Vec<Histogram>, EventGap>> {
    // With whether they are subscripts.
    let sites: Vec<(&EventSiteRow, bool)> =
        sites.filter(|site| site.part == 0).map(|site| (site, subscripts.has(process, site))).collect();
    let probe = summary.probe_cycles.round().max(0.0) as u64;
    let processors = thread::available_parallelism().map_or(1, usize::from).min(MOST_PARTS);
    let parts = if summary.events < WORTH_PARTS { 1 } else { processors };
    let read = at_once(parts, |part| read_part((folder, summary), &sites, probe, (part, parts), progress));
    let read: Vec<Part> = read.into_iter().collect::<io::Result<_>>()?;
    let (read_events, torn) = read.iter().fold((0, None), |(events, torn), part| {
        let first = [torn, part.torn].into_iter().flatten().min();
        (events + part.events, first)
    });
    let is_ended = read.iter().all(|part| part.is_ended);
    Ok(match EventGap::found(process, summary, torn, is_ended, read_events) {
        Some(gap) => Err(gap),
        None => Ok(read.into_iter().map(|part| part.histograms).reduce(add_up).unwrap_or_default()),
    })
}

/// Adds the histograms of one part to those of another, of the same sites.
fn add_up(mut all: Vec<Histogram>, part: Vec<Histogram>) -> Vec<Histogram> {
    all.iter_mut().zip(&part).for_each(|(histogram, other)| histogram.absorb(other));
    all
}

/// What was read of a file of events, or of every so many-th of its blocks.
struct Part {
    histograms: Vec<Histogram>,
    /// How many events.
    events: u64,
    /// The first damage, in bytes of the file.
    torn: Option<u64>,
    /// Whether the file says that it ends.
    is_ended: bool,
}

/// Reads every `of`-th block of a file from `part` on, up to one that is damaged.
fn read_part(
    (folder, summary): (&Path, &EventSummary),
    sites: &[(&EventSiteRow, bool)],
    probe: u64,
    (part, of): (usize, usize),
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<Part> {
    let mut file = summary.open(folder)?;
    let mut histograms: Vec<Histogram> = Vec::new();
    // By site: its histogram. What a combined opcode executes besides has no time of its own.
    let mut of_site: Vec<Option<u32>> = vec![None; file.sites.len()];
    for (site, is_subscript) in sites {
        let known = histograms.iter().position(|known| {
            (known.phase, known.opcode.as_str(), known.is_subscript)
                == (site.phase, &*site.opcode, *is_subscript)
        });
        let place = known.unwrap_or_else(|| {
            histograms.push(Histogram::new(site, *is_subscript));
            histograms.len() - 1
        });
        if let Some(of_site) = of_site.get_mut(site.site as usize) {
            *of_site = Some(place as u32);
        }
    }
    let mut events = Events::default();
    let mut read = 0;
    for block in (part..file.blocks()).step_by(of) {
        if !file.read(block, &mut events)? {
            break;
        }
        read += events.events.len() as u64;
        progress(events.events.len() as u64);
        for event in &events.events {
            if let Some(Some(place)) = of_site.get(event.site as usize) {
                histograms[*place as usize].add(event.cycles, probe);
            }
        }
    }
    Ok(Part { histograms, events: read, torn: file.torn, is_ended: file.end.is_some() })
}
