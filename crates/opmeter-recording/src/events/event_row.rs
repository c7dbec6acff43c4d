use std::io::{self, Write};

use crate::column::{Column, ColumnSpec, ColumnType, TableWriter, Values};
use crate::events::EventSiteRow;
use crate::table_row::io_error;

/// A row of the table of events: an instruction that was executed.
#[derive(Debug, Clone, Copy)]
pub struct EventRow<'s> {
    /// The thread: threads are numbered from 0 in the order in which they began to execute.
    pub thread: u32,
    /// What was executed, and of which process.
    pub site: &'s EventSiteRow,
    /// When, in cycles of the thread's clock since the process's first event. The clock stands still while the
    /// meter is at work.
    pub start_cycles: u64,
    /// How many cycles it took, those of reading the time-stamp counter included. 0 for what a combined opcode
    /// executed besides, for what has returned to C code, and where the end is not known.
    pub cycles_raw: u64,
    /// The same without the probe's cost, [`EventSummary::probe_cycles`](crate::EventSummary::probe_cycles).
    pub cycles_net: u64,
}

impl EventRow<'_> {
    /// The table's name on the command line. It has no file: it is made from the events.
    pub const TABLE: &'static str = "events";

    /// The names of the columns, in order: the same in every format.
    pub const COLUMNS: [&'static str; 12] = [
        "process",
        "thread",
        "phase",
        "opcode",
        "file",
        "function",
        "line",
        "offset",
        "code",
        "start_cycles",
        "cycles_raw",
        "cycles_net",
    ];
}

fn columns<'s>() -> [Column<EventRow<'s>>; 12] {
    macro_rules! column {
        ($at:literal, $kind:ident, $make:ident, |$row:ident| $value:expr) => {
            Column {
                spec: (EventRow::COLUMNS[$at], ColumnType::$kind),
                values: |rows| Values::$make(rows.iter().map(|$row| $value)),
            }
        };
    }
    [
        column!(0, U32, narrow, |row| row.site.process),
        column!(1, U32, narrow, |row| row.thread),
        column!(2, Text, text, |row| row.site.phase.name()),
        column!(3, Text, text, |row| &*row.site.opcode),
        column!(4, Text, text, |row| &*row.site.file),
        column!(5, Text, text, |row| &*row.site.function),
        column!(6, U32, narrow, |row| row.site.line),
        column!(7, U32, narrow, |row| row.site.offset),
        column!(8, U32, narrow, |row| row.site.code),
        column!(9, U64, wide, |row| row.start_cycles),
        column!(10, U64, wide, |row| row.cycles_raw),
        column!(11, U64, wide, |row| row.cycles_net),
    ]
}

/// Writes the table of events as a Parquet file, part by part.
pub struct EventRowWriter<W: Write + Send>(TableWriter<W>);

impl<W: Write + Send> EventRowWriter<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn new(out: W) -> io::Result<Self> {
        let specs: Vec<ColumnSpec> = columns().iter().map(|column| column.spec).collect();
        TableWriter::new(out, EventRow::TABLE, &specs).map(Self).map_err(io_error)
    }

    /// Writes rows, as a row group of its own.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn write(&mut self, rows: &[EventRow<'_>]) -> io::Result<()> {
        self.0.write_group(&columns(), rows).map_err(io_error)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Whatever `out` gives.
    pub fn close(&mut self) -> io::Result<()> {
        self.0.close().map_err(io_error)
    }
}
