//! The live counter file: one for each metered process, mapped shared by the agent in that process and
//! read by the command.
//!
//! The counters live in the file itself. Nothing has to run when the process ends, however it ends, and
//! a reader sees the present counts at any time. Everything is little-endian 64-bit words at fixed
//! offsets, so that the agent's machine code can increment them in place.

mod code_log;
mod control;
mod counts;
mod header;
mod long_executions;
mod pairs;
mod preload;
mod reader;
mod ring;
mod ring_file;
mod slices;
mod times;

pub use code_log::{
    Block, CELLS_EXTENSION, CODE_EXTENSION, CodeFlags, CodeLog, Kind, LoggedCode, Misses, TornLog,
    record_word,
};
pub use control::{CONTROL_NAME, CONTROL_SIZE, Control};
pub use counts::{COUNTS_SIZE, Counts, offset};
pub use header::{
    HEADER_SIZE, LAYOUT, MAGIC, MAX_SLOTS, PHASES, SLOT_SIZE, State, Status, TEXT_SIZE, Text, Word,
    slot_offset, snapshot_offset, text_offset,
};
pub use long_executions::{LONG_EXTENSION, LONG_RECORD, LongExecution};
pub use pairs::{
    MATRIX_SIZE, MAX_PAIRS_SLOTS, PAIRS_EXTENSION, Pairs, ROW_SIZE, ROWS, pairs_slot_offset,
    pairs_snapshot_offset,
};
pub use preload::{PRELOAD_VARIABLE, is_sanitizer, preloaded, relist};
pub use reader::{LiveFile, ReadError, read_companion};
pub use ring::{
    CHUNK_ROW, CHUNK_SIZE, CHUNK_TABLE, CHUNKS_OFFSET, ChunkState, Executed, MAX_CHUNKS, RING_EXTENSION,
    RING_RECORD, RingRecord, RingWord,
};
pub use ring_file::{Chunk, RingFile};
pub use slices::{MAX_SUMS, SUM_SIZE, SUMS_OFFSET, SliceSum, SliceWord, Slices};
pub use times::{
    BUCKETS, LONG_CYCLES, MAX_TIMES_SLOTS, OpcodeTimes, TIME_BLOCK_SIZE, TIMES_EXTENSION, TIMES_HEAD,
    TIMES_SIZE, Times, bucket, bucket_limits, time_offset, times_slot_offset, times_snapshot_offset,
};

/// File name extension of live counter files.
pub const EXTENSION: &str = "live";

/// Environment variable through which the command tells the agent the folder of the live files.
pub const FOLDER_VARIABLE: &str = "OPMETER_LIVE";
