//! Many recordings together: tables over the results of whole folders.

mod data_table;
mod event_gap;
mod event_times;
mod family_table;
mod interpreter_table;
mod matrix_table;
mod opcode_sums;
mod opcode_table;
mod program_table;
mod study;
mod subscript_places;

pub use data_table::{DataColumn, DataTable, DataValues, NoColumn};
pub use event_gap::EventGap;
pub use family_table::family_table;
pub use interpreter_table::interpreter_table;
pub use matrix_table::matrix_table;
pub use opcode_table::opcode_table;
pub use program_table::program_table;
pub use study::{GenericSubscripts, Study, StudyTimes, machines};
