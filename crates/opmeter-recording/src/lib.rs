//! A recording: what Opmeter metered in one run of a command.
//!
//! A recording `NAME.opm/` is a folder that other tools can read without Opmeter: `manifest.json` says
//! what was run, on which interpreters, and what is complete; each table is a Parquet file of its own
//! (`opcodes.parquet`). The manifest is written last, so a folder with a manifest is whole.

mod atomic_file;
mod collect;
mod column;
mod error;
mod manifest;
mod opcode_row;
mod opcode_table;
mod phase;
mod process;
mod recording;

pub use collect::Collected;
pub use error::Error;
pub use manifest::{ExitStatus, Machine, Manifest, SCHEMA_VERSION};
pub use opcode_row::OpcodeRow;
pub use opcode_table::{read_opcodes, write_opcodes};
pub use phase::{ParsePhaseError, Phase};
pub use process::{Dispatch, Process, ProcessState};
pub use recording::{Recording, is_recording};
