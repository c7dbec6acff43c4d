//! Opmeter: a meter for CPython bytecode.

// They panic where nobody reads: see `message::line` and `report::written`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod agent;
mod amounts;
mod analysis_cache;
mod analyze;
mod annotate;
mod cache;
mod changed_sources;
mod cli;
#[cfg(test)]
mod commands_reference;
mod completions;
mod descendants;
mod diff;
mod diff_page;
mod doctor;
mod ended_children;
mod energy;
mod error;
mod event_reader;
mod export;
mod export_events;
mod file_limit;
mod group_witness;
mod interruption;
mod launch;
mod left_out;
mod live_folder;
mod long_executions;
mod machine;
mod man;
mod measure;
mod message;
mod model;
mod named_python;
mod native;
mod output;
mod phase_arg;
mod present_instruction;
mod private_folder;
mod probe_progress;
mod range;
mod range_search;
mod record;
mod report;
mod report_page;
mod selection;
mod signal_passing;
mod synthesize;
mod terms_arg;
mod verdict;

fn main() -> std::process::ExitCode {
    if let Some(status) = group_witness::run() {
        return status;
    }
    message::tell_damage_once();
    cli::run()
}
