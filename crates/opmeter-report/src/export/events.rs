//! The table of events, which is too long to be held in memory.

use std::io::{self, Write};

use opmeter_recording::{EventRow, EventRowWriter, EventSiteRow, Events, Process, Recording};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 20;

/// A format that events can be exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFormat {
    /// Comma-separated values, as [`Format::Csv`](super::Format::Csv).
    Csv,
    /// Parquet.
    Parquet,
}

/// A file of events that is damaged. All that comes before the damage was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornEvents {
    /// The process's ordinal.
    pub process: u32,
    /// Where the damage is, in bytes.
    pub offset: u64,
}

/// Writes the events of a recording, process by process, and in each process in the order in which they were
/// recorded: in order for each thread. Only sites that the recording's table `event_sites` (still) has count.
/// `progress` is told again and again how many events of all are done. Gives the files that are damaged.
///
/// # Errors
/// Whatever `out` gives, and whatever reading the events does.
pub fn write_events(
    recording: &Recording,
    format: EventFormat,
    out: impl Write + Send,
    mut progress: impl FnMut(u64, u64),
) -> io::Result<Vec<TornEvents>> {
    let rows = &recording.tables.event_sites;
    let wanted = |process: &&Process| rows.iter().any(|row| row.process == process.process);
    let mut files = Vec::new();
    for process in recording.manifest.processes.iter().filter(wanted) {
        let Some(summary) = &process.events else { continue };
        let file = summary.open(&recording.path)?;
        files.push((process.process, file, summary.probe_cycles.round() as u64));
    }
    let total = files.iter().map(|(_, file, _)| file.events()).sum();
    let mut sink: Box<dyn Sink> = match format {
        EventFormat::Csv => Box::new(Csv::new(out, rows)?),
        EventFormat::Parquet => {
            Box::new(Groups { writer: EventRowWriter::new(out)?, rows, group: Vec::new() })
        }
    };
    let (mut events, mut torn, mut done) = (Events::default(), Vec::new(), 0);
    for (process, mut file, probe) in files {
        let sites = Sites::new(rows, process, file.sites.len(), file.start(), probe);
        for block in 0..file.blocks() {
            if !file.read(block, &mut events)? {
                break;
            }
            sink.write(&sites, &events)?;
            done += events.events.len() as u64;
            progress(done, total);
        }
        torn.extend(file.torn.map(|offset| TornEvents { process, offset }));
    }
    sink.close()?;
    Ok(torn)
}

/// What events of a process are of.
struct Sites {
    /// By site: its first row and the one behind its last, as places in the table.
    rows: Vec<(u32, u32)>,
    process: u32,
    /// The time of the process's first event.
    start: u64,
    /// Cycles that the probe takes.
    probe: u64,
}

impl Sites {
    fn new(rows: &[EventSiteRow], process: u32, sites: usize, start: u64, probe: u64) -> Self {
        let mut found = vec![(0, 0); sites];
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.process == process) {
            if let Some(site) = found.get_mut(row.site as usize) {
                let place = place as u32;
                *site = if site.1 == place && site.1 > 0 { (site.0, place + 1) } else { (place, place + 1) };
            }
        }
        Self { rows: found, process, start, probe }
    }

    /// The rows of all events, in order: the place in the table, when, and how many cycles.
    #[inline]
    fn each(&self, all: &[EventSiteRow], events: &Events, mut take: impl FnMut(usize, u64, u64)) {
        for event in &events.events {
            let (first, end) = self.rows[event.site as usize];
            let places = first as usize..end as usize;
            for (place, row) in places.clone().zip(&all[places]) {
                let besides = row.part > 0;
                if besides && event.unfolded {
                    break;
                }
                take(place, event.start.saturating_sub(self.start), if besides { 0 } else { event.cycles });
            }
        }
    }

    fn net(&self, raw: u64) -> u64 {
        raw.saturating_sub(self.probe)
    }
}

/// Where rows go.
trait Sink {
    fn write(&mut self, sites: &Sites, events: &Events) -> io::Result<()>;

    fn close(&mut self) -> io::Result<()>;
}

/// Comma-separated values. What is the same for all events of a site is made text once.
struct Csv<'r, W: Write> {
    out: W,
    rows: &'r [EventSiteRow],
    /// By place in the table: where its text begins in `texts`.
    starts: Vec<usize>,
    texts: Vec<u8>,
    buffer: Vec<u8>,
}

impl<'r, W: Write> Csv<'r, W> {
    fn new(mut out: W, rows: &'r [EventSiteRow]) -> io::Result<Self> {
        let mut starts = Vec::with_capacity(rows.len() + 1);
        let mut texts = Vec::new();
        for row in rows {
            starts.push(texts.len());
            let mut writer = csv::WriterBuilder::new().from_writer(&mut texts);
            let numbers = [row.line, row.offset, row.code].map(|number| number.to_string());
            let names: [&str; 4] = [row.phase.name(), &row.opcode, &row.file, &row.function];
            writer.write_record(names.into_iter().chain(numbers.iter().map(String::as_str)))?;
            writer.flush()?;
            drop(writer);
            // The line goes on.
            texts.pop();
            texts.push(b',');
        }
        starts.push(texts.len());
        out.write_all(EventRow::COLUMNS.join(",").as_bytes())?;
        out.write_all(b"\n")?;
        Ok(Self { out, rows, starts, texts, buffer: Vec::with_capacity(2 * BUFFER) })
    }
}

impl<W: Write> Sink for Csv<'_, W> {
    fn write(&mut self, sites: &Sites, events: &Events) -> io::Result<()> {
        let head = format!("{},{},", sites.process, events.thread).into_bytes();
        let (mut start_digits, mut raw_digits, mut net_digits) =
            (itoa::Buffer::new(), itoa::Buffer::new(), itoa::Buffer::new());
        let mut failure = Ok(());
        let Self { out, rows, starts, texts, buffer } = self;
        sites.each(rows, events, |place, start, raw| {
            buffer.extend_from_slice(&head);
            buffer.extend_from_slice(&texts[starts[place]..starts[place + 1]]);
            buffer.extend_from_slice(start_digits.format(start).as_bytes());
            buffer.push(b',');
            buffer.extend_from_slice(raw_digits.format(raw).as_bytes());
            buffer.push(b',');
            buffer.extend_from_slice(net_digits.format(sites.net(raw)).as_bytes());
            buffer.push(b'\n');
            if buffer.len() >= BUFFER {
                if failure.is_ok() {
                    failure = out.write_all(buffer);
                }
                buffer.clear();
            }
        });
        failure
    }

    fn close(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }
}

/// Parquet, in groups.
struct Groups<'r, W: Write + Send> {
    writer: EventRowWriter<W>,
    rows: &'r [EventSiteRow],
    group: Vec<EventRow<'r>>,
}

impl<W: Write + Send> Sink for Groups<'_, W> {
    fn write(&mut self, sites: &Sites, events: &Events) -> io::Result<()> {
        let Self { rows, group, .. } = self;
        sites.each(rows, events, |place, start_cycles, cycles_raw| {
            let (thread, cycles_net) = (events.thread, sites.net(cycles_raw));
            group.push(EventRow { thread, site: &rows[place], start_cycles, cycles_raw, cycles_net });
        });
        if self.group.len() >= GROUP_ROWS {
            self.writer.write(&self.group)?;
            self.group.clear();
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        if !self.group.is_empty() {
            self.writer.write(&self.group)?;
        }
        self.writer.close()
    }
}
