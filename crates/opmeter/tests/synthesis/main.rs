//! `opmeter range` and `opmeter synthesize` on real interpreters. Nothing is asserted of how long anything takes:
//! programs sleep for a known time where time has to pass.
#![allow(clippy::unwrap_used)]

#[path = "../support/at_once.rs"]
mod at_once;
#[path = "../support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
mod own_templates;
mod programs;
mod ranges;
mod templates;
