//! Reports of recordings: tables for the terminal, pages for a browser, and export formats for other programs.
//!
//! Everything is written to a stream that the caller gives, and the stream's errors come back as they
//! are: a closed pipe ([`std::io::ErrorKind::BrokenPipe`]) means that the reader has seen enough.

mod annotation_report;
mod check_report;
mod data_report;
mod diff_report;
mod diff_rows;
mod diff_times;
mod energy_report;
pub mod export;
mod file_label;
mod grid;
mod heading;
mod hotspot_report;
mod html;
mod model_plot;
mod model_report;
mod number;
mod opcode_report;
mod page;
mod pair_report;
mod prediction_report;
mod processes;
mod range_report;
mod specialization_report;
mod style;
mod svg;
mod terminal_text;

pub use data_report::DataFormat;
pub use diff_report::DiffPage;
pub use html::{ComparisonPage, Recorded, ReportPage, Verdict};
pub use model_plot::write_model_plot;
pub use model_report::write_model;
pub use opmeter_analysis::SourceText;
pub use page::Page;
pub use prediction_report::write_predictions;
pub use range_report::{RangeRow, write_ranges};
pub use style::Style;
pub use terminal_text::visible;
