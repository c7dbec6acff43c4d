use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use opmeter_recording::{EventSummary, Events, Phase, Recording};

/// How often each opcode ran by the events, by process and phase, opcodes named as they were executed.
///
/// Only of processes whose events are complete: see [`EventCounts::of`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// The processes.
    pub processes: Vec<u32>,
    /// The counts.
    pub counts: BTreeMap<(u32, Phase, Arc<str>), u64>,
}

impl EventCounts {
    /// Counts the events of a recording, of which the table `event_sites` was read: those of processes whose
    /// events neither end early nor are damaged.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn of(recording: &Recording) -> io::Result<Self> {
        let mut found = Self::default();
        let mut events = Events::default();
        for process in &recording.manifest.processes {
            let Some(summary) = process.events.as_ref().filter(|events| events.end == EventSummary::PROCESS)
            else {
                continue;
            };
            let mut file = summary.open(&recording.path)?;
            // By site: all events, and those without what their opcode combines.
            let mut counts = vec![(0u64, 0u64); file.sites.len()];
            for block in 0..file.blocks() {
                if !file.read(block, &mut events)? {
                    break;
                }
                for event in &events.events {
                    let count = &mut counts[event.site as usize];
                    count.0 += 1;
                    count.1 += u64::from(event.unfolded);
                }
            }
            if file.torn.is_some() {
                continue;
            }
            found.processes.push(process.process);
            let rows = recording.tables.event_sites.iter().filter(|row| row.process == process.process);
            for row in rows {
                let (all, unfolded) = counts.get(row.site as usize).copied().unwrap_or_default();
                let count = if row.part > 0 { all - unfolded } else { all };
                *found.counts.entry((row.process, row.phase, row.opcode.clone())).or_default() += count;
            }
        }
        Ok(found)
    }
}
