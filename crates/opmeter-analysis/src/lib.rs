//! Aggregation of recordings: what the rows of a table amount to.

mod annotation;
mod annotations;
mod at_once;
mod check;
mod counted_row;
mod diff;
mod distribution;
mod energy_summary;
mod event_counts;
mod file_patterns;
mod files;
mod folder;
mod hotspots;
mod opcode_mix;
mod pair_mix;
mod ran;
mod row_filter;
mod sample;
mod source_text;
mod specialization;
mod target;
mod time_sum;
mod totals;

pub use annotation::{Annotation, CodeObject, InstructionCount, LineCount};
pub use annotations::Annotations;
pub use at_once::at_once;
pub use check::{Check, CheckedPart, Difference};
pub use counted_row::CountedRow;
pub use diff::{
    AlignedLine, AlignedSource, Change, Changed, ChangedBy, Changes, Comparison, Edit, Gate, Place, Side,
};
pub use distribution::{Distribution, distributions};
pub use energy_summary::{DomainEnergy, EnergySummary};
pub use event_counts::EventCounts;
pub use file_patterns::{FilePatterns, IdlePatterns, PatternError};
pub use files::{Files, Shown};
pub use folder::{
    DataColumn, DataTable, DataValues, EventGap, GenericSubscripts, NoColumn, Study, StudyTimes,
    family_table, interpreter_table, machines, matrix_table, opcode_table, program_table,
};
pub use hotspots::{Grouping, Hotspot, Hotspots, Spot};
pub use opcode_mix::{MixEntry, OpcodeMix, Terms};
pub use opmeter_recording::Origin;
pub use pair_mix::{PairEntry, PairMix};
pub use ran::Ran;
pub use row_filter::RowFilter;
pub use sample::Sample;
pub use source_text::SourceText;
pub use specialization::{Forms, Site, Specialization};
pub use target::{Target, TargetError};
pub use time_sum::TimeSum;
pub use totals::{ProcessTotal, Totals};
