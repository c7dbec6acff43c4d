//! `report --html` and `diff --html`: the pages, and what they do in a browser, where there is one.
#![allow(clippy::unwrap_used)]

#[path = "../support/browser.rs"]
mod browser;
mod comparison;
mod comparison_output;
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
