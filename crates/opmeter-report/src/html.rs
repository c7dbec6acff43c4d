//! Pages for a browser: one file each, with everything in it.
//!
//! A page is markup that can be read without its script, and data that the script makes the source view of. All that
//! comes from a program is escaped where it is put into markup (`maud`), the data by [`data::write_data`]; the page's
//! security policy allows no script and no style but its own.

mod aligned_data;
mod change_table;
mod comparison;
mod comparison_page;
mod comparison_summary;
mod data;
mod distribution_picture;
mod energy;
mod frame;
mod graphic;
mod opcodes;
mod pairs;
mod places;
mod recorded;
mod report_page;
mod source_data;
mod sources;
mod specialization;
mod summary;
mod table;
mod times;

pub use comparison_page::{ComparisonPage, Verdict};
pub use recorded::Recorded;
pub use report_page::ReportPage;
