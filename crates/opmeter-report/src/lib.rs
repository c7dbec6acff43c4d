//! Reports of recordings: tables for the terminal, and export formats for other programs.
//!
//! Everything is written to a stream that the caller gives, and the stream's errors come back as they
//! are: a closed pipe ([`std::io::ErrorKind::BrokenPipe`]) means that the reader has seen enough.

pub mod export;
mod heading;
mod number;
mod opcode_report;
mod processes;
mod style;
mod table;
mod terminal_text;

pub use opcode_report::OpcodeReport;
pub use style::Style;
