//! `report --html`: the page, and what it does in a browser, where there is one.
#![allow(clippy::unwrap_used)]

#[path = "../support/browser.rs"]
mod browser;
mod folder;
mod hostile_names;
#[path = "../support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
mod looks;
#[path = "../support/many_functions.rs"]
mod many_functions;
mod output;
#[path = "../support/recorded.rs"]
#[allow(dead_code)]
mod recorded;
mod sources;
mod tables;
