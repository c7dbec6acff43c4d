use std::collections::{BTreeMap, BTreeSet};

use opmeter_opcodes::Family;
use opmeter_recording::{EventSiteRow, Manifest, OpcodeRow, Phase, Process, Recording};

use crate::TimeSum;

/// The opcode that is for arithmetic and for subscripts, from this minor version on.
const OPCODE: &str = "BINARY_OP";
const SINCE: u32 = 14;

/// Its argument where it is a subscript: `NB_SUBSCR`.
const SUBSCRIPT: u32 = 26;

/// Where subscripts stand that the compiler writes as `BINARY_OP` (from 3.14 on), and how often they ran.
///
/// The opcodes tell nothing of arguments, the instructions do.
#[derive(Debug, Default)]
pub(crate) struct SubscriptPlaces {
    /// By process, code object and offset.
    places: BTreeSet<(u32, u32, u32)>,
    /// Executions, and what they took if times were taken, by process and phase.
    sums: BTreeMap<(u32, Phase), (u64, Option<TimeSum>)>,
}

impl SubscriptPlaces {
    /// Whether a recording may have any: whether one of its processes is of such a version.
    pub(crate) fn are_in(manifest: &Manifest) -> bool {
        manifest.processes.iter().any(is_since)
    }

    /// Those of a recording, of which the table `instructions` was read.
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut found = Self::default();
        let since: Vec<u32> = recording
            .manifest
            .processes
            .iter()
            .filter(|process| is_since(process))
            .map(|process| process.process)
            .collect();
        let rows = recording.tables.instructions.iter();
        for row in rows.filter(|row| row.argument == SUBSCRIPT && &*row.opcode == OPCODE) {
            if !since.contains(&row.process) {
                continue;
            }
            found.places.insert((row.process, row.code, row.offset));
            let (executions, time) = found.sums.entry((row.process, row.phase)).or_default();
            *executions += row.executions;
            if let Some(took) = &row.time {
                time.get_or_insert_default().add(TimeSum::from(took));
            }
        }
        found
    }

    /// Whether a site of events is the generic form of a subscript.
    pub(crate) fn has(&self, process: u32, site: &EventSiteRow) -> bool {
        &*site.opcode == OPCODE && self.places.contains(&(process, site.code, site.offset))
    }

    /// What of the generic form `BINARY_OP`, in a process and phase, were subscripts: all of them, less those that ran in
    /// a specialised form. None where there were none.
    pub(crate) fn generic(
        &self,
        generic: &OpcodeRow,
        opcodes: &[OpcodeRow],
    ) -> Option<(u64, Option<TimeSum>)> {
        if generic.opcode != OPCODE {
            return None;
        }
        let (mut executions, mut time) = *self.sums.get(&(generic.process, generic.phase))?;
        let forms = opcodes.iter().filter(|row| {
            (row.process, row.phase, row.base_opcode.as_str()) == (generic.process, generic.phase, OPCODE)
                && Family::of_form(&row.opcode, &row.base_opcode) == Family::Subscripts
        });
        for form in forms {
            executions = executions.saturating_sub(form.executions);
            if let (Some(time), Some(took)) = (&mut time, &form.time) {
                time.take_off(took.into());
            }
        }
        let executions = executions.min(generic.executions);
        (executions > 0).then_some((executions, time))
    }
}

fn is_since(process: &Process) -> bool {
    let mut numbers = process.python.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (major, minor) >= (3, SINCE)
}
