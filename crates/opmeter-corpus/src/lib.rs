//! Folders of programs: which programs there are and on which interpreters they are to be measured, and where the
//! results lie.
//!
//! A [`Config`] and the command line say what a folder's [`Program`]s are; each with each [`Interpreter`] is a
//! [`Job`]. [`Results`] keeps what became of jobs, a [`JobResult`] each, and what is in the making: whatever the moment
//! at which everything is killed, a result is there whole or not at all.

mod collection;
mod config;
mod error;
mod files;
mod interpreter;
mod job;
mod job_result;
mod options;
mod orphan;
mod program;
mod results;
mod shard;
mod version_name;

pub use collection::{CollectedResult, Collection, Skipped};
pub use config::{Config, ProgramConfig, Switch, WorkingFolder};
pub use error::Error;
pub use interpreter::Interpreter;
pub use job::Job;
pub use job_result::{JobOutcome, JobResult, Step};
pub use options::{EnergyWish, HashSeed, Options};
pub use program::{Program, programs};
pub use results::{Claim, Results, State};
pub use shard::{ParseShardError, Shard};
pub use version_name::VersionName;
