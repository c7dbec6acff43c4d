//! What goes wrong in a program, or around it, goes wrong in the same way with the meter: what it prints and how it ends
//! is as without it, and what was counted until then is readable and adds up.
#![allow(clippy::unwrap_used)]

mod both;
mod crashes;
mod crowds;
mod deaths;
mod executables;
#[path = "../support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
mod outputs;
mod room;
