//! Programs from templates.
//!
//! A [`Template`] is a Python file with a function that returns a program's source for a size n. The
//! [`search`] finds for which sizes its programs run without error, and up to which they stay within a target
//! time; [`RangeFile`] keeps what it found; [`ProgramFolder`] holds programs of sizes over that range.
//!
//! Data flows from [`Template`] and [`Interpreter`] through [`Trials`], which generate programs and run them,
//! to the search, which knows of nothing but sizes and [`Outcome`]s.

mod bounded_process;
mod ends;
mod error;
mod failure;
mod folder_lock;
mod generator;
mod interpreter;
mod largest;
mod model;
mod monotone;
mod outcome;
mod processor_wait;
mod program_folder;
mod range;
mod range_entry;
mod range_file;
mod readings;
mod search;
mod sizes;
mod smallest;
mod stream_tail;
mod synthesized_file;
mod template;
mod toml_file;
mod trials;

pub use ends::{LowerEnd, UpperEnd};
pub use error::Error;
pub use generator::{Generator, Program};
pub use interpreter::Interpreter;
pub use outcome::{Outcome, Probe, Runs};
pub use program_folder::{ProgramFolder, Written, program_name};
pub use range::{Neighbour, Range};
pub use range_entry::{FoundOn, RangeEntry};
pub use range_file::RangeFile;
pub use search::{HIGHEST, search};
pub use sizes::{Spacing, sizes};
pub use synthesized_file::SynthesizedRow;
pub use template::Template;
pub use trials::{Limits, Trials};
