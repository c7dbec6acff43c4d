//! What the opcodes of each CPython version are: their numbers, names, bases and inline caches, and
//! how a dispatch of one counts as executed instructions.
//!
//! The tables are data (`src/tables/`), printed by `tools/opcode-table.py` from the interpreters
//! themselves. Nothing here allocates or depends on anything but the standard library's slices, so that
//! the agent inside the interpreter's process uses the same tables as the command outside it.

mod execution;
mod family;
mod opcode;
mod table;

pub use execution::{Execution, Folding, Leaves, Specialising};
pub use family::Family;
pub use opcode::Opcode;
pub use table::{OpcodeTable, TableError};
