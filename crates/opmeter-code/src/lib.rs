//! What a code object of CPython says: its instructions, and the lines that they belong to.
//!
//! Nothing here fails: bytecode and line tables may come from a damaged file, and any bytes have some
//! answer.

mod bases;
mod instructions;
mod line_entries;
mod line_table;

pub use bases::Bases;
pub use instructions::{Instruction, Instructions};
pub use line_entries::{LineEntry, line_entries};
pub use line_table::lines;
