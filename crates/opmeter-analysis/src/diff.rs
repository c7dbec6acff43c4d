//! What differs between two recordings, and which lines and functions of one are which of the other.

mod aligned_source;
mod alignment;
mod change;
mod change_table;
mod comparison;
mod comprehensions;
mod definitions;
mod file_pairs;
mod function_changes;
mod gate;
mod increasing;
mod likeness;
mod line_changes;
mod line_map;
mod matching;
mod moved;
mod opcode_changes;
mod outline;
mod place;
mod python_state;
#[cfg(test)]
mod random;
#[cfg(test)]
mod random_duplicates;
#[cfg(test)]
mod random_edits;
mod remarks;
mod renaming;
mod scope_pairs;
mod scope_places;
mod side;
mod similarity;
mod source;

pub use aligned_source::{AlignedLine, AlignedSource};
pub use change::{Change, Changed, Changes, Edit};
pub use change_table::ChangedBy;
pub use comparison::Comparison;
pub use gate::Gate;
pub use place::Place;
pub use side::Side;
