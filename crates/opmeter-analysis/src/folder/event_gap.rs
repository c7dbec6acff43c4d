use std::fmt;

use opmeter_recording::EventSummary;

/// Why the events of a process are not all there, so that what they take is not what the process took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGap {
    /// The process's ordinal.
    pub process: u32,
    /// What is wrong, as it follows on "the events of process N".
    what: String,
}

impl EventGap {
    /// What the recording itself says.
    pub(crate) fn said(process: u32, summary: &EventSummary) -> Option<Self> {
        let why = match summary.end.as_str() {
            EventSummary::PROCESS => return None,
            "max_events" => ", as --max-events asked for",
            "max_size" => ", as --max-size asked for",
            "disk_full" => ", for they could not be written",
            "unread" => ", for they were not read in time",
            "threads" => {
                let what = "are those of some of its threads only".to_owned();
                return Some(Self { process, what });
            }
            _ => ", for the recording was interrupted or their file was damaged",
        };
        Some(Self { process, what: format!("end after {}{why}", summary.events) })
    }

    /// What was found on reading so many events: the first damage (in bytes of the file), and whether the file has an
    /// end.
    pub(crate) fn found(
        process: u32,
        summary: &EventSummary,
        torn: Option<u64>,
        is_ended: bool,
        events: u64,
    ) -> Option<Self> {
        let what = match torn {
            Some(offset) => format!("are damaged at byte {offset} of their file"),
            None if !is_ended || events != summary.events => {
                format!("are {events} of {}: their file was cut short", summary.events)
            }
            None => return None,
        };
        Some(Self { process, what })
    }
}

impl fmt::Display for EventGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, what } = self;
        write!(f, "the events of process {process} {what}; no times are made of them")
    }
}
