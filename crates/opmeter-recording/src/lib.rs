//! A recording: what Opmeter metered in one run of a command.
//!
//! A recording `NAME.opm/` is a folder that other tools can read without Opmeter: `manifest.json` says
//! what was run, on which interpreters, and what is complete; each table is a Parquet file of its own
//! (`opcodes.parquet`, `lines.parquet` and so on). The manifest is written last, so a folder with a manifest is whole.

mod atomic_file;
mod calibration;
mod cell;
mod code_files;
mod code_rows;
mod collect;
mod column;
mod distribution_row;
mod energy;
mod energy_row;
mod error;
mod events;
mod fingerprint;
mod instruction_row;
mod instruction_time;
mod line_row;
mod lines;
mod manifest;
mod measured_times;
mod missing;
mod net_times;
mod opcode_row;
mod opcode_rows;
mod opcode_time;
mod origin;
mod outliving;
mod page_head;
mod pair_row;
mod pair_rows;
mod phase;
mod process;
mod recording;
mod run_row;
mod running;
mod saturating_sum;
mod seal;
mod side_by_side;
mod source_row;
mod source_text_row;
mod sources;
mod specialization_row;
mod table_file;
mod table_row;
mod tables;
mod time_rows;

pub use calibration::Timing;
pub use collect::Collected;
pub use column::{Column, ColumnType, ColumnValues, Values, write_columns};
pub use distribution_row::DistributionRow;
pub use energy::{Energy, EnergyDomain};
pub use energy_row::{EnergyRow, NetEnergy};
pub use error::Error;
pub use events::{
    Budget, EVENTS_EXTENSION, EVENTS_FOLDER, EndReason, Event, EventFile, EventRow, EventRowWriter,
    EventSiteRow, EventSummary, EventWriter, Events, Full,
};
pub use fingerprint::{sha256_of_bytes, sha256_of_file};
pub use instruction_row::InstructionRow;
pub use instruction_time::InstructionTime;
pub use line_row::LineRow;
pub use lines::{LineHits, lines};
pub use manifest::{ExitStatus, Machine, Manifest, SCHEMA_VERSION};
pub use opcode_row::OpcodeRow;
pub use opcode_time::OpcodeTime;
pub use origin::Origin;
pub use outliving::Outliving;
pub use pair_row::PairRow;
pub use phase::{ParsePhaseError, Phase};
pub use process::{Dispatch, Process, ProcessState};
pub use recording::{CLOSED_FOLDER, LIVE_FOLDER, Recording, is_recording};
pub use run_row::RunRow;
pub use running::process_start;
pub use source_row::SourceRow;
pub use source_text_row::SourceTextRow;
pub use specialization_row::SpecializationRow;
pub use table_row::{TableRow, columns_of, is_reading_table, read_rows, write_rows};
pub use tables::Tables;
