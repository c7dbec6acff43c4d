//! The files of events: every execution of a process, thread by thread, in order.
//!
//! A recording's folder `events/` has a file for each process. It begins with eight bytes that say what it is; what
//! follows are blocks, each with a head of its own and a checksum: a file that was cut short or damaged is
//! whole up to there. The layout of a block is told in `block.rs`, that of the events in it in `code.rs`.

mod block;
mod code;
mod event_row;
mod event_site_row;
mod event_sites;
mod reader;
mod stream;
mod summary;
mod writer;

pub use block::EndReason;
pub use event_row::{EventRow, EventRowWriter};
pub use event_site_row::EventSiteRow;
pub(crate) use event_sites::event_sites;
pub use reader::{Event, EventFile, Events};
pub use summary::EventSummary;
pub use writer::{Budget, EventWriter, Full};

/// The folder of the files of events in a recording.
pub const EVENTS_FOLDER: &str = "events";

/// File name extension of a file of events.
pub const EVENTS_EXTENSION: &str = "events";
