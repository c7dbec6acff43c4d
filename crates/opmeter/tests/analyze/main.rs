//! `opmeter analyze`: tables over the results of folders.
#![allow(clippy::unwrap_used)]

mod events;
#[path = "../support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
mod left_out;
#[path = "../support/recorded.rs"]
#[allow(dead_code)]
mod recorded;
mod tables;
