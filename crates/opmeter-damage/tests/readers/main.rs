//! Everything that reads files, on files that are damaged in thousands of ways: each gives an answer or an error, in bounded
//! time and memory. `OPMETER_TEST_DAMAGE=100` tries a hundred times as many.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod bytecode;
mod counters;
mod events;
mod live;
mod recorded;
mod tables;
mod texts;
